import { expect, it } from 'vitest'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { concat, toHex, utf8 } from '../evidence/bytes.ts'
import { sha256 as platformSha256 } from '../evidence/digest.ts'
import { sha256 } from './sha256.ts'

it.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  // NIST, Secure Hash Standard, examples with one and two blocks
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
])('of “%s” is that of the standard', (text, digest) => {
  expect(toHex(sha256(utf8(text)))).toBe(digest)
})

it('is the platform’s of any length, in one part or in several', async () => {
  const random = randomFrom('sha256.test')
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from(random.bytes(length))
    const middle = length >> 1
    const digest = await platformSha256(bytes)
    expect(sha256(bytes)).toEqual(digest)
    expect(sha256(bytes.subarray(0, middle), bytes.subarray(middle))).toEqual(digest)
  }
  const large = concat(...Array.from({ length: 300 }, () => random.bytes(1_000)))
  expect(sha256(large)).toEqual(await platformSha256(large))
})
