import fc from 'fast-check'
import {
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  encodeFunctionResult,
  getAbiItem,
  parseAbi,
  type Hex,
} from 'viem'
import { describe, expect, it } from 'vitest'
import type { GroupId, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { encodeAnchorCall } from './anchor-call.ts'
import {
  ANCHORED,
  decodeAnchored,
  decodeCountOf,
  decodeSession,
  decodeTaken,
  decodeSessionsOf,
  encodeCountOfCall,
  encodeSessionsCall,
  encodeSessionsOfCall,
  topicOf,
  type AnchoredHead,
} from './registry.ts'

// As docs/evidence-format.md has it.
const abi = parseAbi([
  'struct Head { bytes32 name; uint64 size; bytes32 root; bytes32 page; bytes32 previous; bytes32 groups; bool end; }',
  'struct Group { bytes32 id; bytes32 tag; }',
  'struct Member { bytes32 name; bytes32 tag; }',
  'function anchor(Head head, bytes32[2] publicKey, bytes32[2] signature, Group[] groups)',
  'function sessions(bytes32 name) view returns (bytes32 root, bytes32 page, uint64 size, uint32 anchors, uint48 firstBlock, uint48 lastBlock, uint40 lastTime, bool ended)',
  'function countOf(bytes32 groupId) view returns (uint256)',
  'function sessionsOf(bytes32 groupId, uint256 from, uint256 count) view returns (Member[])',
  'event Anchored(bytes32 indexed name, uint64 size, bytes32 root, bytes32 page, bytes32 previous, bytes32 groups, bool end, bytes32[2] publicKey, bytes32[2] signature, uint32 anchors, uint48 previousBlock)',
])

const badAnswer = expect.objectContaining({ code: 'bad-answer' })
const ZERO = '0'.repeat(64)

const digest = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Sha256Hex)
const name = digest.map((hex) => hex as string as SessionName)
const id = digest.map((hex) => `0x${hex}` as GroupId)
const upTo = (max: number) => fc.integer({ min: 0, max })
const count = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const pair = fc.tuple(digest, digest).map((words) => words.join(''))
const headFields = {
  name,
  size: count,
  root: digest,
  page: digest,
  previous: fc.option(digest),
  groups: digest,
  end: fc.boolean(),
  publicKey: pair,
  signature: pair,
}
const head = fc.record(headFields)

const hex = (digits: string | null): Hex => `0x${digits ?? ZERO}`
const pairOf = (digits: string): readonly [Hex, Hex] => [hex(digits.slice(0, 64)), hex(digits.slice(64))]

/** The answer with the 32-byte word at this place replaced. */
const withWord = (answer: string, at: number, word: bigint) =>
  `${answer.slice(0, 2 + 64 * at)}${word.toString(16).padStart(64, '0')}${answer.slice(2 + 64 * (at + 1))}`

const session = (root: string, page: string, numbers: readonly number[], ended: boolean) => {
  const [size = 0, anchors = 0, firstBlock = 0, lastBlock = 0, lastTime = 0] = numbers
  return encodeFunctionResult({
    abi,
    functionName: 'sessions',
    result: [hex(root), hex(page), BigInt(size), anchors, firstBlock, lastBlock, lastTime, ended],
  })
}
const some = session('a'.repeat(64), 'b'.repeat(64), [9, 3, 100, 200, 1_700_000_000], true)

describe('calls', () => {
  it('are what viem encodes', () => {
    fc.assert(
      fc.property(name, id, count, count, (of, group, from, most) => {
        expect(encodeSessionsCall(of)).toBe(
          encodeFunctionData({ abi, functionName: 'sessions', args: [hex(of)] }),
        )
        expect(encodeCountOfCall(group)).toBe(
          encodeFunctionData({ abi, functionName: 'countOf', args: [group as Hex] }),
        )
        expect(encodeSessionsOfCall(group, from, most)).toBe(
          encodeFunctionData({
            abi,
            functionName: 'sessionsOf',
            args: [group as Hex, BigInt(from), BigInt(most)],
          }),
        )
      }),
    )
  })

  it('bring a head as viem encodes it, with its groups or without', () => {
    const groups = fc.array(fc.record({ id, tag: digest }), { maxLength: 4 })
    fc.assert(
      fc.property(head, groups, (given, members) => {
        const { publicKey, signature, size, end } = given
        const args = [
          {
            name: hex(given.name),
            size: BigInt(size),
            root: hex(given.root),
            page: hex(given.page),
            previous: hex(given.previous),
            groups: hex(given.groups),
            end,
          },
          pairOf(publicKey),
          pairOf(signature),
          members.map((member) => ({ id: member.id as Hex, tag: hex(member.tag) })),
        ] as const
        expect(encodeAnchorCall(given, members)).toBe(
          encodeFunctionData({ abi, functionName: 'anchor', args }),
        )
        if (members.length === 0)
          expect(encodeAnchorCall(given)).toBe(encodeFunctionData({ abi, functionName: 'anchor', args }))
      }),
    )
  })
})

