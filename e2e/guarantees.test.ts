import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repositoryRoot } from './backend/repository-root.ts'

const root = repositoryRoot()
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Citation {
  readonly promise: number
  readonly path: string
  readonly titles: readonly string[]
}

/** Every test file that a row of docs/guarantees.md names under a numbered promise, with the titles it names. */
const citations: Citation[] = read('docs/guarantees.md')
  .split(/^## (?=\d+\. )/m)
  .slice(1)
  .flatMap((section) => {
    const promise = Number.parseInt(section, 10)
    const rows = (section.split(/^## /m)[0] ?? '').split('\n').filter((line) => line.startsWith('|'))
    return rows.flatMap((row) =>
      row
        .split(/(?=\[[^\]]*\]\(\.\.\/[^)]+\.ts\))/)
        .slice(1)
        .map((part) => ({
          promise,
          path: /\(\.\.\/([^)]+)\)/.exec(part)?.[1] ?? '',
          titles: [...part.matchAll(/"([^"]+)"/g)].map(([, title = '']) => title),
        })),
    )
  })

/** What a title consists of where a part of it is only known when the test runs: `…`, or a number. */
const fixedParts = (title: string) =>
  title
    .split(/…|×|\d[\d,]*/)
    .filter((part) => part.trim().length > 2)
    .map((part) => part.trim())

const folderText = (path: string) => {
  const folder = dirname(path)
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'))
  return files.map((name) => read(join(folder, name))).join('\n')
}

describe('docs/guarantees.md', () => {
  it('names tests under each of its nine promises', () => {
    expect([...new Set(citations.map(({ promise }) => promise))]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it.each(citations)('promise $promise: $path names it, and has the tests', ({ promise, path, titles }) => {
    const named = [...read(path).matchAll(/Promises? ([\d, ]+) of docs\/guarantees\.md/g)]
    expect(named.flatMap(([, numbers = '']) => numbers.split(', ').map(Number))).toContain(promise)
    const text = folderText(path)
    for (const part of titles.flatMap(fixedParts)) expect(text).toContain(part)
  })
})
