import { afterEach, describe, expect, it, vi } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import { libraryX25519 } from './x25519-library.ts'
import { x25519 } from './x25519-pick.ts'
import { newPrivateKey, platformX25519, publicKeyOf } from './x25519.ts'

// RFC 7748 §6.1
const ALICE = {
  publicKey: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
}
const BOB = {
  privateKey: fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
  publicKey: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
}
const SHARED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'

afterEach(() => vi.unstubAllGlobals())

describe.each([
  { by: 'the platform', function: platformX25519 },
  { by: 'the library', function: libraryX25519 },
])('X25519 by $by', ({ function: x25519 }) => {
  it('makes the public key and the secret of RFC 7748', async () => {
    expect(toHex(await publicKeyOf(BOB.privateKey, x25519))).toBe(BOB.publicKey)
    expect(toHex(await x25519(BOB.privateKey, fromHex(ALICE.publicKey)))).toBe(SHARED)
  })

  it('rejects a public key of low order', async () => {
    await expect(x25519(BOB.privateKey, new Uint8Array(32))).rejects.toThrow()
  })
})

it('is one function, by whichever', async () => {
  const [ours, theirs] = [newPrivateKey(), newPrivateKey()]
  const secret = await platformX25519(ours, await publicKeyOf(theirs, libraryX25519))
  expect(await libraryX25519(theirs, await publicKeyOf(ours, platformX25519))).toEqual(secret)
})

it('hands no private key to the platform that begins with 0, which WebKitGTK refuses, and means the same', async () => {
  const key = BOB.privateKey.with(0, 0)
  const imported = vi.spyOn(crypto.subtle, 'importKey')
  const publicKey = await publicKeyOf(key, platformX25519)
  const [, pkcs8] = imported.mock.calls[0]!
  imported.mockRestore()
  expect((pkcs8 as Uint8Array).at(-32)).not.toBe(0)
  expect(publicKey).toEqual(await publicKeyOf(key, libraryX25519))
})

describe('the choice', () => {
  it('is the platform, where it has it', async () => {
    expect(await x25519()).toBe(platformX25519)
  })

  it('is the library, where the platform has none', async () => {
    const importKey = () => Promise.reject(new DOMException('Unrecognized name', 'NotSupportedError'))
    vi.stubGlobal('crypto', {
      subtle: { importKey },
      getRandomValues: (array: Uint8Array<ArrayBuffer>) => array.fill(1),
    })
    expect(await x25519()).toBe(libraryX25519)
  })
})
