import { classOf, type WireError } from '../protocol/errors.ts'
import type { PolicyView, SessionSnapshot } from '../protocol/snapshot.ts'
import { formatClock, formatWait } from './format.ts'
import { texts } from './texts.ts'

/** How far a recording is: being made, on this device at least in part, elsewhere, proved. */
export const STAGES = ['recording', 'local', 'proof', 'done'] as const
/** Whether anything may leave the device now. */
export const LEAVES = ['free', 'wifi', 'off'] as const
/** Why it does not go on although it may: a connection, a time, a person. */
export const HOLDS = ['none', 'network', 'later', 'you'] as const

/** All of a session's state that its words depend on. */
export interface Situation {
  readonly stage: (typeof STAGES)[number]
  readonly leaves: (typeof LEAVES)[number]
  readonly hold: (typeof HOLDS)[number]
  readonly paused: boolean
}

/** What a session waits for; `none` while it goes on by itself. */
export type Why = 'none' | 'wifi' | 'off' | 'network' | 'later' | 'you' | 'paused' | 'paused-and-off'

/** A headline: what it waits for or, where it does not, how far it is. */
export type Headline = Situation['stage'] | Exclude<Why, 'none' | 'paused-and-off'>

/**
 * The one table of session × policy × circuit × pause: whatever stops everything comes before what stops one session,
 * and a person's own choice before what waits for a person.
 */
export function headlineOf({ stage, leaves, hold, paused }: Situation): { headline: Headline; why: Why } {
  if (stage === 'done') return { headline: stage, why: 'none' }
  const why = whyOf(leaves, hold, paused)
  if (stage === 'recording' || why === 'none') return { headline: stage, why }
  return { headline: why === 'paused-and-off' ? 'paused' : why, why }
}

function whyOf(leaves: Situation['leaves'], hold: Situation['hold'], paused: boolean): Why {
  if (paused) return leaves === 'free' ? 'paused' : 'paused-and-off'
  return leaves === 'free' ? hold : leaves
}

export function situationOf(session: SessionSnapshot, policy: PolicyView): Situation {
  return {
    stage: stageOf(session),
    leaves: leavesBy(policy),
    hold: holdOf(session),
    paused: session.paused,
  }
}

export function leavesBy({ policy, metered }: PolicyView): Situation['leaves'] {
  if (policy === 'paused') return 'off'
  return policy === 'unmetered' && metered ? 'wifi' : 'free'
}

function stageOf({ upload, ending }: SessionSnapshot): Situation['stage'] {
  if (upload === 'confirmed') return 'done'
  if (ending === 'recording') return 'recording'
  return upload === 'uploading' ? 'local' : 'proof'
}

/** What only a person can mend is parked: waiting does not help. */
function holdOf({ parked, lastError, retryAtMs }: SessionSnapshot): Situation['hold'] {
  const kind = lastError && classOf(lastError.code)
  if (parked > 0 || kind === 'blocked' || kind === 'refused' || kind === 'defect') return 'you'
  if (lastError?.code === 'unreachable') return 'network'
  return lastError || retryAtMs !== undefined ? 'later' : 'none'
}

/** How much of a recording is safe elsewhere, in seconds; in pieces where their length is not known. */
export function safeWords(session: SessionSnapshot): string {
  const { totalMs, storedMs } = session.progress
  const { safe } = texts
  const { toUpload, total } = tally(session)
  if (total === 0) return safe.nothing
  if (totalMs === 0) return safe.pieces(total - toUpload, total)
  const [stored, all] = [formatClock(storedMs), formatClock(totalMs)]
  if (toUpload === 0) return safe.all(all)
  return storedMs === 0 ? safe.none(all) : safe.some(stored, all)
}

/** How far a session's chunks are. `toUpload` are on this device only. */
export function tally({ chunks }: Pick<SessionSnapshot, 'chunks'>) {
  const toUpload = chunks.captured + chunks.hashing + chunks.encrypting + chunks.uploading
  const stored = chunks.uploaded + chunks.manifesting + chunks.anchoring
  return { toUpload, stored, confirmed: chunks.confirmed, total: toUpload + stored + chunks.confirmed }
}

/** True when nothing is left to do: the chain holds all of it. */
export const isConfirmed = ({ upload }: SessionSnapshot) => upload === 'confirmed'

/** True when only a person can get this session going again. */
export const needsResume = (session: SessionSnapshot) =>
  !isConfirmed(session) && (session.paused || holdOf(session) === 'you')

/** True where Resume does something now: while nothing may leave, it gets going only what was paused. */
export const canResume = (session: SessionSnapshot, policy: PolicyView) =>
  needsResume(session) && (session.paused || leavesBy(policy) === 'free')

/**
 * What a session still needs, in words: how much of it is safe, and what it waits for.
 *
 * @param nowMs ms since the epoch, for "next try in"
 */
export function needsWords(session: SessionSnapshot, policy: PolicyView, nowMs: number = Date.now()): string {
  const situation = situationOf(session, policy)
  if (situation.stage === 'done') return safeWords(session)
  const { why } = headlineOf(situation)
  const proof = situation.stage === 'proof' ? texts.safe.unproved : ''
  return [safeWords(session), proof, ...whyWords(session, why, nowMs)].filter(Boolean).join(' ')
}

/** What a failure is, and what helps; a newer worker may have a code that this page does not know. */
export const errorWords = ({ code }: WireError) => texts.errors[code] ?? texts.errors.defect

function whyWords({ lastError, retryAtMs }: SessionSnapshot, why: Why, nowMs: number): readonly string[] {
  const [what = '', next = ''] = lastError ? errorWords(lastError) : []
  const isLater = retryAtMs !== undefined && retryAtMs > nowMs
  const nextTry = isLater ? texts.why.nextTry(formatWait(retryAtMs - nowMs)) : ''
  switch (why) {
    case 'none':
      return []
    case 'paused-and-off':
      return [texts.why.pausedToo, texts.why.off]
    case 'paused':
    case 'wifi':
    case 'off':
      return [texts.why[why]]
    case 'you':
      return lastError ? [what, next] : [texts.why.you]
    case 'network':
    case 'later':
      return [what, nextTry || next]
  }
}
