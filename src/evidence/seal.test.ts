import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromBase64, fromHex, toHex } from './bytes.ts'
import { contentAddress } from './cid.ts'
import { sha256Hex } from './digest.ts'
import { importSessionKey } from './keys.ts'
import { encryptChunk, openChunk, sealChunk } from './seal.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

const badInput = expect.objectContaining({ code: 'bad-input' })
const sessionKey = await importSessionKey(fromHex(vectors.sessionKeyHex))

/** The `byteStream` of the vectors: SHA-256(label ‖ uint32be(k)) for k = 0, 1, 2, …, cut to size. */
function byteStream(label: string, sizeBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(sizeBytes)
  for (let k = 0; k * 32 < sizeBytes; k++) {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(k)
    const block = createHash('sha256').update(label).update(counter).digest()
    bytes.set(block.subarray(0, sizeBytes - k * 32), k * 32)
  }
  return bytes.buffer
}

describe('sealChunk', () => {
  it.each(vectors.chunks)(
    'makes the vector ciphertext of chunk $index ($plaintextSizeBytes bytes)',
    async (vector) => {
      const { index, iv } = vector
      const plaintext = byteStream(vector.plaintextLabel, vector.plaintextSizeBytes)
      const sealed = await sealChunk({ sessionKey, index, plaintext, iv: fromBase64(iv) })
      expect(sealed).toMatchObject({
        plaintextHash: vector.plaintextHash,
        encryptedHash: vector.encryptedHash,
        iv,
        cid: await contentAddress(sealed.ciphertext),
      })
      expect(sealed.ciphertext.byteLength).toBe(vector.encryptedSizeBytes)
      expect(toHex(new Uint8Array(sealed.ciphertext).slice(-32))).toBe(vector.encryptedTailHex)
      const opened = await openChunk({ sessionKey, index, ciphertext: sealed.ciphertext, iv })
      expect(await sha256Hex(opened)).toBe(vector.plaintextHash)
    },
  )

  it('takes a fresh IV each time, so sealing twice never repeats one under the same key', async () => {
    const plaintext = byteStream('twice', 100)
    const [one, two] = [
      await sealChunk({ sessionKey, index: 0, plaintext }),
      await sealChunk({ sessionKey, index: 0, plaintext }),
    ]
    expect(one.iv).not.toBe(two.iv)
    expect(one.encryptedHash).not.toBe(two.encryptedHash)
    expect(one.plaintextHash).toBe(two.plaintextHash)
  })
})

describe('openChunk', () => {
  it('refuses another index, another IV, and a flipped bit anywhere', async () => {
    const { ciphertext, iv } = await encryptChunk({ sessionKey, index: 3, plaintext: byteStream('open', 20) })
    await expect(openChunk({ sessionKey, index: 4, ciphertext, iv })).rejects.toThrow(badInput)
    await expect(openChunk({ sessionKey, index: 3, ciphertext, iv: 'AAAAAAAAAAAAAAAA' })).rejects.toThrow(
      badInput,
    )
    for (let at = 0; at < ciphertext.byteLength; at++) {
      const altered = new Uint8Array(ciphertext.slice(0))
      altered[at] = (altered[at] ?? 0) ^ 0x80
      await expect(openChunk({ sessionKey, index: 3, ciphertext: altered, iv })).rejects.toThrow(badInput)
    }
  })

  it('refuses an IV that is no Base64', async () => {
    await expect(
      openChunk({ sessionKey, index: 0, ciphertext: new Uint8Array(16), iv: '?' }),
    ).rejects.toThrow(badInput)
  })
})
