import { adviceFor } from '../protocol/advice.ts'
import { ERRORS, type ErrorCode } from '../protocol/errors.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { capital, count, formatWait } from './format.ts'

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
  !isConfirmed(session) && (session.paused || session.parked > 0 || (holdUp(session)?.parks ?? false))

/**
 * What a session still needs before the chain holds all of it, in words.
 *
 * @param nowMs ms since the epoch, for "next try in"
 */
export function stillNeeds(session: SessionSnapshot, nowMs: number = Date.now()): string {
  if (isConfirmed(session)) return 'Nothing: all of it is confirmed'
  if (session.ending === 'recording') return 'Being recorded in another tab'
  const hold = holdUp(session)
  if (hold?.parks) return `Parked: ${hold.words}${nextTry(session.retryAtMs, nowMs)}`
  const work = workLeft(session)
  if (session.paused) return `Paused: ${work}`
  if (session.parked > 0) return `Parked: ${work}, once resumed`
  if (!hold) return capital(work)
  const parts = hold.words === work ? [work] : [work, hold.words]
  return capital(parts.join('; ') + nextTry(session.retryAtMs, nowMs))
}

function workLeft(session: SessionSnapshot): string {
  const { toUpload, total } = tally(session)
  const { uploaded, manifesting, anchoring } = session.chunks
  if (toUpload > 0) return `${toUpload} of ${count(total, 'chunk')} to upload, then publish and anchor`
  if (uploaded + manifesting > 0) return 'publish the log and anchor it'
  if (anchoring > 0) return 'waiting for the chain'
  return total === 0 ? 'no chunk was saved; closing the session' : 'publish the end of the log and anchor it'
}

/** Why a session waits, or is parked: `parks` when waiting will not help. */
function holdUp({ lastError }: SessionSnapshot): { parks: boolean; words: string } | undefined {
  if (!lastError) return undefined
  const kind = ERRORS[lastError.code]
  const parks = kind === 'blocked' || kind === 'refused' || kind === 'defect'
  return { parks, words: parks ? lowered(adviceFor(lastError.code)) : waitingFor(lastError.code) }
}

function waitingFor(code: ErrorCode): string {
  switch (code) {
    case 'unreachable':
      return 'waiting for network'
    case 'timeout':
    case 'server-error':
      return 'the server failed'
    case 'throttled':
      return 'the server asked to wait'
    default:
      return 'trying again'
  }
}

const nextTry = (retryAtMs: number | undefined, nowMs: number) =>
  retryAtMs !== undefined && retryAtMs > nowMs ? `, next try in ${formatWait(retryAtMs - nowMs)}` : ''

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '')
