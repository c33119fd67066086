import { expect, it } from 'vitest'
import { importSigningKey, signHead, verifyHead, type Head } from '../../src/evidence/head.ts'
import { seal } from '../../src/evidence/hpke.ts'
import { keyPartOf } from '../../src/evidence/name.ts'
import { toHex } from '../../src/evidence/bytes.ts'
import type { SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import { reseedCrypto, useQuickCrypto } from '../../sw/testing/quick-crypto.ts'

// Not beside what it tests: that stays in the platform's place for as long as its process lives.

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
const pair = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
const pkcs8 = await crypto.subtle.exportKey('pkcs8', pair.privateKey)
const publicKey = toHex(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))).slice(2)
const hash = '1'.repeat(64) as Sha256Hex
const head: Head = {
  name: ('0'.repeat(32) + (await keyPartOf(publicKey))) as SessionName,
  size: 3,
  root: hash,
  page: hash,
  previous: null,
  groups: hash,
  end: false,
}
const bytes = (value: number) => new Uint8Array(32).fill(value)
const toSeal = {
  publicKey: bytes(9),
  info: bytes(1),
  aad: bytes(2),
  plaintext: bytes(3),
  ephemeralKey: bytes(4),
}

const signature = await signHead(await importSigningKey(pkcs8), head)
const sealed = await seal(toSeal)

it('makes and takes what the platform does', async () => {
  useQuickCrypto()
  expect(toHex(await seal(toSeal))).toBe(toHex(sealed))
  expect(await verifyHead(head, publicKey, signature)).toBe(true)
  expect(await verifyHead({ ...head, size: 4 }, publicKey, signature)).toBe(false)
  const quick = await signHead(await importSigningKey(pkcs8), head)
  expect(await verifyHead(head, publicKey, quick)).toBe(true)
  // A key of the platform stays the platform's.
  const byPlatform = await signHead(pair.privateKey, head)
  expect(await verifyHead(head, publicKey, byPlatform)).toBe(true)
})

it('signs a message twice in two ways, each of which the next history is given again', async () => {
  useQuickCrypto()
  const key = await importSigningKey(pkcs8)
  const twice = async () => {
    reseedCrypto(1)
    return [await signHead(key, head), await signHead(key, head)]
  }
  const [first = '', second = ''] = await twice()
  expect(first).not.toBe(second)
  for (const made of [first, second]) expect(await verifyHead(head, publicKey, made)).toBe(true)
  expect(await twice()).toEqual([first, second])
  expect(await signHead(key, { ...head, size: 4 })).not.toBe(first)
  expect(await verifyHead(head, publicKey, await signHead(key, { ...head, size: 4 }))).toBe(false)
})

it('gives the same random bytes for the same seed', () => {
  const drawn = (seed: number) => {
    reseedCrypto(seed)
    return toHex(crypto.getRandomValues(new Uint8Array(16)))
  }
  expect(drawn(1)).toBe(drawn(1))
  expect(drawn(1)).not.toBe(drawn(2))
})
