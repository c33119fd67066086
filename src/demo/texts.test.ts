import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { ElementTexts } from '../elements/texts.ts'
import { texts, type Texts } from './texts.ts'
import { withTexts } from './texts-in-html.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const pages = readdirSync(folder).filter((name) => name.endsWith('.html'))

describe('another language', () => {
  it('is whole, or does not compile', () => {
    const whole: Texts = { ...texts, page: { ...texts.page, done: 'Fertig' } }
    const { done: _done, ...page } = texts.page
    // @ts-expect-error -- a text is missing
    const lacks: Texts = { ...texts, page }
    // @ts-expect-error -- a text that needs a number is none
    const wrong: Texts = { ...texts, privacy: { ...texts.privacy, tracesOf: 'Spuren' } }
    const { 'storage-full': _full, ...errors } = texts.errors
    // @ts-expect-error -- an error has no words
    const speechless: ElementTexts = { ...texts, errors }
    expect([whole, lacks, wrong, speechless]).toHaveLength(4)
  })

  it.each(pages)('is put into %s, where every text that it names is there', (page) => {
    const html = withTexts(readFileSync(`${folder}/${page}`, 'utf8'), texts)
    expect(html).not.toMatch(/\{\{/)
  })

  it('cannot break a page', () => {
    expect(withTexts('<p title="{{a.b}}">{{a.b}}</p>', { a: { b: '"<&>"' } })).toBe(
      '<p title="&quot;&lt;&amp;&gt;&quot;">&quot;&lt;&amp;&gt;&quot;</p>',
    )
    expect(() => withTexts('{{a.c}}', { a: { b: 'x' } })).toThrow('No text for {{a.c}}')
  })
})
