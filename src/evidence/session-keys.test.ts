import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { SessionId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, toHex, utf8 } from './bytes.ts'
import { groupIdOf, groupTag } from './group-key.ts'
import { importSigningKey, signHead, verifyHead } from './head.ts'
import { open } from './hpke.ts'
import { sessionName } from './name.ts'
import { newSessionKeys, openSessionKey } from './session-keys.ts'
import { libraryX25519 } from './x25519-library.ts'
import { newPrivateKey, publicKeyOf } from './x25519.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })
const ID = '01234567-89ab-4cde-8f01-23456789abcd' as SessionId
const name = 'ab'.repeat(32) as SessionName

async function newGroup() {
  const privateKey = newPrivateKey()
  return { privateKey: toHex(privateKey), publicKey: toHex(await publicKeyOf(privateKey)) }
}
const newGroups = (count: number) => Promise.all(Array.from({ length: count }, newGroup))

describe('a group', () => {
  it('has the id and the tags of the format', async () => {
    const { publicKey } = await newGroup()
    const key = Buffer.from(publicKey, 'hex')
    const id = createHash('sha256').update('holdfast/group/v2').update(key).digest('hex')
    expect(await groupIdOf(publicKey)).toBe(`0x${id}`)
    const tag = createHmac('sha256', key).update(Buffer.from(name, 'hex')).digest('hex')
    expect(await groupTag(publicKey, name)).toBe(tag)
  })
})

describe('new session keys', () => {
  it('name the session, and sign its heads with a key that never gives its bytes', async () => {
    const [group] = await newGroups(1)
    const keys = await newSessionKeys(ID, [group!])
    expect(keys.name).toBe(await sessionName(ID, keys.publicKey))
    const zero = '0'.repeat(64) as Sha256Hex
    const head = {
      name: keys.name,
      size: 1,
      root: zero,
      page: zero,
      previous: null,
      groups: zero,
      end: false,
    }
    expect(
      await verifyHead(head, keys.publicKey, await signHead(await importSigningKey(keys.signingKey), head)),
    ).toBe(true)
  })

  it('open for each group, listed by ascending id with its tag', async () => {
    const groups = await newGroups(5)
    const { name, access, sealingKey } = await newSessionKeys(ID, groups)
    const ids = await Promise.all(groups.map(({ publicKey }) => groupIdOf(publicKey)))
    expect(access.map(({ id }) => id)).toEqual(ids.toSorted())
    for (const { privateKey, publicKey } of groups) {
      const sessionKey = await openSessionKey({ groupKey: privateKey, name, groups: access })
      expect(toHex(await publicKeyOf(fromHex(sessionKey)))).toBe(sealingKey)
      const id = await groupIdOf(publicKey)
      expect(access.find((group) => group.id === id)?.tag).toBe(await groupTag(publicKey, name))
    }
    expect(new Set(access.map(({ sealedKey }) => sealedKey.length))).toEqual(new Set([160]))
  })

  it('are sealed as the format says', async () => {
    const [group] = await newGroups(1)
    const { name, access, sealingKey } = await newSessionKeys(ID, [group!])
    const { id, sealedKey } = access[0]!
    const info = concat(utf8('holdfast/session-key/v2'), fromHex(name), fromHex(id.slice(2)))
    const sessionKey = await open({
      privateKey: fromHex(group!.privateKey),
      info,
      sealed: fromHex(sealedKey),
    })
    expect(toHex(await publicKeyOf(sessionKey))).toBe(sealingKey)
  })

  it('open by a library as by the platform', async () => {
    const [group] = await newGroups(1)
    const { name, access } = await newSessionKeys(ID, [group!], libraryX25519)
    const terms = { groupKey: group!.privateKey, name, groups: access }
    expect(await openSessionKey(terms)).toBe(await openSessionKey(terms, libraryX25519))
  })

  it('open for no other group, and under no other name', async () => {
    const [one, two] = await newGroups(2)
    const { name, access } = await newSessionKeys(ID, [one!])
    const other = await newSessionKeys(ID, [one!, two!])
    const terms = { groupKey: one!.privateKey, name, groups: access }
    await expect(openSessionKey({ ...terms, groupKey: two!.privateKey })).rejects.toThrow(badInput)
    await expect(openSessionKey({ ...terms, name: other.name })).rejects.toThrow(badInput)
    const swapped = other.access.map(({ id }, at) => ({ id, sealedKey: other.access.at(at - 1)!.sealedKey }))
    await expect(openSessionKey({ ...terms, name: other.name, groups: swapped })).rejects.toThrow(badInput)
  })

  it('are for groups that have a key', async () => {
    await expect(newSessionKeys(ID, [{ publicKey: '00'.repeat(32) }])).rejects.toThrow(badInput)
    await expect(newSessionKeys(ID, [{ publicKey: 'ff' }])).rejects.toThrow(badInput)
    expect((await newSessionKeys(ID, await newGroups(16))).access.length).toBe(16)
  })
})
