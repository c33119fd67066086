import { beforeAll, describe, expect, it } from 'vitest'
import { groupIdOf, groupOf, type GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'
import { encodeKey, encodeRecordingKey, keyFile, parseKey } from './group-key.ts'

const privateKey = Uint8Array.from({ length: 32 }, (_, i) => 255 - 3 * i)
let group: GroupKeys
let id: GroupId
beforeAll(async () => {
  group = await groupOf(privateKey)
  id = await groupIdOf(group)
})

const opens = { kind: 'group', privateKey }

describe('a group key', () => {
  it('survives being copied and pasted', () => {
    expect(encodeKey(privateKey)).toHaveLength(43)
    expect(parseKey(encodeKey(privateKey))).toEqual(opens)
    expect(parseKey(`  ${encodeKey(privateKey)}=\n`)).toEqual(opens)
  })

  it('can be pasted as the whole key file, whose recording key it outranks', () => {
    const file = keyFile('Observers', group, id)
    expect(parseKey(file)).toEqual(opens)
    expect(parseKey(file.replaceAll('\n', '\r\n'))).toEqual(opens)
  })

  it('is told apart from what it is not', () => {
    expect(parseKey('')).toContain('Paste')
    expect(parseKey(id)).toContain('public id')
    expect(parseKey(encodeKey(privateKey).slice(1))).toContain('this has 42')
    expect(parseKey('not a key')).toContain('only letters')
  })

  it('may begin as a recording key does', () => {
    const unlucky = `record_${'A'.repeat(36)}`
    expect(parseKey(unlucky)).toMatchObject({ kind: 'group' })
  })
})

describe('a recording key', () => {
  it('survives being copied and pasted, and is no group key', () => {
    const text = encodeRecordingKey(group.publicKey)
    expect(text).toMatch(/^record_[\w-]{43}$/)
    expect(parseKey(` ${text}\n`)).toEqual({ kind: 'recording', publicKey: group.publicKey })
  })

  it('is found in a key file from which the key was cut', () => {
    const file = keyFile('Observers', group, id).replace(/^Key: .*\n/m, '')
    expect(parseKey(file)).toEqual({ kind: 'recording', publicKey: group.publicKey })
  })

  it('is refused where characters are missing', () => {
    const cut = encodeRecordingKey(group.publicKey).slice(0, -1)
    expect(parseKey(cut)).toContain('this has 49')
  })

  it('tells nothing of the group key', () => {
    expect(encodeRecordingKey(group.publicKey)).not.toContain(encodeKey(privateKey).slice(0, 20))
  })
})
