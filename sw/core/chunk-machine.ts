import { beginningOf } from '../../src/evidence/bytes.ts'
import type { ChunkStatus } from '../../src/protocol/snapshot.ts'
import type { ChunkRecord, ChunkState, Seal, Wait } from './record.ts'
import { afterFailedEffort } from './effort.ts'
import { DUE_NOW, type Failure, type Now } from './retry-policy.ts'

/** What can happen to a chunk. */
export type ChunkEvent =
  /** A new drain found it in the middle of a step whose worker died. */
  | { readonly type: 'recovered' }
  | { readonly type: 'hash-began' }
  | { readonly type: 'encrypt-began' }
  | { readonly type: 'sealed'; readonly seal: Seal; readonly bytes: ArrayBuffer }
  /** The intent to send is stored; the request leaves after that. */
  | { readonly type: 'send-began' }
  /** The transport keeps something for later attempts at this upload. */
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string }
  /** The store's copy was checked against our content address. */
  | { readonly type: 'stored' }
  /** The page that lists it is in flight. */
  | { readonly type: 'page-began' }
  /** That page is proved to be stored. */
  | { readonly type: 'listed' }
  | { readonly type: 'anchor-confirmed' }
  /** The proof of the store's copy is too old to delete ours on it, or of another store: the store is asked again. */
  | { readonly type: 'proof-expired' }
  /** `of`: the status in which the attempt began, where another worker may have gone on meanwhile. */
  | { readonly type: 'failed'; readonly failure: Failure; readonly of?: ChunkStatus }
  /** Another try now: a person or the app asks for it, or (`onTrial`) it is tried by itself after it was refused. */
  | { readonly type: 'resumed'; readonly onTrial?: boolean | undefined }

/** Bytes of a server's words that a chunk keeps, in UTF-8; its session keeps the whole message. */
const MESSAGE_BYTES = 80

/**
 * The whole lifecycle of a chunk: (record, event, now) to the next record, without side effects.
 *
 * @returns undefined where the event has no meaning in this state any more (it is late): nothing changes then, so that
 *   replays are safe
 */
export function chunkAfter(chunk: ChunkRecord, event: ChunkEvent, now: Now): ChunkRecord | undefined {
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
        sizeBytes: event.bytes.byteLength,
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
    case 'page-began':
      return state.status === 'uploaded' ? to(chunk, { ...state, status: 'manifesting' }) : undefined
    case 'listed':
      return state.status === 'manifesting' ? to(chunk, { ...state, status: 'anchoring' }) : undefined
    case 'anchor-confirmed':
      if (state.status !== 'anchoring') return undefined
      return progress(chunk, { ...state, status: 'confirmed', confirmedAtMs: now.nowMs })
    case 'proof-expired':
      if (!state.seal || state.status === 'confirmed') return undefined
      return progress(chunk, { status: 'uploading', wait: DUE_NOW, sent: true, seal: state.seal })
    case 'failed':
      return isAttempted(chunk, event.of) ? fail(chunk, event.failure, now) : undefined
    case 'resumed':
      if (state.status !== 'captured' && state.status !== 'uploading') return undefined
      return { ...progress(chunk, { ...state, wait: DUE_NOW }), onTrial: event.onTrial }
  }
}

const to = (chunk: ChunkRecord, state: ChunkState): ChunkRecord => ({ ...chunk, state })

/** Progress forgives: consecutive failures and the last error are gone. */
const progress = (chunk: ChunkRecord, state: ChunkState): ChunkRecord => ({
  ...chunk,
  state,
  failures: 0,
  lastError: undefined,
  onTrial: undefined,
})

/** A sealing that fails late, when the chunk is sealed already, is none of the upload's; nor the other way round. */
const isAttempted = ({ state: { status } }: ChunkRecord, of = status) =>
  (of === 'uploading') === (status === 'uploading')

function fail(chunk: ChunkRecord, failure: Failure, now: Now): ChunkRecord | undefined {
  const { state, failures, lastError } = chunk
  const before = waitOf(state)
  if (!before) return undefined
  const message = beginningOf(failure.message, MESSAGE_BYTES)
  const effort = { failures, lastError, wait: before }
  const { wait, ...after } = afterFailedEffort(effort, { ...failure, message }, now, chunk.onTrial)
  return {
    ...chunk,
    ...after,
    state: state.status === 'uploading' ? { ...state, wait } : { status: 'captured', wait },
    retryCount: chunk.retryCount + after.failures - failures,
    onTrial: undefined,
  }
}

/** How a chunk waits, if it waits at all; one that a dead worker left in the middle of sealing is due now. */
export function waitOf(state: ChunkState): Wait | undefined {
  if (state.status === 'hashing' || state.status === 'encrypting') return DUE_NOW
  return state.wait
}
