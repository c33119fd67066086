import type { ManifestName, Publication, SessionRecord } from './record.ts'
import { believedMs, countsAsAttempt, DUE_NOW, waitAfter, type Failure, type Now } from './retry-policy.ts'
import { pendingChunks } from './session.ts'

/** While chunks keep coming, one that was verified waits this long for others to share its publication, ms. */
export const PUBLISH_EVERY_MS = 30_000
/**
 * Or this long for each chunk that the manifest would list, ms: about a twentieth of a recording's length. Every
 * manifest lists all chunks, so at a fixed interval their bytes would grow with the square of the length.
 */
const MS_PER_CHUNK = 150

/**
 * When the session's next publication step is due, ms since the epoch (0: now); undefined while there is none.
 *
 * One publication at a time takes every verified chunk. While more chunks are on their way it waits for the
 * interval, so that a backlog of 500 chunks is one publication; once nothing more can come by itself it is due
 * at once. Nothing waits for chunks that are parked.
 *
 * @param nowMs no stored time is believed beyond the longest legal wait from then
 */
export function publicationDueMs(session: SessionRecord, nowMs = Infinity): number | undefined {
  if (session.paused) return undefined
  const { publication } = session
  if (publication !== undefined)
    return publication.wait.kind === 'due' ? believedMs(publication.wait.notBeforeMs, nowMs) : undefined
  const ended = session.ending !== 'recording'
  const onTheirWay = pendingChunks(session) - session.parked
  if (ended && onTheirWay === 0) {
    const closes = session.tally.confirmed > 0 && session.anchored?.ending !== session.ending
    return session.tally.uploaded > 0 || closes ? 0 : undefined
  }
  if (session.tally.uploaded === 0) return undefined
  const listed = session.tally.confirmed + session.tally.uploaded
  return Math.min(session.unpublishedSinceMs ?? 0, nowMs) + Math.max(PUBLISH_EVERY_MS, listed * MS_PER_CHUNK)
}

/** What can happen to a publication. */
export type PublicationEvent =
  | { readonly type: 'manifest-built'; readonly manifest: ManifestName }
  | { readonly type: 'manifest-sent' }
  | { readonly type: 'manifest-token-saved'; readonly resumeToken: string }
  | { readonly type: 'manifest-stored' }
  /** The intent to hand the anchor over is stored; the request leaves after that. */
  | { readonly type: 'anchor-sent' }
  /** The relay took it, which says nothing of the chain. */
  | { readonly type: 'anchor-taken' }
  /** The chain names another signer than the manifest, who is the relay's by now: it is named and stored anew. */
  | { readonly type: 'signer-changed' }
  /** Nothing to do before this time but look again; `isSeen`: the newest block shows the anchor. */
  | {
      readonly type: 'look-again'
      readonly atMs: number
      readonly isSeen: boolean
      readonly blockNumber: number
    }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'resumed' }

function newestOf({ newest }: Publication, blockNumber: number, { nowMs }: Now) {
  return newest?.blockNumber === blockNumber ? newest : { blockNumber, sinceMs: nowMs }
}

/** The publication after an event. */
export function publicationStep(publication: Publication, event: PublicationEvent, now: Now): Publication {
  const { lastError: _forgiven, ...healthy } = publication
  switch (event.type) {
    case 'manifest-built':
      return { ...healthy, manifest: event.manifest, failures: 0, wait: DUE_NOW }
    case 'manifest-token-saved':
      return { ...publication, resumeToken: event.resumeToken }
    case 'manifest-sent':
      return { ...publication, sent: true }
    case 'manifest-stored':
      return { ...healthy, stage: 'anchoring', sent: false, failures: 0, wait: DUE_NOW }
    case 'anchor-sent':
      return { ...publication, sent: true, submittedAtMs: now.nowMs }
    case 'anchor-taken':
      return { ...healthy, failures: 0, taken: (publication.taken ?? 0) + 1, wait: DUE_NOW }
    case 'signer-changed': {
      const {
        manifest: _anothers,
        resumeToken: _its,
        submittedAtMs: _lately,
        taken: _inVain,
        ...rest
      } = healthy
      return { ...rest, stage: 'manifesting', sent: false, failures: 0, wait: DUE_NOW }
    }
    case 'look-again':
      return {
        ...healthy,
        ...(event.isSeen && { taken: 0 }),
        newest: newestOf(publication, event.blockNumber, now),
        wait: { kind: 'due', notBeforeMs: event.atMs },
      }
    case 'failed': {
      const failures = publication.failures + (countsAsAttempt(event.failure.code) ? 1 : 0)
      const { code, message } = event.failure
      return {
        ...publication,
        failures,
        lastError: { code, message },
        wait: waitAfter(event.failure, failures, now),
      }
    }
    case 'resumed': {
      // Handed over again at once too.
      const { submittedAtMs: _lately, taken: _inVain, ...again } = healthy
      return { ...again, failures: 0, wait: DUE_NOW }
    }
  }
}
