import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folders = ['.', '../elements'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** Words of ours that a person who holds a phone cannot know. */
const BANNED =
  /\b(chunks?|manifest\w*|parked|anchor(s|ed|ing)?|payloads?|circuits?|ciphertext|dead letters?|serve the page|https|service workers?|the worker|gateway|registry|rpc|cid|localhost)\b/i

/** Comments are for us. */
const withoutComments = (code: string) => code.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')

/** Strings that are read as words: with a space in them, or one word that begins with a capital. */
function wordsIn(code: string): readonly string[] {
  const strings = withoutComments(code).match(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g) ?? []
  return strings
    .map((quoted) => quoted.slice(1, -1).replaceAll(/\$\{[^}]*\}/g, '…'))
    .filter((text) => /^[A-Z][a-z]+$/.test(text) || /[A-Za-z…] [A-Za-z…]/.test(text))
}

const textOf = (html: string) => html.replaceAll(/<!--[\s\S]*?-->|<svg[\s\S]*?<\/svg>|<(?!meta)[^>]*>/g, ' ')

const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
const sources = files.filter((path) => /(?<!\.test)\.ts$/.test(path))
const pages = files.filter((path) => path.endsWith('.html'))
const named = (paths: readonly string[]) => paths.map((path) => ({ name: basename(path), path }))

it.each(named(sources))('$name has no word that a person cannot know', ({ path }) => {
  expect(wordsIn(readFileSync(path, 'utf8')).filter((text) => BANNED.test(text))).toEqual([])
})

/** Of what is read by whoever looks into it, under "Details", they are the right words. */
const FIELD_WORDS = /\b(the log|the chain|the store|heads?|nodes?)\b/i

it('no text but those of the details has a word of the field', () => {
  const table = readFileSync(join(folders[0] ?? '', 'texts.ts'), 'utf8')
  const others = wordsIn(table.replace(/\n {2}details: \{[\s\S]*?\n {2}\},/, ''))
  expect(others.filter((text) => FIELD_WORDS.test(text))).toEqual([])
  expect(wordsIn(table).filter((text) => FIELD_WORDS.test(text))).not.toEqual([])
})

it.each(named(pages))('nor has $name', ({ path }) => {
  expect(BANNED.exec(textOf(readFileSync(path, 'utf8')))?.[0]).toBeUndefined()
})

it('would be found', () => {
  expect(
    wordsIn("const a = 'All chunks of it' // a chunk\n").filter((text) => BANNED.test(text)),
  ).toHaveLength(1)
  expect(wordsIn('h("p", `Parked`)').filter((text) => BANNED.test(text))).toHaveLength(1)
  expect(textOf('<p class="chunk">a <b>chunk</b></p>')).toMatch(BANNED)
})

/** Read by those who build, in a console. */
const FOR_DEVELOPERS = /(new (Error|URL)|super)\((['`])[\s\S]*?\3/g
/** A sentence, or a label: not a unit, a font, or the lines of a key file that are read again. */
const TEXT = /^[A-Z][a-z]+ [a-z](?!.*\(public\))|[a-z]{2} [a-z]+ [a-z]{2}/
/** Where texts are, and styles. */
const TEXTS = new Set(['texts.ts', 'styles.ts'])

it.each(named(sources).filter(({ name }) => !TEXTS.has(name)))(
  '$name has no text of its own: all are in the table',
  ({ path }) => {
    const code = withoutComments(readFileSync(path, 'utf8')).replaceAll(FOR_DEVELOPERS, '')
    expect(wordsIn(code).filter((text) => TEXT.test(text))).toEqual([])
  },
)

it.each(named(pages))('nor has $name, but the name', ({ path }) => {
  const text = textOf(readFileSync(path, 'utf8')).replaceAll(/\{\{[\w.]+\}\}|<meta[^>]*>/g, '')
  expect(text.replaceAll('Holdfast', '').trim()).toBe('')
})
