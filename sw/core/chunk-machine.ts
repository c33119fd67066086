import { beginningOf } from '../../src/evidence/bytes.ts'
import type { ChunkRecord, ChunkState, Seal, Wait } from './record.ts'
import { afterFailedEffort } from './effort.ts'
import { DUE_NOW, type Failure, type Now } from './retry-policy.ts'

/** What can happen to a chunk. */
export type ChunkEvent =
  /** Its sealing begins: anew, where a worker died in the middle of it. */
  | { readonly type: 'hash-began' }
  | { readonly type: 'encrypt-began' }
  | { readonly type: 'sealed'; readonly seal: Seal; readonly bytes: ArrayBuffer }
  /** The intent to send is stored; the request leaves after that. */
  | { readonly type: 'send-began' }
  /** The transport keeps something for later attempts at this upload. */
  | { readonly type: 'resume-token-saved'; readonly resumeToken: string }
  /** The store's copy was checked against our content address. */
  | { readonly type: 'stored' }
  | { readonly type: 'anchor-confirmed' }
  /** The proof of the store's copy is too old to delete ours on it, or of another store: the store is asked again. */
  | { readonly type: 'proof-expired' }
  /** `of`: the status in which the attempt began, where another worker may have gone on meanwhile. */
  | { readonly type: 'failed'; readonly failure: Failure; readonly of?: ChunkState['status'] }
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
  /** Where the event means something in this status alone. */
  const from = <Status extends ChunkState['status']>(
    status: Status,
    next: (state: ChunkState & { readonly status: Status }) => ChunkState,
    rest: Partial<ChunkRecord> = {},
  ): ChunkRecord | undefined =>
    state.status === status ? { ...chunk, ...rest, state: next(state as never) } : undefined
  switch (event.type) {
    case 'hash-began':
      return state.seal ? undefined : { ...chunk, state: { status: 'hashing' } }
    case 'encrypt-began':
      return from('hashing', () => ({ status: 'encrypting' }))
    case 'sealed':
      return from('encrypting', () => toSend(event.seal, false), {
        ...FORGIVEN,
        sizeBytes: event.bytes.byteLength,
      })
    case 'send-began':
      return from('uploading', (sending) => ({ ...sending, sent: true }))
    case 'resume-token-saved':
      return from('uploading', (sending) => ({ ...sending, resumeToken: event.resumeToken }))
    case 'stored':
      return from(
        'uploading',
        ({ seal }) => ({ status: 'uploaded', seal, uploadedAtMs: now.nowMs }),
        FORGIVEN,
      )
    case 'anchor-confirmed':
      return from('uploaded', (proved) => ({ ...proved, status: 'confirmed', confirmedAtMs: now.nowMs }))
    case 'proof-expired':
      if (!state.seal || state.status === 'confirmed') return undefined
      return { ...chunk, ...FORGIVEN, state: toSend(state.seal, true) }
    case 'failed':
      return isAttempted(chunk, event.of) ? fail(chunk, event.failure, now) : undefined
    case 'resumed': {
      if (!state.wait) return undefined
      const { onTrial } = event
      return { ...chunk, ...(!onTrial && FORGIVEN), onTrial, state: { ...state, wait: DUE_NOW } }
    }
  }
}

/** What is to be sent, at once. */
const toSend = (seal: Seal, sent: boolean): ChunkState => ({ status: 'uploading', wait: DUE_NOW, sent, seal })

/** Progress forgives: consecutive failures and the last error are gone. */
const FORGIVEN = { failures: 0, lastError: undefined, onTrial: undefined }

/** A sealing that fails late, when the chunk is sealed already, is none of the upload's; nor the other way round. */
const isAttempted = ({ state: { status } }: ChunkRecord, of = status) =>
  (of === 'uploading') === (status === 'uploading')

function fail(chunk: ChunkRecord, failure: Failure, now: Now): ChunkRecord | undefined {
  const { state, failures, lastError } = chunk
  const before = waitOf(state)
  if (!before) return undefined
  const message = beginningOf(failure.message, MESSAGE_BYTES)
  const effort = { failures, lastError, wait: before }
  const { wait, ...after } = afterFailedEffort(effort, { ...failure, message }, now)
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
