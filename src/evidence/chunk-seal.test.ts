import { describe, expect, it } from 'vitest'
import type { SessionName } from '../protocol/ids.ts'
import { concat, fromHex, toHex, uint32be } from './bytes.ts'
import { openChunk, sealChunk } from './chunk-seal.ts'
import { sha256Hex } from './digest.ts'
import { open } from './hpke.ts'
import { libraryX25519 } from './x25519-library.ts'
import { newPrivateKey, publicKeyOf } from './x25519.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })
const name = 'ab'.repeat(32) as SessionName
const plaintext = new TextEncoder().encode('what was recorded').buffer

const privateKey = newPrivateKey()
const sessionKey = toHex(privateKey)
const sealingKey = toHex(await publicKeyOf(privateKey))
const toSeal = { sealingKey, name, index: 7, plaintext }

const flipped = (hex: string, at: number) => {
  const bytes = fromHex(hex)
  return toHex(bytes.with(at, bytes[at]! ^ 1))
}

describe('a sealed chunk', () => {
  it('is what the format says, step by step', async () => {
    const { ciphertext, iv, chunkKey, ...sealed } = await sealChunk(toSeal)
    const place = concat(fromHex(name), uint32be(7))
    const info = concat(new TextEncoder().encode('holdfast/chunk-key/v2'), place)
    const raw = await open({ privateKey, info, aad: place, sealed: fromHex(chunkKey) })
    expect(raw.length).toBe(32)
    const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
    const algorithm = { name: 'AES-GCM', iv: fromHex(iv), additionalData: place }
    expect(await crypto.subtle.decrypt(algorithm, key, ciphertext)).toEqual(plaintext)
    expect(ciphertext.byteLength).toBe(plaintext.byteLength + 16)
    expect(sealed).toEqual({
      plaintextHash: await sha256Hex(plaintext),
      encryptedHash: await sha256Hex(ciphertext),
    })
    expect([iv.length, chunkKey.length]).toEqual([24, 160])
  })

  it('opens at its place, by the library too', async () => {
    const sealed = await sealChunk(toSeal)
    const opens = { sessionKey, name, index: 7, ...sealed }
    expect(await openChunk(opens)).toEqual(plaintext)
    expect(await openChunk(opens, libraryX25519)).toEqual(plaintext)
  })

  it('has a key of its own each time', async () => {
    const [one, two] = [await sealChunk(toSeal), await sealChunk(toSeal)]
    expect(one.encryptedHash).not.toBe(two.encryptedHash)
    const mixed = { sessionKey, name, index: 7, ...one, chunkKey: two.chunkKey }
    await expect(openChunk(mixed)).rejects.toThrow(badInput)
  })

  it('opens for no other index, name or key, and with no bit changed', async () => {
    const sealed = await sealChunk(toSeal)
    const opens = { sessionKey, name, index: 7, ...sealed }
    const ciphertext = new Uint8Array(sealed.ciphertext)
    const others = [
      { ...opens, index: 8 },
      { ...opens, name: 'ac'.repeat(32) as SessionName },
      { ...opens, sessionKey: toHex(newPrivateKey()) },
      ...Array.from({ length: 12 }, (_, at) => ({ ...opens, iv: flipped(sealed.iv, at) })),
      ...Array.from({ length: 80 }, (_, at) => ({ ...opens, chunkKey: flipped(sealed.chunkKey, at) })),
      ...Array.from(ciphertext, (byte, at) => ({ ...opens, ciphertext: ciphertext.with(at, byte ^ 0x80) })),
      { ...opens, ciphertext: sealed.ciphertext.slice(1) },
    ]
    for (const other of others) await expect(openChunk(other)).rejects.toThrow(badInput)
  })

  it('is at no index out of range, and to no key that is none', async () => {
    await expect(sealChunk({ ...toSeal, index: 2 ** 32 })).rejects.toThrow(badInput)
    await expect(sealChunk({ ...toSeal, sealingKey: '00'.repeat(32) })).rejects.toThrow(badInput)
  })
})
