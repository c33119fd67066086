import { webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromBase64, fromHex, toBase64, toHex } from './bytes.ts'
import { chunkKey, importSessionKey, newIv, newSessionKey, unwrapSessionKey, wrapSessionKey } from './keys.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

const sessionKey = fromHex(vectors.sessionKeyHex)
const groupSecret = fromHex(vectors.groupSecretHex)
const { wrapped } = vectors
const badInput = expect.objectContaining({ code: 'bad-input' })

describe('chunk keys', () => {
  it.each(vectors.chunks.map(({ index, chunkKeyHex }) => ({ index, chunkKeyHex })))(
    'are the vector key for chunk $index: what it encrypts, the vector key opens',
    async ({ index, chunkKeyHex }) => {
      const iv = newIv()
      const derived = await chunkKey(await importSessionKey(sessionKey), index)
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, derived, sessionKey)
      const raw = fromHex(chunkKeyHex)
      const known = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
      expect(
        toHex(new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, known, sessionKey))),
      ).toBe(toHex(new Uint8Array(sealed)))
      // GCM's tag accepts no other key.
      await expect(crypto.subtle.decrypt({ name: 'AES-GCM', iv }, known, sealed)).resolves.toBeDefined()
    },
  )

  it.each(vectors.chunks.map(({ index, chunkKeyHex }) => ({ index, chunkKeyHex })))(
    'have the vector bytes by plain HKDF for chunk $index',
    async ({ index, chunkKeyHex }) => {
      const material = await webcrypto.subtle.importKey('raw', sessionKey, 'HKDF', false, ['deriveBits'])
      const info = Buffer.alloc(4)
      info.writeUInt32BE(index)
      const params = { name: 'HKDF', hash: 'SHA-256', salt: Buffer.from('witness-chunk'), info }
      expect(toHex(new Uint8Array(await webcrypto.subtle.deriveBits(params, material, 256)))).toBe(
        chunkKeyHex,
      )
    },
  )

  it('never give their bytes back, nor does the session key', async () => {
    const session = await importSessionKey(sessionKey)
    expect(session).toMatchObject({ extractable: false, usages: ['deriveKey'] })
    expect(await chunkKey(session, 0)).toMatchObject({ extractable: false })
  })

  it('exist for no index out of range', async () => {
    const session = await importSessionKey(sessionKey)
    await expect(chunkKey(session, 2 ** 32)).rejects.toThrow(badInput)
    await expect(chunkKey(session, -1)).rejects.toThrow(badInput)
  })
})

describe('wrapped session keys', () => {
  it('are the vector under the vector IV', async () => {
    expect(await wrapSessionKey(sessionKey, groupSecret, fromBase64(wrapped.iv))).toEqual(wrapped)
  })

  it('open to the session key', async () => {
    expect(toHex(await unwrapSessionKey(wrapped, groupSecret))).toBe(vectors.sessionKeyHex)
  })

  it('differ each time, and open all the same', async () => {
    const [one, two] = [
      await wrapSessionKey(sessionKey, groupSecret),
      await wrapSessionKey(sessionKey, groupSecret),
    ]
    expect(one).not.toEqual(two)
    expect(await unwrapSessionKey(two, groupSecret)).toEqual(sessionKey)
  })

  it('refuse another secret, an altered key and a wrapped value of another length', async () => {
    await expect(unwrapSessionKey(wrapped, newSessionKey())).rejects.toThrow(badInput)
    const altered = fromBase64(wrapped.wrappedKey).map((byte, at) => (at === 0 ? byte ^ 1 : byte))
    await expect(
      unwrapSessionKey({ ...wrapped, wrappedKey: toBase64(altered) }, groupSecret),
    ).rejects.toThrow(badInput)
    const key = await crypto.subtle.importKey('raw', groupSecret, 'AES-GCM', false, ['encrypt'])
    const short = await crypto.subtle.encrypt(
      { name: 'AES-GCM', iv: fromBase64(wrapped.iv) },
      key,
      new Uint8Array(16),
    )
    await expect(
      unwrapSessionKey({ iv: wrapped.iv, wrappedKey: toBase64(new Uint8Array(short)) }, groupSecret),
    ).rejects.toThrow('16 bytes instead of 32')
  })

  it('need 32 bytes on both sides', async () => {
    await expect(wrapSessionKey(new Uint8Array(16), groupSecret)).rejects.toThrow(badInput)
    await expect(wrapSessionKey(sessionKey, new Uint8Array(16))).rejects.toThrow(badInput)
    await expect(importSessionKey(new Uint8Array(31))).rejects.toThrow(badInput)
  })
})
