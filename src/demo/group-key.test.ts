import { describe, expect, it } from 'vitest'
import { groupOf } from '../group.ts'
import { encodeKey, keyFile, parseKey } from './group-key.ts'

const secret = Uint8Array.from({ length: 32 }, (_, i) => 255 - 3 * i)

describe('a group key', () => {
  it('survives being copied and pasted', () => {
    expect(encodeKey(secret)).toHaveLength(43)
    expect(parseKey(encodeKey(secret))).toEqual(secret)
    expect(parseKey(`  ${encodeKey(secret)}=\n`)).toEqual(secret)
  })

  it('can be pasted as the whole key file', () => {
    expect(parseKey(keyFile('Observers', groupOf(secret)))).toEqual(secret)
    expect(parseKey(keyFile('Observers', groupOf(secret)).replaceAll('\n', '\r\n'))).toEqual(secret)
  })

  it('is told apart from what it is not', () => {
    expect(parseKey('')).toContain('Paste')
    expect(parseKey(groupOf(secret).id)).toContain('public id')
    expect(parseKey(encodeKey(secret).slice(1))).toContain('this has 42')
    expect(parseKey('not a key')).toContain('only letters')
  })
})
