import type { Cid, GroupId, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest } from '../ports/anchor.ts'
import { rejection, rejectsWith, same } from './assert.ts'

// Promise 3 of docs/guarantees.md.

/**
 * What is wrong with the chain as it is read, or with the relay:
 * - `no-registry`: the chain is another one, or has no contract at that address
 * - `read-refused`: a read is answered with a 4xx that is no 429
 * - `relay-refuses`: the relay answers 422
 * - `relay-fails`: it answers 200, and says in the body that it has no funds
 */
export type AnchorFault = 'no-registry' | 'read-refused' | 'relay-refuses' | 'relay-fails'

/** A chain that holds nothing yet, with its relay, and an anchor to it. */
export interface AnchorHarness {
  /** An anchor as a new worker has it. */
  anchor(): Anchor
  /** The address that the relay signs with. */
  readonly signer: string
  /** The newest block holds this. */
  mine(request: AnchorRequest): Promise<void>
  /** So many blocks come that what the newest held is deep. */
  deepen(): Promise<void>
  fault(fault: AnchorFault): Promise<void>
  /** Keys of what the relay was handed, in order. */
  handedOver(): readonly (string | undefined)[]
}

export interface AnchorCase {
  readonly title: string
  run(harness: AnchorHarness): Promise<void>
}

const SESSION = '00000000-0000-4000-8000-000000000001' as SessionId

const request = (chunkCount: number): AnchorRequest => ({
  sessionId: SESSION,
  merkleRoot: String(chunkCount).repeat(64) as Sha256Hex,
  manifestCid: `b${String(chunkCount + 1).repeat(58)}` as Cid,
  chunkCount,
  groupIds: [`0x${'1'.repeat(64)}` as GroupId],
})

const calm = () => new AbortController().signal

/** The record as anchors tell it; an address may come in either case. */
const seen = ({ anchor, signer }: AnchorHarness) =>
  anchor()
    .read(SESSION, calm())
    .then(({ latest, deep }) =>
      [latest, deep].map(
        (record) =>
          record && [
            record.creator.toLowerCase() === signer.toLowerCase(),
            record.merkleRoot,
            record.manifestCid,
            record.chunkCount,
          ],
      ),
    )

const shown = ({ merkleRoot, manifestCid, chunkCount }: AnchorRequest) => [
  true,
  merkleRoot,
  manifestCid,
  chunkCount,
]

async function classOf(work: Promise<unknown>): Promise<unknown> {
  const error = await rejection(work, 'a read that failed')
  return typeof error === 'object' && error !== null && 'class' in error ? error.class : String(error)
}

/** What every anchor must do; each case gets a harness of its own. */
export const ANCHOR_CONTRACT: readonly AnchorCase[] = [
  {
    title: 'finds nothing of a session that nobody has registered',
    run: async (harness) => same(await seen(harness), [undefined, undefined], 'newest and deep'),
  },
  {
    title: 'tells what only the newest block holds from what is deep, and who signed it',
    async run(harness) {
      await harness.mine(request(3))
      same(await seen(harness), [shown(request(3)), undefined], 'in the newest block')
      await harness.deepen()
      same(await seen(harness), [shown(request(3)), shown(request(3))], 'deep')
      await harness.mine(request(4))
      same(await seen(harness), [shown(request(4)), shown(request(3))], 'replaced in the newest block')
    },
  },
  {
    title: 'names the address that the relay signs with',
    run: async ({ anchor, signer }) => same(await anchor().uploader(calm()), signer, 'uploader'),
  },
  {
    title: 'takes a chain without the registry for the wrong one, not for an empty one',
    async run({ anchor, fault }) {
      await fault('no-registry')
      await rejectsWith('wrong-chain', anchor().read(SESSION, calm()), 'read')
    },
  },
  {
    title: 'takes a read that is refused for one that failed, which time heals',
    async run({ anchor, fault }) {
      await fault('read-refused')
      same(await classOf(anchor().read(SESSION, calm())), 'transient', 'class')
    },
  },
  {
    title: 'hands the same anchor over under the same key, and another under another',
    async run({ anchor, handedOver }) {
      for (const count of [3, 3, 4]) await anchor().submit(request(count), calm())
      const [first, second, third] = handedOver()
      same(typeof first, 'string', 'the key')
      same(second, first, 'the key of a repetition')
      same(third === first, false, 'another anchor has the same key')
    },
  },
  {
    title: 'believes no relay: what it took is not on the chain by that',
    async run(harness) {
      await harness.anchor().submit(request(3), calm())
      same(await seen(harness), [undefined, undefined], 'newest and deep')
    },
  },
  {
    title: 'tells of a refusal, and of a failure under status 200, in the words of the relay',
    async run({ anchor, fault }) {
      await fault('relay-refuses')
      await rejectsWith('anchor-rejected', anchor().submit(request(3), calm()), 'a refusal')
      await fault('relay-fails')
      const error = await rejection(anchor().submit(request(3), calm()), 'a failure')
      same(/funds/.test(String(error)), true, `words of the relay in ${String(error)}`)
      await rejectsWith('anchor-rejected', anchor().uploader(calm()), 'a failure, asked for the address')
    },
  },
  {
    title: 'stops when it is told to',
    run: ({ anchor }) => rejectsWith('aborted', anchor().read(SESSION, AbortSignal.abort()), 'read'),
  },
]
