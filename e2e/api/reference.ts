import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { repositoryRoot } from '../backend/repository-root.ts'
import { exportsOf, type Declaration } from './declarations.ts'

/** The folder of the reference, from the root of the repository. */
export const API = 'docs/api'

interface Entry {
  /** As an app imports it. */
  readonly name: string
  readonly page: string
  readonly declarations: readonly Declaration[]
}

const NOT_WRITTEN_BY_HAND =
  'Made from the docstrings of the code by `npm run api`; a test holds that it is current.'

/** The API reference: its pages by file name, made from the declarations that were built last. */
export async function apiReference(): Promise<Map<string, string>> {
  const entries = entriesOf()
  const places = new Map<string, string>()
  for (const { page, declarations } of entries)
    for (const { name } of declarations)
      if (!places.has(name)) places.set(name, `${page}#${name.toLowerCase()}`)
  const options = await resolveConfig(join(repositoryRoot(), 'README.md'))
  const pages = new Map<string, string>()
  for (const [page, text] of [
    ['README.md', overview(entries)] as const,
    ...entries.map((entry) => [entry.page, pageOf(entry, places)] as const),
  ])
    pages.set(page, await format(text, { ...options, parser: 'markdown' }))
  return pages
}

function entriesOf(): Entry[] {
  const { exports } = JSON.parse(readFileSync(join(repositoryRoot(), 'package.json'), 'utf8'))
  return Object.entries<{ types: string }>(exports).map(([path, { types }]) => {
    const name = path.replace('.', 'holdfast')
    const page = `${name.replaceAll('/', '-')}.md`
    return { name, page, declarations: exportsOf(join(repositoryRoot(), types)) }
  })
}

function overview(entries: readonly Entry[]): string {
  const rows = entries.map(
    ({ name, page, declarations }) =>
      `| [${name}](${page}) | ${declarations.map((each) => `[${each.name}](${page}#${each.name.toLowerCase()})`).join(', ')} |`,
  )
  return [
    '# API reference',
    `_What is the signature of that?_ How it is used: [the guide](../guide.md). ${NOT_WRITTEN_BY_HAND}`,
    `| entry | exports |\n| --- | --- |\n${rows.join('\n')}`,
  ].join('\n\n')
}

function pageOf({ name, declarations }: Entry, places: ReadonlyMap<string, string>): string {
  return [
    `# ${name}`,
    `[All entries](README.md). ${NOT_WRITTEN_BY_HAND}`,
    ...declarations.map((declaration) => sectionOf(declaration, places)),
  ].join('\n\n')
}

function sectionOf({ name, docs, code }: Declaration, places: ReadonlyMap<string, string>): string {
  const others = [...new Set(code.match(/\b[A-Z]\w+/g))].filter((word) => word !== name && places.has(word))
  const links = others.map((word) => `[${word}](${places.get(word)})`)
  return [
    `## ${name}`,
    proseOf(docs),
    `\`\`\`ts\n${code.replace(/^export declare |^declare /gm, 'export ')}\n\`\`\``,
    ...(links.length > 0 ? [`See also: ${links.join(', ')}.`] : []),
  ].join('\n\n')
}

/** A docstring as Markdown: what follows a tag is a line of a list. */
function proseOf(docs: readonly string[]): string {
  return docs
    .join('\n')
    .replace(/^@param (\w+)/gm, '- `$1`:')
    .replace(/ ?@(returns|throws)\b/gm, (_, tag: string) => `\n- _${tag}_`)
    .replace(/\n{3,}/g, '\n\n')
    .replace(/(^- .*)\n\n(?=- )/gm, '$1\n')
    .trim()
}
