import type { WireError } from '../../src/protocol/errors.ts'
import type { ChunkStatus } from '../../src/protocol/snapshot.ts'
import type { ChunkRecord, ChunkState, Seal, Wait } from './record.ts'
import {
  countsAsAttempt,
  DUE_NOW,
  isInVain,
  isReportable,
  waitAfter,
  type Failure,
  type Now,
} from './retry-policy.ts'

/** What can happen to a chunk. */
export type ChunkEvent =
  /** A new drain found it in the middle of a step whose worker died. */
  | { readonly type: 'recovered' }
  | { readonly type: 'hash-began' }
  | { readonly type: 'encrypt-began' }
  | { readonly type: 'sealed'; readonly seal: Seal; readonly sizeBytes: number }
  /** The intent to send is stored; the request leaves after that. */
  | { readonly type: 'send-began' }
  /** The transport keeps something for later attempts at this upload. */
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string }
  /** The store's copy was checked against our content address. */
  | { readonly type: 'stored' }
  | { readonly type: 'manifest-began' }
  | { readonly type: 'anchor-began' }
  | { readonly type: 'anchor-confirmed' }
  /** `of`: the status in which the attempt began, where another worker may have gone on meanwhile. */
  | { readonly type: 'failed'; readonly failure: Failure; readonly of?: ChunkStatus }
  /** Another try now: a person or the app asks for it, or (`onTrial`) it is tried by itself after it was refused. */
  | { readonly type: 'resumed'; readonly onTrial?: boolean }

/** What must happen to the bytes in the same transaction. */
export type Effect = 'put-payload' | 'delete-payload'

export interface Transition {
  readonly chunk: ChunkRecord
  readonly effects: readonly Effect[]
  /** False where the event has no meaning in this state any more: nothing changes then. */
  readonly accepted: boolean
}

/** Characters of a server's words that a chunk keeps; its session keeps the whole message. */
const MESSAGE_LENGTH = 100

/**
 * The whole lifecycle of a chunk: (record, event, now) to (record, effects), without side effects.
 * An event that is late (its state has passed) is not accepted and changes nothing, so that replays are safe.
 */
export function transition(chunk: ChunkRecord, event: ChunkEvent, now: Now): Transition {
  const next = step(chunk, event, now)
  if (next === undefined) return { chunk, effects: [], accepted: false }
  return { chunk: next, effects: effectsOf(event), accepted: true }
}

function effectsOf(event: ChunkEvent): readonly Effect[] {
  if (event.type === 'sealed') return ['put-payload']
  if (event.type === 'anchor-confirmed') return ['delete-payload']
  return []
}

function step(chunk: ChunkRecord, event: ChunkEvent, now: Now): ChunkRecord | undefined {
  const { state } = chunk
  switch (event.type) {
    case 'recovered':
      if (state.status !== 'hashing' && state.status !== 'encrypting') return undefined
      return to(chunk, { status: 'captured', wait: DUE_NOW })
    case 'hash-began':
      return state.status === 'captured' ? to(chunk, { status: 'hashing' }) : undefined
    case 'encrypt-began':
      return state.status === 'hashing' ? to(chunk, { status: 'encrypting' }) : undefined
    case 'sealed':
      if (state.status !== 'encrypting') return undefined
      return {
        ...progress(chunk, { status: 'uploading', wait: DUE_NOW, sent: false, seal: event.seal }),
        sizeBytes: event.sizeBytes,
      }
    case 'send-began':
      return state.status === 'uploading' ? to(chunk, { ...state, sent: true }) : undefined
    case 'resume-token-saved':
      return state.status === 'uploading'
        ? to(chunk, { ...state, resumeToken: event.resumeToken })
        : undefined
    case 'stored':
      if (state.status !== 'uploading') return undefined
      return progress(chunk, { status: 'uploaded', seal: state.seal, uploadedAtMs: now.nowMs })
    case 'manifest-began':
      return state.status === 'uploaded' ? to(chunk, { ...state, status: 'manifesting' }) : undefined
    case 'anchor-began':
      return state.status === 'manifesting' ? to(chunk, { ...state, status: 'anchoring' }) : undefined
    case 'anchor-confirmed':
      if (state.status !== 'anchoring') return undefined
      return progress(chunk, { ...state, status: 'confirmed', confirmedAtMs: now.nowMs })
    case 'failed':
      return isAttempted(chunk, event.of) ? fail(chunk, event.failure, now) : undefined
    case 'resumed':
      if (state.status !== 'captured' && state.status !== 'uploading') return undefined
      return { ...progress(chunk, { ...state, wait: DUE_NOW }), ...(event.onTrial && { onTrial: true }) }
  }
}

const to = (chunk: ChunkRecord, state: ChunkState): ChunkRecord => ({ ...chunk, state })

/** Progress forgives: consecutive failures and the last error are gone. */
function progress(chunk: ChunkRecord, state: ChunkState): ChunkRecord {
  const { lastError: _forgiven, onTrial: _over, ...rest } = chunk
  return { ...rest, state, failures: 0 }
}

/** A sealing that fails late, when the chunk is sealed already, is none of the upload's; nor the other way round. */
const isAttempted = ({ state: { status } }: ChunkRecord, of = status) =>
  (of === 'uploading') === (status === 'uploading')

function fail(chunk: ChunkRecord, failure: Failure, now: Now): ChunkRecord | undefined {
  const { state } = chunk
  const error: WireError = { code: failure.code, message: failure.message.slice(0, MESSAGE_LENGTH) }
  const spent = countsAsAttempt(failure.code) ? 1 : 0
  const failures = chunk.failures + spent
  const retryCount = chunk.retryCount + spent
  const { onTrial: _over, ...tried } = chunk
  const failed = { ...tried, failures, retryCount, ...(isReportable(failure) && { lastError: error }) }
  const wait: Wait = isInVain(failure.code, failures, chunk.onTrial)
    ? { kind: 'parked' }
    : waitAfter(failure, failures, now)
  switch (state.status) {
    case 'captured':
    case 'hashing':
    case 'encrypting':
      return { ...failed, state: { status: 'captured', wait } }
    case 'uploading':
      return { ...failed, state: { ...state, wait } }
    default:
      return undefined
  }
}

/** How a chunk waits, if it waits at all; one that a dead worker left in the middle of sealing is due now. */
export function waitOf(state: ChunkState): Wait | undefined {
  if (state.status === 'captured' || state.status === 'uploading') return state.wait
  if (state.status === 'hashing' || state.status === 'encrypting') return DUE_NOW
  return undefined
}

/** Statuses in which bytes have not been verified at the store yet. */
export const PENDING_STATUSES = [
  'captured',
  'hashing',
  'encrypting',
  'uploading',
] as const satisfies ChunkStatus[]
