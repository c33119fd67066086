import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import { open, seal } from './hpke.ts'
import { libraryX25519 } from './x25519-library.ts'
import { newPrivateKey, platformX25519, publicKeyOf } from './x25519.ts'
import vectors from './vectors/hpke.json' with { type: 'json' }

const badInput = expect.objectContaining({ code: 'bad-input' })
const bytes = fc.uint8Array({ maxLength: 100 }).map((some) => new Uint8Array(some))

describe.each([
  { by: 'the platform', x25519: platformX25519 },
  { by: 'the library', x25519: libraryX25519 },
])('HPKE by $by', ({ x25519 }) => {
  const terms = { info: fromHex(vectors.info), aad: fromHex(vectors.aad) }

  it('seals the vector', async () => {
    const toSeal = {
      ...terms,
      publicKey: fromHex(vectors.pkRm),
      plaintext: fromHex(vectors.pt),
      ephemeralKey: fromHex(vectors.skEm),
    }
    expect(toHex(await seal(toSeal, x25519))).toBe(vectors.enc + vectors.ct)
  })

  it('opens the vector', async () => {
    const toOpen = { ...terms, privateKey: fromHex(vectors.skRm), sealed: fromHex(vectors.enc + vectors.ct) }
    expect(toHex(await open(toOpen, x25519))).toBe(vectors.pt)
  })

  it('opens what it sealed, which is never the same twice', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (plaintext, info, aad) => {
        const privateKey = newPrivateKey()
        const publicKey = await publicKeyOf(privateKey, x25519)
        const sealed = await seal({ publicKey, info, aad, plaintext }, x25519)
        expect(sealed.length).toBe(plaintext.length + 48)
        expect(await open({ privateKey, info, aad, sealed }, x25519)).toEqual(plaintext)
        expect(await seal({ publicKey, info, aad, plaintext }, x25519)).not.toEqual(sealed)
      }),
      { numRuns: 10 },
    )
  })

  it('opens for no other key, under no other terms, and with no bit changed', async () => {
    const privateKey = newPrivateKey()
    const publicKey = await publicKeyOf(privateKey, x25519)
    const sealed = await seal({ ...terms, publicKey, plaintext: fromHex('abcdef') }, x25519)
    const opens = { ...terms, privateKey, sealed }
    const others = [
      { ...opens, privateKey: newPrivateKey() },
      { ...opens, info: terms.aad },
      { ...opens, aad: terms.info },
      { ...opens, sealed: sealed.slice(0, -1) },
      { ...opens, sealed: sealed.slice(0, 31) },
      { ...opens, sealed: new Uint8Array() },
      ...Array.from(sealed, (byte, at) => ({ ...opens, sealed: sealed.with(at, byte ^ 1) })),
    ]
    for (const other of others) await expect(open(other, x25519)).rejects.toThrow(badInput)
    expect(toHex(await open(opens, x25519))).toBe('abcdef')
  })

  it('seals to no public key of low order', async () => {
    const toSeal = { ...terms, publicKey: new Uint8Array(32), plaintext: new Uint8Array() }
    await expect(seal(toSeal, x25519)).rejects.toThrow(badInput)
  })
})
