import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keccak256 } from 'viem'
import { isGroupId } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'
import { groupIdOf, newGroupSecret } from './group.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

describe('groupIdOf', () => {
  it('is the keccak256 that Ethereum computes', () => {
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(bytes, (secret) => {
        expect(groupIdOf(secret)).toBe(keccak256(secret))
        expect(isGroupId(groupIdOf(secret))).toBe(true)
      }),
      { examples: [[fromHex(vectors.groupSecretHex)], [new Uint8Array(32)], [new Uint8Array(32).fill(255)]] },
    )
  })

  it.each([0, 31, 33, 200])('refuses a secret of %d bytes', (length) => {
    expect(() => groupIdOf(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'bad-input' }))
  })

  it('has a fresh secret of 32 bytes for every group', () => {
    expect(newGroupSecret()).toHaveLength(32)
    expect(newGroupSecret()).not.toEqual(newGroupSecret())
  })
})
