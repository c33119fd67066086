import { describe, expect, it } from 'vitest'
import { keccak256 } from 'viem'
import { isGroupId } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'
import { groupIdOf, newGroupSecret } from './group.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

describe('groupIdOf', () => {
  it('is the keccak256 that Ethereum computes', () => {
    for (const secret of [fromHex(vectors.groupSecretHex), newGroupSecret()]) {
      expect(groupIdOf(secret)).toBe(keccak256(secret))
      expect(isGroupId(groupIdOf(secret))).toBe(true)
    }
  })

  it('has a fresh secret of 32 bytes for every group', () => {
    expect(newGroupSecret()).toHaveLength(32)
    expect(newGroupSecret()).not.toEqual(newGroupSecret())
  })
})
