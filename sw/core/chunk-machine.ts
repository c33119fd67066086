import { beginningOf } from '../../src/evidence/bytes.ts'
import { MESSAGE_BYTES } from './limits.ts'
import type { AddressedSeal, ChunkRecord, ChunkState, Effort } from './record.ts'
import { afterFailedEffort, again, NEW_EFFORT, underWay, type UnderWay } from './effort.ts'
import { countsAsRead, type Failure, type Now } from './retry-policy.ts'

/** What can happen to a chunk. */
export type ChunkEvent =
  /** Its sealing begins: anew, where a worker died in the middle of it. */
  | { readonly type: 'hash-began' }
  | { readonly type: 'encrypt-began' }
  | { readonly type: 'sealed'; readonly seal: AddressedSeal; readonly bytes: ArrayBuffer }
  | UnderWay
  /** The store's copy was checked against our content address. */
  | { readonly type: 'stored' }
  | { readonly type: 'anchor-confirmed' }
  /** The proof of the store's copy is too old to delete ours on it, or of another store: the store is asked again. */
  | { readonly type: 'proof-expired' }
  /** `of`: the chunk as the attempt began: another worker may have gone on meanwhile, or the same failure be told again. */
  | { readonly type: 'failed'; readonly failure: Failure; readonly of?: ChunkRecord }
  /** Another try now: a person or the app asks for it, or (`onTrial`) it is tried by itself after it was refused. */
  | { readonly type: 'resumed'; readonly onTrial?: boolean | undefined }

/**
 * The whole lifecycle of a chunk: (record, event, now) to the next record, without side effects.
 *
 * @returns undefined where the event has no meaning in this state any more (it is late): nothing changes then, so that
 *   replays are safe
 */
export function chunkAfter(chunk: ChunkRecord, event: ChunkEvent, now: Now): ChunkRecord | undefined {
  const { state, effort } = chunk
  /** Where the event means something in this status alone. */
  const from = <Status extends ChunkState['status']>(
    status: Status,
    next: (state: ChunkState & { readonly status: Status }) => Partial<ChunkRecord>,
  ): ChunkRecord | undefined => (state.status === status ? { ...chunk, ...next(state as never) } : undefined)
  switch (event.type) {
    case 'hash-began':
      return state.seal ? undefined : { ...chunk, state: { status: 'hashing' } }
    case 'encrypt-began':
      return from('hashing', () => ({ state: { status: 'encrypting' } }))
    case 'sealed':
      return from('encrypting', () => ({
        state: { status: 'uploading', seal: event.seal },
        effort: NEW_EFFORT,
        sizeBytes: event.bytes.byteLength,
      }))
    case 'send-began':
    case 'resume-token-saved':
      return from('uploading', () => ({ effort: underWay(effort!, event) }))
    case 'stored':
      return from('uploading', ({ seal }) => ({
        state: { status: 'uploaded', seal, uploadedAtMs: now.nowMs },
        effort: undefined,
      }))
    case 'anchor-confirmed':
      return from('uploaded', (proved) => ({
        state: { ...proved, status: 'confirmed', confirmedAtMs: now.nowMs },
      }))
    case 'proof-expired':
      if (!state.seal || state.status === 'confirmed') return undefined
      return {
        ...chunk,
        state: { status: 'uploading', seal: state.seal },
        effort: { ...NEW_EFFORT, sent: true },
      }
    case 'failed':
      return effort && isAttempted(chunk, event.of) ? fail(chunk, effort, event.failure, now) : undefined
    case 'resumed':
      // One that has not failed is tried anyway.
      return effort && (effort.notBeforeMs || effort.onTrial || event.onTrial)
        ? { ...chunk, effort: again(effort, event.onTrial) }
        : undefined
  }
}

/**
 * Whether it is still as the attempt found it: a sealing that fails late, when the chunk is sealed already, is none of the
 * upload's, nor the other way round; and each failure counts once.
 */
const isAttempted = (chunk: ChunkRecord, of = chunk) =>
  !chunk.state.seal === !of.state.seal && chunk.effort?.failures === of.effort?.failures

function fail(chunk: ChunkRecord, before: Effort, failure: Failure, now: Now): ChunkRecord {
  const { state, retryCount } = chunk
  const message = beginningOf(failure.message, MESSAGE_BYTES)
  const isOfRead = countsAsRead(failure, before.failures)
  const effort = afterFailedEffort(before, { ...failure, message, isOfRead }, now)
  return {
    ...chunk,
    effort,
    state: state.seal ? state : { status: 'captured' },
    retryCount: retryCount + effort.failures - before.failures,
  }
}
