import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repositoryRoot } from './backend/repository-root.ts'

const root = repositoryRoot()
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const filesUnder = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)

const pages = ['README.md', ...filesUnder('docs', '.md')]
const sources = ['src', 'sw', 'e2e'].flatMap((folder) => filesUnder(folder, '.ts'))

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const prose = text.replace(/^```.*?^```$/gms, '')
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Whether the page links to a file that is there and, where it names one, to a heading of it. */
function isThere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(page, '..', path)
  return existsSync(join(root, target)) && (anchor === undefined || anchorsOf(read(target)).has(anchor))
}

it.each(pages)('%s links to nothing that is not there', (page) => {
  const links = [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, link = '']) => link)
  expect(links.filter((link) => !isThere(page, link))).toEqual([])
})

it('comments name no page of docs that is not there', () => {
  const named = sources.flatMap((path) =>
    [...read(path).matchAll(/\bdocs\/[\w/-]+\.md\b/g)].map(([page]) => page),
  )
  expect([...new Set(named)].filter((page) => !existsSync(join(root, page)))).toEqual([])
})
