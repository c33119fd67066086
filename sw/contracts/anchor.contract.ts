import type { Anchor, AnchorRequest, WitnessedHead } from '../ports/anchor.ts'
import { rejection, rejectsWith, same } from './assert.ts'
import { signedSession } from './signed-session.ts'

// Promise 3 of docs/guarantees.md.

/**
 * What is wrong with the chain as it is read, or with the relay:
 * - `no-registry`: the chain has no contract at that address
 * - `read-refused`: a read is answered with a 4xx that is no 429
 * - `relay-refuses`: the relay answers 422
 * - `relay-fails`: it answers 200, and says in the body that it has no funds
 * - `relay-lies`: it answers 200 as if it had sent a transaction, and has not
 */
export type AnchorFault = 'no-registry' | 'read-refused' | 'relay-refuses' | 'relay-fails' | 'relay-lies'

/** A chain with its relay, and an anchor to it. */
export interface AnchorHarness {
  /** An anchor as a new worker has it. */
  anchor(): Anchor
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

const neverAborted = () => new AbortController().signal

type Seen = readonly [size: number, root: string, page: string, ended: boolean] | undefined

const told = (head: Omit<WitnessedHead, 'blockNumber' | 'blockAtMs' | 'firstBlock'> | undefined): Seen =>
  head && [head.size, head.root, head.page, head.end]

const seen = async ({ anchor }: AnchorHarness, { head }: AnchorRequest): Promise<readonly Seen[]> => {
  const { latest, deep } = await anchor().read(head.name, neverAborted())
  return [told(latest), told(deep)]
}

const shown = ({ head }: AnchorRequest): Seen => [head.size, head.root, head.page, head.end]

async function classOf(work: Promise<unknown>): Promise<unknown> {
  const error = await rejection(work, 'a read that failed')
  return typeof error === 'object' && error !== null && 'class' in error ? error.class : String(error)
}

/** What every anchor must do; each case has a session of its own. */
export const ANCHOR_CONTRACT: readonly AnchorCase[] = [
  {
    title: 'finds nothing of a session of which nobody has brought a head',
    run: async (harness) =>
      same(
        await seen(harness, await (await signedSession()).request(1)),
        [undefined, undefined],
        'newest and deep',
      ),
  },
  {
    title: 'tells what only the newest block holds from what is deep, and that the session has ended',
    async run(harness) {
      const session = await signedSession()
      const [three, four] = [await session.request(3), await session.request(4, { end: true })]
      await harness.mine(three)
      same(await seen(harness, three), [shown(three), undefined], 'in the newest block')
      await harness.deepen()
      same(await seen(harness, three), [shown(three), shown(three)], 'deep')
      await harness.mine(four)
      same(await seen(harness, three), [shown(four), shown(three)], 'replaced in the newest block')
    },
  },
  {
    title: 'tells of each head that it took, oldest first, and of the transactions that brought them',
    async run(harness) {
      const session = await signedSession()
      const [three, four] = [await session.request(3), await session.request(4, { end: true })]
      const anchor = harness.anchor()
      const newest = async () => {
        const { latest } = await anchor.read(three.head.name, neverAborted())
        if (latest === undefined) throw new Error('Nothing in the newest block')
        return latest
      }
      await harness.mine(three)
      const { blockNumber: first, firstBlock } = await newest()
      same(firstBlock, first, 'the block of the first head')
      await harness.mine(four)
      const { blockNumber: last, firstBlock: still } = await newest()
      same(still, first, 'the block of the first head, after another')
      const events = async (from: number, to: number) =>
        anchor.events(three.head.name, from, to, neverAborted())
      const all = await events(first, last)
      same(all.map(told), [shown(three), shown(four)], 'what the events say')
      same(
        all.map(({ groups }) => groups),
        [three.head.groups, four.head.groups],
        'of which groups',
      )
      same(
        all.map(({ previousBlock }) => previousBlock),
        [0, first],
        'the blocks of those before',
      )
      for (const { receipt } of all)
        for (const hash of [receipt.transactionHash, receipt.blockHash])
          same(/^0x[0-9a-f]{64}$/.test(hash), true, `a hash: ${hash}`)
      same(await events(last, last), all.slice(1), 'those of the last block')
      await harness.deepen()
      same(await events(last + 1, last + 1), [], 'those of a block without any')
    },
  },
  {
    title: 'takes a chain without the registry for the wrong one, not for an empty one',
    async run({ anchor, fault }) {
      const { name } = await signedSession()
      await fault('no-registry')
      await rejectsWith('wrong-chain', anchor().read(name, neverAborted()), 'read')
    },
  },
  {
    title: 'takes a read that is refused for one that failed, which time heals',
    async run({ anchor, fault }) {
      const { name } = await signedSession()
      await fault('read-refused')
      same(await classOf(anchor().read(name, neverAborted())), 'transient', 'class')
    },
  },
  {
    title: 'hands the same head over under the same key, and another under another',
    async run({ anchor, handedOver }) {
      const session = await signedSession()
      const [three, four] = [await session.request(3), await session.request(4)]
      for (const request of [three, await session.request(3), four])
        await anchor().submit(request, neverAborted())
      const [first, second, third] = handedOver()
      same(typeof first, 'string', 'the key')
      same(second, first, 'the key of a repetition')
      same(third === first, false, 'another head has the same key')
    },
  },
  {
    title: 'believes no relay: what it took is not on the chain by that',
    async run(harness) {
      const request = await (await signedSession()).request(3)
      await harness.fault('relay-lies')
      await harness.anchor().submit(request, neverAborted())
      await harness.deepen()
      same(await seen(harness, request), [undefined, undefined], 'newest and deep')
    },
  },
  {
    title: 'tells of a refusal, and of a failure under status 200, in the words of the relay',
    async run({ anchor, fault }) {
      const request = await (await signedSession()).request(3)
      await fault('relay-refuses')
      await rejectsWith('anchor-rejected', anchor().submit(request, neverAborted()), 'a refusal')
      await fault('relay-fails')
      const error = await rejection(anchor().submit(request, neverAborted()), 'a failure')
      same(/funds/.test(String(error)), true, `words of the relay in ${String(error)}`)
    },
  },
  {
    title: 'stops when it is told to',
    async run({ anchor }) {
      const request = await (await signedSession()).request(3)
      await rejectsWith('aborted', anchor().read(request.head.name, AbortSignal.abort()), 'read')
      await rejectsWith('aborted', anchor().submit(request, AbortSignal.abort()), 'submit')
    },
  },
]
