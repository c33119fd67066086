import { groupsDigest } from '../../src/evidence/head.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { newestOf } from '../../src/evidence/page-chain.ts'
import { rootOf } from '../../src/evidence/tree.ts'
import type { Sha256Hex } from '../../src/protocol/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import { STANDING_MS, TAKEN_TO_TELL } from '../core/retry-policy.ts'
import { standingAt, submitDueMs, type Looked, type WitnessEvent } from '../core/witnessing.ts'
import type { Receipt, WitnessedHead } from '../ports/anchor.ts'
import { asRead } from './read-error.ts'
import { change } from './change.ts'
import { headAt } from './listing.ts'
import type { AnchoredContext, WitnessStep } from './context.ts'
import { MAX_STEPS_BACK, RECEIPT_MS } from './limits.ts'
import { atMost } from './with-timeout.ts'

/**
 * Looks what the chain holds of a session: concludes what it holds deep enough, or hands over the newest head where the
 * newest block lacks it. The chain is read before each hand-over: what it shows already is not sent again.
 */
export const witnessByChain: WitnessStep = async (context, session, signal) => {
  const { store, anchor, clock } = context
  const { id, name, witnessing, anchored, trouble, tally, size, logEnd } = session
  const { tree, pages } = session.listed
  const { blockNumber, latest, deep } = await asRead(() => anchor.read(name, signal))
  const isLast = !!logEnd && tree.size === size
  // What the newest head says is known without it.
  const newest: Said = {
    size: tree.size,
    root: await rootOf(tree),
    page: newestOf(pages),
    end: isLast && logEnd === 'complete',
  }
  // And what the one that was anchored last says: it was not the last of its log.
  const before = anchored && anchored.size < tree.size ? { ...anchored, end: false } : newest
  // Readers keep what was anchored first, and show the rest apart: no bytes are let go on it.
  const expectOurs: ExpectOurs = async (head) => {
    const { size: at, groups } = head
    const ours =
      [newest, before].find((one) => one.size === at) ?? (await store.read((tx) => tx.head(id, at)))
    if (!isHead(head, ours) || (groups && groups !== (await groupsDigest(session.access))))
      throw new HoldfastError('forked', `The chain holds ${at} other entries.`)
  }
  for (const head of [latest, deep]) if (head) await expectOurs(head)

  const shown = latest?.size ?? 0
  const nowMs = clock.now()
  // What the chain shows was not taken in vain: the next head need not wait for another look.
  const inVain = shown < witnessing.submitted ? witnessing.taken + (witnessing.handing ? 1 : 0) : 0
  const dueMs = submitDueMs(
    { ...witnessing, taken: inVain },
    { size: newest.size, isLast },
    anchor.everyMs,
    nowMs,
  )
  const canBeHanded = () => shown !== newest.size && dueMs <= clock.now()
  if (deep && deep.size <= shown) {
    const isNews = deep.size > (anchored?.size ?? 0)
    // What was proved after its entry was listed waits for a look that hands nothing over.
    if (isNews || (!canBeHanded() && tally.anchoring > 0))
      await conclude(context, session, deep, isNews, expectOurs, signal)
    // Where that was known before, and chunks wait all the same, they wait for the next look.
    if (isNews && deep.size === newest.size) return
  }

  const block = standingAt(witnessing.newest, blockNumber)
  const isStanding = block && Math.abs(clock.now() - block.sinceMs) > STANDING_MS
  const unseen =
    inVain >= TAKEN_TO_TELL
      ? `The relay took ${inVain} anchors in vain.`
      : isStanding && `The chain stands at block ${blockNumber}.`
  // It may have become due while events were walked through: that spares the next head another look.
  const isDue = canBeHanded()
  // Not after the next hand-over is due.
  const atMs = Math.min(dueMs > nowMs ? dueMs : Infinity, clock.now() + anchor.pollMs)
  const looked = { atMs, shown, blockNumber, taken: inVain }
  if (isDue && !(await submit(context, session, looked, signal))) return
  // That a relay took a head as it should is known without a line of its own.
  const { failures, handing } = witnessing
  if (unseen ? isDue || handing : !isDue || trouble || failures > 0)
    await record(context, id, { ...looked, type: 'look-again', handed: isDue })
  if (unseen) throw new HoldfastError('anchor-unseen', unseen)
}

/** What the chain can say of a head; of its groups its event alone does. */
type Said = Pick<WitnessedHead, 'size' | 'root' | 'end'> & {
  readonly page?: Sha256Hex | undefined
  readonly groups?: Sha256Hex
}

/** @throws HoldfastError `forked`, where the session has signed no such head */
type ExpectOurs = (head: Said) => Promise<void>

/** Whether the chain's head is this one, in all that it says. */
const isHead = (seen: Said, ours: Said | undefined) =>
  seen.root === ours?.root && seen.page === ours.page && seen.end === ours.end

async function conclude(
  context: AnchoredContext,
  { id, name, anchored: before }: SessionRecord,
  head: WitnessedHead,
  isNews: boolean,
  expectOurs: ExpectOurs,
  signal: AbortSignal,
): Promise<void> {
  const { anchor, clock } = context
  const { size, root, page, blockNumber, blockAtMs } = head
  let receipt: Receipt | undefined
  // Readers walk through all that the chain took: what came before this head is to be ours too.
  const walk = async () => {
    // What was kept without its transaction was not walked to.
    const from = before?.transactionHash ? before.blockNumber! + 1 : head.firstBlock
    let to = blockNumber
    let steps = 0
    do {
      const events = await (async () => anchor.events(name, from, to, signal))()
        // Some nodes tell of a few blocks at a time.
        .catch(() => anchor.events(name, to, to, signal))
        .catch(() => [])
      for (const event of events) {
        await expectOurs(event)
        if (event.size === size) receipt = event.receipt
      }
      to = events[0]?.previousBlock ?? 0
    } while (to >= from && ++steps < MAX_STEPS_BACK)
  }
  // What a node does not tell, or not soon, holds nothing up: neither these bytes nor the next head.
  if (isNews) await atMost(clock, RECEIPT_MS, walk())
  // Who was stopped was told nothing.
  if (signal.aborted) return
  const anchored = { size, root, page, blockNumber, blockAtMs, ...receipt, confirmedAtMs: clock.now() }
  await change(context, id, { type: 'anchor-confirmed', anchored })
}

async function submit(
  context: AnchoredContext,
  session: SessionRecord,
  looked: Looked,
  signal: AbortSignal,
): Promise<boolean> {
  const { id, name, publicKey, access } = session
  // With what was listed while the chain was asked: on a slow link that takes a second or two.
  const { listed = session.listed } = context.known.get(id) ?? session
  const head = await headAt(context, id, listed.tree.size)
  const { size, root, page, previous, end, signature } = head
  if (!(await record(context, id, { ...looked, type: 'anchor-sent', size }))) return false
  const groups = await groupsDigest(access)
  await context.anchor.submit(
    {
      head: { name, size, root, page, previous, groups, end, publicKey, signature },
      groups: access.map(({ id: group, tag }) => ({ id: group, tag })),
    },
    signal,
  )
  return true
}

const record = (context: AnchoredContext, id: SessionRecord['id'], event: WitnessEvent) =>
  change(context, id, { type: 'witness', event })
