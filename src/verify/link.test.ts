import { describe, expect, it } from 'vitest'
import type { Cid, SessionName } from '../protocol/ids.ts'
import { formatLink, keyText, parseKey, parseLink, type SessionLink } from './link.ts'

const name = '12'.repeat(32) as SessionName
const groupKey = Uint8Array.from({ length: 32 }, (_, at) => 255 - at * 7)
const full: SessionLink = {
  name,
  rpcUrls: ['https://one.example/?key=a&b', 'https://two.example/#x'],
  registry: `0x${'ab'.repeat(20)}`,
  gateways: ['https://gateway.example/a path', 'http://127.0.0.1:8080'],
  groupKey,
}

describe('a link', () => {
  it('says again what it was made of', () => {
    expect(parseLink(formatLink('https://app.example/read?lang=de#old', full))).toEqual(full)
    const published = { ...full, rpcUrls: [], head: `b${'a'.repeat(58)}` as Cid }
    expect(parseLink(formatLink('https://app.example/', published))).toEqual(published)
    const least = { name, rpcUrls: [], gateways: [] }
    expect(parseLink(formatLink('https://app.example/', least))).toEqual(least)
    expect(parseLink(`  ${name}\n`)).toEqual(least)
  })

  it('has nothing before its fragment but the page, so that no server is told', () => {
    const [page] = formatLink('https://app.example/read?lang=de#old', full).split('#')
    expect(page).toBe('https://app.example/read?lang=de')
    const url = new URL(formatLink('https://app.example/', full))
    expect(url.hash).toContain(`key=${keyText(groupKey)}`)
  })

  it('reads its fragment alone', () => {
    const { hash } = new URL(formatLink('https://app.example/', full))
    expect(parseLink(hash)).toEqual(full)
    expect(() => parseLink(`https://app.example/?holdfast=2&name=${name}`)).toThrow('#holdfast=2')
  })

  it.each([
    ['', '#holdfast=2'],
    ['https://app.example/', '#holdfast=2'],
    [`#holdfast=3&name=${name}`, 'of version 2, found 3'],
    ['#holdfast=2', 'a name'],
    [`#holdfast=2&name=${name.toUpperCase()}x`, 'a name'],
    [`#holdfast=2&name=${name}&key=secret`, 'a group'],
    [`#holdfast=2&name=${name}&head=https://x`, 'a content address'],
  ])('that is “%s” is refused, and no key is repeated', (link, words) => {
    const parse = () => parseLink(link)
    expect(parse).toThrow(expect.objectContaining({ code: 'bad-input' }))
    expect(parse).toThrow(words)
    expect(parse).not.toThrow('secret')
  })
})

describe('a key', () => {
  it('is read in base64url and in hex', () => {
    expect(parseKey(keyText(groupKey))).toEqual(groupKey)
    expect(parseKey(` ${keyText(groupKey)}=\n`)).toEqual(groupKey)
    expect(parseKey(Buffer.from(groupKey).toString('hex'))).toEqual(groupKey)
  })

  it.each(['', 'short', `${'A'.repeat(42)}B`, `record_${'A'.repeat(43)}`, '0'.repeat(63)])(
    'that is “%s” is refused',
    (text) => {
      expect(() => parseKey(text)).toThrow(expect.objectContaining({ code: 'bad-input' }))
    },
  )
})
