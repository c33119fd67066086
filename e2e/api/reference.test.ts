import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryRoot } from '../backend/repository-root.ts'
import { exportsOf } from './declarations.ts'
import { API, apiReference } from './reference.ts'

it('the API reference is what `npm run api` makes of the docstrings', async () => {
  const folder = join(repositoryRoot(), API)
  const written = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')])
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(await apiReference()))
})

it('declarations are found through files and other names, whole and with their docstrings', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-api-'))
  await writeFile(
    join(folder, 'index.d.ts'),
    `import type { Far } from './far.js';
export { inner as outer, type Shape } from './far.js';
/** Joins. */
export declare function join(a: Far): string;
export declare function join(a: Far, b: Far): string;
declare const hidden: 1;
export { hidden as shown, type Far };
`,
  )
  await writeFile(
    join(folder, 'far.d.ts'),
    `/**
 * One of two.
 *
 * @param size in bytes
 */
export type Shape = {
    /** With a brace: { */
    kind: 'a;';
} | {
    kind: 'b';
};
/** A number. */
export declare const inner: number;
export interface Far {
    run(): void;
}
`,
  )
  const found = exportsOf(join(folder, 'index.d.ts'))
  await rm(folder, { recursive: true })
  expect(found).toEqual([
    { name: 'Far', docs: [], code: 'export interface Far {\n    run(): void;\n}' },
    {
      name: 'join',
      docs: ['Joins.'],
      code: 'export declare function join(a: Far): string;\nexport declare function join(a: Far, b: Far): string;',
    },
    { name: 'outer', docs: ['A number.'], code: 'export declare const inner: number;' },
    {
      name: 'Shape',
      docs: ['One of two.', '', '@param size in bytes', ''],
      code: "export type Shape = {\n    /** With a brace: { */\n    kind: 'a;';\n} | {\n    kind: 'b';\n};",
    },
    { name: 'shown', docs: [], code: 'declare const hidden: 1;' },
  ])
})
