import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Words of ours that a person who holds a phone cannot know. */
const BANNED =
  /\b(chunks?|manifest\w*|parked|anchor(s|ed|ing)?|payloads?|circuits?|ciphertext|dead letters?|serve the page|https|service workers?|the worker|gateway|registry|rpc|cid|localhost)\b/i

/** What is shown under "Details", to whoever looks into it, and what a reader names precisely, has words of its own. */
const TECHNICAL = new Set(['session-details.ts', 'verification-failure.ts'])

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

it.each(readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name) && !TECHNICAL.has(name)))(
  '%s has no word that a person cannot know',
  (name) => {
    const found = wordsIn(readFileSync(`${folder}/${name}`, 'utf8')).filter((text) => BANNED.test(text))
    expect(found).toEqual([])
  },
)

it.each(readdirSync(folder).filter((name) => name.endsWith('.html')))('nor has %s', (name) => {
  expect(BANNED.exec(textOf(readFileSync(`${folder}/${name}`, 'utf8')))?.[0]).toBeUndefined()
})

it('would be found', () => {
  expect(
    wordsIn("const a = 'All chunks of it' // a chunk\n").filter((text) => BANNED.test(text)),
  ).toHaveLength(1)
  expect(wordsIn('h("p", `Parked`)').filter((text) => BANNED.test(text))).toHaveLength(1)
  expect(textOf('<p class="chunk">a <b>chunk</b></p>')).toMatch(BANNED)
})
