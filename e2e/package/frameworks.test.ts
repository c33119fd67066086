import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { effectScope, type ShallowRef } from '@vue/reactivity'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  defineElements,
  HoldfastRecorder,
  HoldfastRecovery,
  HoldfastStatus,
} from '../../src/elements/index.ts'
import type { FakeWorker } from '../../src/testing.ts'
import type { SnapshotStore } from '../../src/store.ts'
import { repositoryRoot } from '../backend/repository-root.ts'

// The recipes of docs/frameworks.md as they stand there, over a fake worker.

const root = repositoryRoot()
const page = readFileSync(join(root, 'docs', 'frameworks.md'), 'utf8')
/** The block of that file name. */
function blockOf(file: string): string {
  const [, code] = new RegExp(`^\`\`\`\\w+ ${file}\\n(.*?)^\`\`\`$`, 'ms').exec(page) ?? []
  if (code === undefined) throw new Error(`No block ${file}.`)
  return code
}

/** In place of the page's own file: what a unit test of an app would have. */
const FAKE = `
import { snapshotStore } from '${join(root, 'src/store.ts')}'
import { fakeWorker } from '${join(root, 'src/testing.ts')}'
export const worker = fakeWorker()
export const recordings = snapshotStore(Promise.resolve(worker.connect()))
`

interface Recipes {
  readonly worker: FakeWorker
  readonly recordings: SnapshotStore
  readonly inReact: () => readonly unknown[] | undefined
  /** As a browser does with components, and no server. */
  readonly mount: () => void
  readonly inVue: () => ShallowRef<{ sessions: readonly { mimeType: string }[] } | undefined>
}

let folder: string
let recipes: Recipes
beforeAll(async () => {
  await mkdir(join(root, '.holdfast'), { recursive: true })
  folder = await mkdtemp(join(root, '.holdfast', 'frameworks-'))
  await writeFile(join(folder, 'recordings.ts'), FAKE)
  await writeFile(join(folder, 'react.ts'), blockOf('src/react.ts'))
  await writeFile(join(folder, 'vue.ts'), blockOf('src/vue.ts'))
  await writeFile(
    join(folder, 'index.ts'),
    `export * from './recordings'
export { useRecordings as inReact } from './react'
export { useRecordings as inVue } from './vue'
export { mount } from 'vue'
`,
  )
  await build({
    configFile: false,
    logLevel: 'warn',
    root: folder,
    resolve: { alias: { vue: join(root, 'e2e/package/vue-in-part.ts') } },
    build: {
      lib: { entry: 'index.ts', formats: ['es'], fileName: () => 'index.js' },
      outDir: 'built',
      rollupOptions: { external: ['react', '@vue/reactivity'] },
    },
  })
  recipes = await import(pathToFileURL(join(folder, 'built', 'index.js')).href)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const start = (mimeType: string) =>
  recipes.worker.connect().startSession({ groups: [{ publicKey: 'a'.repeat(64) }], mimeType })

it('Vue: a ref that follows the state, until its scope is over', async () => {
  const scope = effectScope()
  const ref = scope.run(recipes.inVue)
  const types = () => ref?.value?.sessions.map(({ mimeType }) => mimeType)
  recipes.mount()
  expect(types()).toBeUndefined()
  await start('video/one')
  await expect.poll(() => types()).toEqual(['video/one'])
  scope.stop()
  const leave = recipes.recordings.subscribe(() => undefined)
  await start('video/two')
  await expect.poll(() => recipes.recordings.getSnapshot()?.sessions).toHaveLength(2)
  leave()
  expect(types()).toEqual(['video/one'])
})

it('Vue: on a server, where no component is mounted and no scope ends, nothing subscribes', async () => {
  const leave = recipes.recordings.subscribe(() => undefined)
  await expect.poll(() => recipes.recordings.getSnapshot()).toBeDefined()
  const ref = effectScope().run(recipes.inVue)
  const before = recipes.recordings.getSnapshot()
  await start('video/server')
  await expect.poll(() => recipes.recordings.getSnapshot()).not.toBe(before)
  leave()
  // What is known differs from what the server rendered: the browser's first rendering is the same without it.
  expect(ref?.value).toBeUndefined()
})

it('React: renders on a server, where nothing is known', () => {
  const View = () => createElement('p', null, recipes.inReact() === undefined ? 'not known' : 'known')
  expect(renderToString(createElement(View))).toBe('<p>not known</p>')
})

it('React: a module that defines the elements at its top, as the page says, is loaded on a server', () => {
  expect(() => defineElements()).not.toThrow()
})

it('Svelte: subscribers are called at once, then with each state, until they leave', async () => {
  const told: unknown[] = []
  const leave = recipes.recordings.subscribe((state) => told.push(state))
  expect(told).toEqual([recipes.recordings.getSnapshot()])
  await start('video/three')
  await expect.poll(() => told.length).toBeGreaterThan(1)
  leave()
  const count = told.length
  await start('video/four')
  const last = recipes.recordings.subscribe(() => undefined)
  await expect.poll(() => recipes.recordings.getSnapshot()?.sessions.length).toBeGreaterThan(3)
  last()
  expect(told).toHaveLength(count)
})

/** What an app sets of each element: docs/guide.md#components. */
const SET = [
  [HoldfastRecorder, ['holdfast', 'groups', 'openSource', 'recordOptions', 'sessionOptions', 'saveUnsaved']],
  [HoldfastStatus, ['holdfast', 'sessionId']],
  [HoldfastRecovery, ['holdfast', 'signIn', 'freeSpace']],
] as const

it.each(SET)(
  '%o: what is set of it has a setter, else frameworks make an attribute of it',
  (element, names) => {
    // React and Vue ask whether an element has a property, Svelte for its setter.
    const inherited = [element.prototype, Object.getPrototypeOf(element.prototype)]
    const isSettable = (name: string) =>
      inherited.some((of) => Object.getOwnPropertyDescriptor(of, name)?.set)
    expect(names.filter((name) => !isSettable(name))).toEqual([])
  },
)

it('what is set of an element is that element’s alone', () => {
  const [one, other]: HoldfastRecorder[] = [1, 2].map(() => Object.create(HoldfastRecorder.prototype))
  const groups = [{ publicKey: 'a'.repeat(64) }]
  if (one) one.groups = groups
  expect([one?.groups, other?.groups]).toEqual([groups, undefined])
})
