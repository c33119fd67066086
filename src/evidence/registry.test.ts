import fc from 'fast-check'
import { encodeFunctionData, encodeFunctionResult, getAddress, parseAbi, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import type { SessionId } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'
import { groupIdOf } from './group.ts'
import {
  decodeInGroup,
  decodeSessions,
  encodeInGroupCall,
  encodeSessionsCall,
  sessionIdToBytes32,
} from './registry.ts'
import vectors from './vectors/evidence.json' with { type: 'json' }

const abi = parseAbi([
  'function sessions(bytes32 sessionId) external view returns (address creator, bytes32 merkleRoot, string memory manifestCid, uint256 chunkCount, uint64 createdAt, uint64 updatedAt)',
  'function isContentInGroup(bytes32 sessionId, bytes32 groupId) external view returns (bool)',
])
const sessionId = vectors.sessionId as SessionId
const creator = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const badAnswer = expect.objectContaining({ code: 'bad-answer' })

type Result = readonly [`0x${string}`, Hex, string, bigint, bigint, bigint]
const answer = (...result: Result) =>
  encodeFunctionResult({ abi, functionName: 'sessions', result: [...result] })
const some = answer(getAddress(creator), `0x${vectors.merkleRoot}`, 'bafy', 9n, 1n, 2n)

/** The answer with the 32-byte word at this place replaced. */
const withWord = (at: number, word: bigint) =>
  `${some.slice(0, 2 + 64 * at)}${word.toString(16).padStart(64, '0')}${some.slice(2 + 64 * (at + 1))}`

describe('calls', () => {
  it('write the session id as the vectors do', () => {
    expect(sessionIdToBytes32(sessionId)).toBe(vectors.sessionIdBytes32)
  })

  it('are what viem encodes', () => {
    const id = sessionIdToBytes32(sessionId)
    const groupId = groupIdOf(fromHex(vectors.groupSecretHex))
    expect(encodeSessionsCall(sessionId)).toBe(
      encodeFunctionData({ abi, functionName: 'sessions', args: [id] }),
    )
    expect(encodeInGroupCall(sessionId, groupId)).toBe(
      encodeFunctionData({ abi, functionName: 'isContentInGroup', args: [id, groupId as Hex] }),
    )
  })
})

describe('decodeSessions', () => {
  it('reads any record that viem encodes', () => {
    const small = fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) })
    const word = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString('hex'))
    fc.assert(
      fc.property(
        word,
        fc.string({ unit: 'binary' }),
        small,
        small,
        small,
        (root, cid, count, created, updated) => {
          expect(decodeSessions(answer(creator, `0x${root}`, cid, count, created, updated))).toEqual({
            creator,
            merkleRoot: root,
            manifestCid: cid,
            chunkCount: Number(count),
            createdAtMs: 1_000 * Number(created),
            updatedAtMs: 1_000 * Number(updated),
          })
        },
      ),
    )
  })

  it('is undefined for a session that nobody registered', () => {
    const nobody = answer(`0x${'00'.repeat(20)}`, `0x${'00'.repeat(32)}`, '', 0n, 0n, 0n)
    expect(decodeSessions(nobody)).toBeUndefined()
  })

  it('reads upper-case hex', () => {
    expect(decodeSessions(`0x${some.slice(2).toUpperCase()}`)).toEqual(decodeSessions(some))
  })

  it.each([
    ['no contract at the address', '0x'],
    ['no 0x', some.slice(2)],
    ['a half word', some.slice(0, -2)],
    ['a digit that is none', `${some.slice(0, -1)}g`],
    ['the head alone', some.slice(0, 2 + 64 * 6)],
    ['one word', some.slice(0, 2 + 64)],
    ['a creator of 32 bytes', withWord(0, 2n ** 255n)],
    ['a string far outside', withWord(2, 2n ** 200n)],
    ['a string just outside', withWord(2, 32n * 8n)],
    ['a string longer than the answer', withWord(6, 33n)],
    ['a string of absurd length', withWord(6, 2n ** 255n)],
    ['a string that is not UTF-8', withWord(7, 0xffn << 248n)],
    ['a count beyond 2^53', withWord(3, 2n ** 53n)],
  ])('refuses an answer with %s', (_, hex) => {
    expect(() => decodeSessions(hex)).toThrow(badAnswer)
  })
})

describe('decodeInGroup', () => {
  it('reads what viem encodes, and nothing else', () => {
    for (const result of [true, false]) {
      expect(decodeInGroup(encodeFunctionResult({ abi, functionName: 'isContentInGroup', result }))).toBe(
        result,
      )
    }
    for (const hex of ['0x', '0x1', `0x${'0'.repeat(63)}2`, `0x${'0'.repeat(128)}`, some]) {
      expect(() => decodeInGroup(hex)).toThrow(badAnswer)
    }
  })
})