describe('decodeSession', () => {
  it('reads any session that viem encodes', () => {
    const numbers = fc.tuple(
      count,
      upTo(2 ** 32 - 1),
      upTo(2 ** 48 - 1),
      upTo(2 ** 48 - 1),
      upTo(2 ** 40 - 1),
    )
    fc.assert(
      fc.property(digest, digest, numbers, fc.boolean(), (root, page, given, ended) => {
        const [size, anchors, firstBlock, lastBlock, lastTime] = given
        expect(decodeSession(session(root, page, given, ended))).toEqual({
          root,
          page,
          size,
          anchors,
          firstBlock,
          blockNumber: lastBlock,
          blockAtMs: 1_000 * lastTime,
          end: ended,
        })
      }),
    )
  })

  it('is undefined where there is no head', () => {
    expect(decodeSession(session(ZERO, ZERO, [], false))).toBeUndefined()
  })

  // Whoever has a session's key can anchor such a head: it must not make the session unreadable.
  it('rounds a size beyond 2^53, where no log is', () => {
    expect(decodeSession(withWord(some, 2, 2n ** 64n - 1n))?.size).toBe(2 ** 64)
  })

  it('reads upper-case hex', () => {
    expect(decodeSession(`0x${some.slice(2).toUpperCase()}`)).toEqual(decodeSession(some))
  })

  it.each([
    ['no contract at the address', '0x'],
    ['no 0x', some.slice(2)],
    ['a half word', some.slice(0, -2)],
    ['a digit that is none', `${some.slice(0, -1)}g`],
    ['a word too few', some.slice(0, -64)],
    ['a word too many', some + ZERO],
    ['one word', some.slice(0, 2 + 64)],
    ['a block beyond 2^53', withWord(some, 5, 2n ** 255n)],
    ['a time that no Date knows', withWord(some, 6, 2n ** 53n - 1n)],
    ['a time beyond the registry’s', withWord(some, 6, 2n ** 40n)],
  ])('refuses an answer with %s', (_, answer) => {
    expect(() => decodeSession(answer)).toThrow(badAnswer)
  })
})

describe('sessions of a group', () => {
  it('are read as viem encodes them', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name, tag: digest }), { maxLength: 5 }), (members) => {
        const result = members.map((member) => ({ name: hex(member.name), tag: hex(member.tag) }))
        expect(decodeSessionsOf(encodeFunctionResult({ abi, functionName: 'sessionsOf', result }))).toEqual(
          members,
        )
      }),
    )
  })

  const one = encodeFunctionResult({
    abi,
    functionName: 'sessionsOf',
    result: [{ name: hex(ZERO), tag: hex(ZERO) }],
  })
  it.each([
    ['nothing', '0x'],
    ['another offset', withWord(one, 0, 64n)],
    ['a length of more than there is', withWord(one, 1, 2n)],
    ['a length of less than there is', withWord(one, 1, 0n)],
    ['half a member', one.slice(0, -64)],
    ['an absurd length', withWord(one, 1, 2n ** 255n)],
  ])('are none in an answer with %s', (_, answer) => {
    expect(() => decodeSessionsOf(answer)).toThrow(badAnswer)
  })

  it('are counted', () => {
    fc.assert(
      fc.property(count, (many) => {
        const answer = encodeFunctionResult({ abi, functionName: 'countOf', result: BigInt(many) })
        expect(decodeCountOf(answer)).toBe(many)
      }),
    )
    for (const answer of ['0x', some, withWord(hex(ZERO), 0, 2n ** 53n)])
      expect(() => decodeCountOf(answer)).toThrow(badAnswer)
  })
})

describe('the event of a head', () => {
  const logOf = ({ name: of, anchors, previousBlock, ...given }: AnchoredHead) => ({
    topics: encodeEventTopics({ abi, eventName: 'Anchored', args: { name: hex(of) } }) as Hex[],
    data: encodeAbiParameters(
      getAbiItem({ abi, name: 'Anchored' }).inputs.slice(1) as never,
      [
        BigInt(given.size),
        hex(given.root),
        hex(given.page),
        hex(given.previous),
        hex(given.groups),
        given.end,
        pairOf(given.publicKey),
        pairOf(given.signature),
        anchors,
        previousBlock,
      ] as never,
    ),
  })
  const place = { anchors: upTo(2 ** 32 - 1), previousBlock: upTo(2 ** 48 - 1) }
  const anchored: fc.Arbitrary<AnchoredHead> = fc.record({ ...headFields, ...place })

  it('is read as viem encodes it', () => {
    fc.assert(
      fc.property(anchored, (given) => {
        const log = logOf(given)
        // A previous page of zeros is none.
        const expected = given.previous === ZERO ? { ...given, previous: null } : given
        expect(decodeAnchored(log)).toEqual(expected)
        expect(log.topics).toEqual([ANCHORED, topicOf(given.name)])
        const { size, root, page, groups, end, previousBlock } = given
        expect(decodeTaken(log.data)).toEqual({ size, root, page, groups, end, previousBlock })
      }),
    )
  })

  it('is none with another topic, or with words too few or too many', () => {
    const [given] = fc.sample(anchored, 1) as [AnchoredHead]
    const { topics, data } = logOf(given)
    for (const log of [
      { topics: [topics[1] ?? '', topics[1] ?? ''], data },
      { topics: topics.slice(0, 1), data },
      { topics: [...topics, hex(ZERO)], data },
      { topics: [ANCHORED, '0x'], data },
      { topics, data: data.slice(0, -64) },
      { topics, data: data + ZERO },
      { topics, data: '0x' },
    ])
      expect(() => decodeAnchored(log)).toThrow(badAnswer)
  })
})
