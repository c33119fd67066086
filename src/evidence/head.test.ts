import { describe, expect, it } from 'vitest'
import type { GroupId, SessionId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { fromHex, toHex } from './bytes.ts'
import { sha256Hex } from './digest.ts'
import { groupsDigest, serialiseHead, signHead, verifyHead, type Head } from './head.ts'
import { sessionName } from './name.ts'

const ID = '01234567-89ab-4cde-8f01-23456789abcd' as SessionId

async function newSigner(id = ID) {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ])
  const point = await crypto.subtle.exportKey('raw', pair.publicKey)
  const publicKey = toHex(new Uint8Array(point)).slice(2)
  return { key: pair.privateKey, publicKey, name: await sessionName(id, publicKey) }
}

const hash = (byte: string) => byte.repeat(32) as Sha256Hex
const headOf = (name: SessionName): Head => ({
  name,
  size: 7,
  root: hash('11'),
  page: hash('22'),
  previous: hash('33'),
  groups: hash('44'),
  end: true,
})

describe('a name', () => {
  it('is the id, then half of the hash of the key', async () => {
    const { name, publicKey } = await newSigner()
    expect(name).toBe(`0123456789ab4cde8f0123456789abcd${(await sha256Hex(fromHex(publicKey))).slice(0, 32)}`)
  })
})

describe('a head', () => {
  it('has the 185 bytes of the format', () => {
    const head = headOf(hash('ab') as string as SessionName)
    const label = Buffer.from('holdfast/head/v2').toString('hex')
    const fixed = `${label}${hash('ab')}${'0000000000000007'}${hash('11')}${hash('22')}`
    expect(toHex(serialiseHead(head))).toBe(`${fixed}${hash('33')}${hash('44')}01`)
    expect(toHex(serialiseHead({ ...head, previous: null, end: false }))).toBe(
      `${fixed}${hash('00')}${hash('44')}00`,
    )
    expect(serialiseHead(head).length).toBe(185)
  })

  it('holds with the signature of its session', async () => {
    const { key, publicKey, name } = await newSigner()
    const signature = await signHead(key, headOf(name))
    expect(signature).toMatch(/^[0-9a-f]{128}$/)
    expect(await verifyHead(headOf(name), publicKey, signature)).toBe(true)
  })

  it.each([2 ** 32, 2 ** 53 - 1, 2 ** 53, -1, 0.5])('of %d entries is signed for nobody', async (size) => {
    const { key, name } = await newSigner()
    expect(await signHead(key, { ...headOf(name), size: 2 ** 32 - 1 })).toMatch(/^[0-9a-f]{128}$/)
    await expect(signHead(key, { ...headOf(name), size })).rejects.toMatchObject({ code: 'bad-input' })
  })

  it('does not hold with one bit or one field changed', async () => {
    const { key, publicKey, name } = await newSigner()
    const head = headOf(name)
    const signature = await signHead(key, head)
    const others: Partial<Head>[] = [
      { size: 8 },
      { root: hash('12') },
      { page: hash('12') },
      { previous: null },
      { groups: hash('12') },
      { end: false },
    ]
    for (const other of others)
      expect(await verifyHead({ ...head, ...other }, publicKey, signature)).toBe(false)
    for (let at = 0; at < 64; at++) {
      const altered = fromHex(signature)
      altered[at]! ^= 1
      expect(await verifyHead(head, publicKey, toHex(altered))).toBe(false)
    }
    expect(await verifyHead(head, publicKey, '')).toBe(false)
  })

  it('of another name does not hold, though its key signed it', async () => {
    const [mine, theirs] = [await newSigner(), await newSigner()]
    const head = headOf(theirs.name)
    expect(await verifyHead(head, mine.publicKey, await signHead(mine.key, head))).toBe(false)
    const elsewhere = headOf(await sessionName(ID.replace('0', '1') as SessionId, mine.publicKey))
    expect(await verifyHead(elsewhere, mine.publicKey, await signHead(mine.key, headOf(mine.name)))).toBe(
      false,
    )
  })

  it('does not hold with a key that is no point of the curve', async () => {
    const publicKey = 'ff'.repeat(64)
    expect(await verifyHead(headOf(await sessionName(ID, publicKey)), publicKey, '11'.repeat(64))).toBe(false)
  })
})

describe('groupsDigest', () => {
  it('binds ids and tags in their order', async () => {
    const groups = ['aa', 'bb'].map((byte) => ({
      id: `0x${hash(byte)}` as GroupId,
      tag: hash(`${byte[0]}0`),
    }))
    expect(await groupsDigest(groups)).toBe(
      await sha256Hex(fromHex(hash('aa') + hash('a0') + hash('bb') + hash('b0'))),
    )
    expect(await groupsDigest(groups.toReversed())).not.toBe(await groupsDigest(groups))
  })
})
