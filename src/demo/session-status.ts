import type { ChunkView, SessionSnapshot } from '../protocol/snapshot.ts'
import type { IconName } from './icon.ts'
import { isConfirmed, needsResume, tally } from './still-needs.ts'

/** The mood of a status; each has an icon too, so that colour is never alone. */
export type Tone = 'recording' | 'busy' | 'waiting' | 'good' | 'alert' | 'quiet'

export interface StatusWords {
  readonly words: string
  readonly icon: IconName
  readonly tone: Tone
}

const status = (words: string, icon: IconName, tone: Tone): StatusWords => ({ words, icon, tone })

/** A session's state as a headline. */
export function sessionStatus(session: SessionSnapshot): StatusWords {
  if (isConfirmed(session)) return confirmedStatus(session)
  if (session.ending === 'recording') return status('Recording', 'dot', 'recording')
  if (session.paused) return status('Paused', 'pause', 'quiet')
  if (needsResume(session)) return status('Needs you', 'alert', 'alert')
  if (session.lastError?.code === 'unreachable') return status('Waiting for network', 'clock', 'waiting')
  if (session.retryAtMs !== undefined) return status('Waiting to try again', 'clock', 'waiting')
  if (session.upload === 'uploading') return status('Uploading', 'up', 'busy')
  return session.chunks.anchoring > 0
    ? status('Waiting for the chain', 'link', 'busy')
    : status('Publishing', 'up', 'busy')
}

function confirmedStatus(session: SessionSnapshot): StatusWords {
  if (!session.anchor) return status('Empty: nothing was saved', 'dot', 'quiet')
  if (session.missing > 0) return status('Confirmed, with a gap', 'check', 'good')
  return session.ending === 'interrupted'
    ? status('Confirmed up to the interruption', 'check', 'good')
    : status('Confirmed', 'check', 'good')
}

/** A chunk's state in words. */
export function chunkStatus(chunk: ChunkView): StatusWords {
  if (chunk.parked) return status('Parked', 'alert', 'alert')
  switch (chunk.status) {
    case 'captured':
    case 'hashing':
    case 'encrypting':
      return status('Encrypting', 'clock', 'quiet')
    case 'uploading':
      return chunk.lastError ? status('Trying again', 'clock', 'waiting') : status('To upload', 'up', 'quiet')
    case 'uploaded':
      return status('Uploaded', 'up', 'busy')
    case 'manifesting':
      return status('Publishing', 'up', 'busy')
    case 'anchoring':
      return status('Anchoring', 'link', 'busy')
    case 'confirmed':
      return status('Confirmed', 'check', 'good')
  }
}

/** Where a session's chunks are, in words: what the progress bar draws. */
export function progressWords(session: SessionSnapshot): string {
  const { total, confirmed, stored, toUpload } = tally(session)
  if (total === 0) return 'No chunks yet'
  if (confirmed === total) return `All ${total} confirmed`
  const parts = [
    [confirmed, 'confirmed'],
    [stored, 'uploaded'],
    [toUpload, 'to upload'],
  ] as const
  return parts
    .filter(([n]) => n > 0)
    .map(([n, words]) => `${n} ${words}`)
    .join(', ')
}
