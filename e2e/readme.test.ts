import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryRoot } from './backend/repository-root.ts'

const textOf = (file: string) => readFileSync(join(repositoryRoot(), file), 'utf8')
const lines = textOf('README.md').split('\n')
const chapter = (title: string) => {
  const begin = lines.indexOf(`## ${title}`) + 1
  const length = lines.slice(begin).findIndex((line) => line.startsWith('## '))
  return lines.slice(begin, begin + length)
}

it('the README shows code before all else, and is read in a minute', () => {
  expect(lines.findIndex((line) => line.startsWith('```ts'))).toBeLessThan(10)
  expect(lines.filter((line) => line.startsWith('## '))).toEqual(
    ['Install', 'What survives', 'Browsers', 'Size', 'More'].map((title) => `## ${title}`),
  )
  expect(chapter('What survives').filter((line) => line.startsWith('- '))).toHaveLength(5)
  expect(lines.filter((line) => line.length > 400)).toEqual([])
})

const kept = [...textOf('.size-limit.js').matchAll(/limit: '(.*)'/g)].map(([, limit]) => limit)

it('the README has the limits of sizes that are kept', () => {
  const told = chapter('Size').flatMap((line) => /^\| [^|]+\| ([\d.]+ kB) \|/.exec(line)?.[1] ?? [])
  expect(told).toHaveLength(5)
  expect(kept).toEqual(expect.arrayContaining(told))
})

it('the guide has the limits of its entries', () => {
  const [, entries = ''] = textOf('docs/guide.md').split('### Entries')
  const told = [...(entries.split(/^##/m)[0] ?? '').matchAll(/[\d.]+ kB/g)].map(([limit]) => limit)
  expect(told).toHaveLength(10)
  expect(kept).toEqual(expect.arrayContaining(told))
})
