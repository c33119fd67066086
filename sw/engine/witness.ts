import { groupsDigest } from '../../src/evidence/head.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { HeadRecord, SessionRecord } from '../core/record.ts'
import { STANDING_MS, TAKEN_TO_TELL } from '../core/retry-policy.ts'
import { submitDueMs, type WitnessEvent } from '../core/witnessing.ts'
import type { WitnessedHead } from '../ports/anchor.ts'
import { asked } from './asked.ts'
import { change } from './change.ts'
import { noHead } from './listing.ts'
import type { AnchoredContext, WitnessStep } from './context.ts'
import { RECEIPT_LIMIT_MS } from './limits.ts'
import { atMost, limited } from './time-limit.ts'

/**
 * Looks what the chain holds of a session: concludes what it holds deep enough, or hands over the newest head where the
 * newest block lacks it. The chain is read before each hand-over: what it shows already is not sent again.
 */
export const witnessByChain: WitnessStep = (context, session, signal) =>
  limited(context.clock, 0, signal, (until) => look(context, session, until))

async function look(context: AnchoredContext, session: SessionRecord, signal: AbortSignal): Promise<void> {
  const { store, anchor, clock } = context
  const { id, name, witnessing, listed } = session
  const { blockNumber, latest, deep } = await asked(anchor.read(name, signal))
  const held = [latest, deep].flatMap((head) => head ?? [])
  const [newest, ...ours] = await store.read((tx) =>
    Promise.all([listed.tree, ...held].map(({ size }) => tx.head(id, size))),
  )
  if (!newest) throw noHead()
  // Readers keep what was anchored first, and show the rest apart: no bytes are let go on it.
  const strange = held.find((head, at) => !isHead(head, ours[at]))
  if (strange) throw new HoldfastError('forked', `The chain holds ${strange.size} other entries.`)

  const shown = latest?.size ?? 0
  if (deep && deep.size <= shown) {
    const isAll = deep.size === newest.size
    await conclude(context, session, deep, isAll, signal)
    if (isAll) return
  }

  const nowMs = clock.now()
  const isLast = !!session.logEnd && newest.size === session.size
  // What the chain shows was not taken in vain: the next head need not wait for another look.
  const inVain = shown < witnessing.submitted ? witnessing.taken : 0
  const dueMs = submitDueMs(
    { ...witnessing, taken: inVain },
    { size: newest.size, isLast },
    anchor.everyMs,
    nowMs,
  )
  const isDue = shown !== newest.size && dueMs <= nowMs
  const taken = isDue && (await submit(context, session, newest, inVain, signal))
  const { newest: block } = witnessing
  const isInVain = inVain >= TAKEN_TO_TELL
  const isStanding = block?.blockNumber === blockNumber && Math.abs(clock.now() - block.sinceMs) > STANDING_MS
  const isUnseen = isInVain || isStanding
  const lookMs = clock.now() + anchor.pollMs
  // Not after the next hand-over is due.
  const atMs = dueMs > nowMs ? Math.min(dueMs, lookMs) : lookMs
  if (taken || !isUnseen)
    await record(context, id, { type: 'look-again', atMs, shown, blockNumber, taken }, true)
  if (isUnseen)
    throw new HoldfastError(
      'anchor-unseen',
      isInVain ? `The relay took ${inVain} anchors in vain.` : `The chain stands at block ${blockNumber}.`,
    )
}

/** Whether the chain's head is this one, in all that it says. */
const isHead = (seen: WitnessedHead, ours: HeadRecord | undefined) =>
  seen.root === ours?.root && seen.page === ours.page && seen.end === ours.end

async function conclude(
  context: AnchoredContext,
  { id, name, anchored: before }: SessionRecord,
  head: WitnessedHead,
  isAll: boolean,
  signal: AbortSignal,
): Promise<void> {
  const isNews = head.size > (before?.size ?? 0)
  // What a node does not tell of it holds nothing up.
  const receipt =
    isNews &&
    (await atMost(
      context.clock,
      RECEIPT_LIMIT_MS,
      context.anchor.receipt(name, head, signal).catch(() => undefined),
    ))
  const { size, root, page, blockNumber, blockAtMs } = head
  const anchored = {
    size,
    root,
    page,
    blockNumber,
    blockAtMs,
    ...receipt,
    confirmedAtMs: context.clock.now(),
  }
  await change(context, id, { type: 'anchor-confirmed', anchored }, isAll && 'witness')
}

async function submit(
  context: AnchoredContext,
  { id, name, publicKey, access }: SessionRecord,
  head: HeadRecord,
  taken: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await record(context, id, { type: 'anchor-sent', size: head.size, taken }))) return false
  const { size, root, page, previous, end, signature } = head
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

/** @param answered chain and relay have: a chain that can be read says nothing of a relay that is to be asked */
const record = (context: AnchoredContext, id: SessionRecord['id'], event: WitnessEvent, answered = false) =>
  change(context, id, { type: 'witness', event }, answered && 'witness')
