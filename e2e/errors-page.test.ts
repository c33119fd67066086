import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { adviceFor } from '../src/protocol/advice.ts'
import { ERRORS, type ErrorCode } from '../src/protocol/errors.ts'
import { repositoryRoot } from './backend/repository-root.ts'

// docs/errors.md is what a person reads whose upload does not go on: its tables are those of the source.

const page = readFileSync(join(repositoryRoot(), 'docs', 'errors.md'), 'utf8')

/** The rows of a chapter's tables whose first cell is a code. */
function rowsOf(chapter: string): { code: ErrorCode; second: string; advice: string }[] {
  const [, text = ''] = page.split(new RegExp(`^## ${chapter}$`, 'm'))
  const [own = ''] = text.split(/^## /m)
  return [...own.matchAll(/^\| `([\w-]+)` \| (.*?) \| .* \| (.*) \|$/gm)].map(
    ([, code = '', second = '', advice = '']) => ({
      code: code as ErrorCode,
      second,
      advice: advice.replaceAll('`', ''),
    }),
  )
}

it('docs/errors.md has each code once, with its class and the advice of the source', () => {
  const told = rowsOf('Codes').map(({ code, second, advice }) => [code, second, advice])
  const known = Object.entries(ERRORS).map(([code, kind]) => [code, kind, adviceFor(code as ErrorCode)])
  expect(told.toSorted()).toEqual(known.toSorted())
})

it('docs/errors.md has the advice of the source for each code of the reader', () => {
  const rows = rowsOf('Of the reader')
  expect(rows.length).toBeGreaterThan(15)
  const known = rows.map(({ code }) => [code, adviceFor(code)])
  expect(rows.map(({ code, advice }) => [code, advice])).toEqual(known)
})
