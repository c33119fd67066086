import { HoldfastRecovery } from '../elements/recovery.ts'
import type { Snapshot } from '../protocol/snapshot.ts'
import { roomFor, roomUpTo, type Protection } from '../storage/room.ts'
import { storageForecast, WARN_BEFORE_MS, type StorageForecast } from '../storage/forecast.ts'
import { storageWarning } from '../storage-warning.ts'
import { byId, setText } from './dom.ts'
import { formatBytes } from './format.ts'
import { askToKeep, protectionNow, watchProtection } from './protection.ts'
import { texts } from './texts.ts'

const LOOK_EVERY_MS = 20_000

/** Room for longer than this is of no interest to anybody, ms. */
const MAX_SHOWN_MS = 12 * 3_600_000

/** The worker's reserve, and what a trial's steps leave out. */
const SPARE_BYTES = 8 * 1024 * 1024

const words = texts.storage

/** The warning in words, with what to do; undefined while there is room. */
export function warningWords(
  { isSoonFull, localBytes, localMs }: Pick<StorageForecast, 'isSoonFull' | 'localBytes' | 'localMs'>,
  isBacklog: boolean,
): string | undefined {
  if (!isSoonFull && !isBacklog) return undefined
  const room = isSoonFull ? words.soonFull : words.backlog
  const held = localBytes > 0 ? words.waits(lengthInWords(localMs), formatBytes(localBytes)) : ''
  return [room, held, localBytes > 0 ? words.upload : words.deleteOthers].filter(Boolean).join(' ')
}

/** Used and free, in time. */
export function storageWords(
  { localBytes, localMs, freeMs }: Pick<StorageForecast, 'localBytes' | 'localMs' | 'freeMs'>,
  protection: Protection | undefined,
): string {
  const held = localBytes > 0 ? words.held(lengthInWords(localMs)) : ''
  // Of less the warning tells.
  const free =
    freeMs === undefined || freeMs < WARN_BEFORE_MS
      ? ''
      : words.free(lengthInWords(Math.min(freeMs, MAX_SHOWN_MS)))
  return [held, free, protection ? words.protection[protection] : ''].filter(Boolean).join(' ')
}

/** Rounded down, so that no more is promised than there is: `less than a minute`, `12 min`, `3 h`. */
export function lengthInWords(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 1) return words.lessThanAMinute
  return minutes < 120 ? words.minutes(minutes) : words.hours(Math.floor(minutes / 60))
}

/** Keeps the storage line and the warning up to date; call `update` with each snapshot. */
export function showStorage() {
  const recovery = byId('recovery', HoldfastRecovery)
  let freeSpace: (() => void) | undefined
  let sessions: Snapshot['sessions'] = []
  /** What was found at the last look; since then our own ledger tells what has come to it. */
  let found = {
    estimate: { usage: 0, quota: 0 },
    triedBytes: undefined as number | undefined,
    localBytes: 0,
  }

  const localBytes = () => sessions.reduce((sum, session) => sum + session.localBytes, 0)
  const forecast = () => {
    const sinceBytes = sinceLook(found, localBytes())
    const { usage, quota } = found.estimate
    return storageForecast({
      sessions,
      estimate: { usage: usage + sinceBytes, quota },
      triedBytes: leftOfTrial(found, localBytes()),
    })
  }
  const draw = () => {
    const now = forecast()
    show(now, found.estimate, protectionNow())
    const offered = now.isSoonFull ? freeSpace : undefined
    if (recovery.freeSpace === offered) return
    recovery.freeSpace = offered
    recovery.refresh()
  }
  const look = async () => {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {}
    const { bytesPerMs } = forecast()
    // What is recorded until the next look is subtracted, and must not warn by itself.
    const leastBytes = (WARN_BEFORE_MS + LOOK_EVERY_MS) * bytesPerMs + SPARE_BYTES
    const isRecording = sessions.some(({ ending }) => ending === 'recording')
    // A trial takes the room for a moment: while a recording needs it, no more than what is warned of is tried.
    const triedBytes = isRecording
      ? stillRoomFor(leastBytes, await roomFor(leastBytes), leftOfTrial(found, localBytes()))
      : await roomUpTo(leastBytes, MAX_SHOWN_MS * bytesPerMs)
    found = { estimate: { usage, quota }, triedBytes, localBytes: localBytes() }
    draw()
  }
  const lookSafely = () => void look().catch(() => undefined)
  watchProtection(draw)
  setInterval(lookSafely, LOOK_EVERY_MS)
  lookSafely()
  // Before the first recording, and by a tap: some browsers ask the person.
  document.getElementById('recorder')?.addEventListener('click', () => void askToKeep(), { once: true })
  return {
    update(snapshot: Snapshot): void {
      const before = localBytes()
      sessions = snapshot.sessions
      if (localBytes() !== before) draw()
    },
    /** What makes room is there: beside the warning and, while there is little, before all else that is urgent. */
    offer(open: () => void): void {
      freeSpace = open
      byId('storage-free', HTMLElement).addEventListener('click', open)
      draw()
    },
  }
}

/** What a look has found: the room by trial, and what was on this device then. */
interface Look {
  readonly triedBytes: number | undefined
  readonly localBytes: number
}

const sinceLook = (look: Look, localBytes: number) => Math.max(0, localBytes - look.localBytes)

/** The room that was found by trial, less what has come to this device since. */
export const leftOfTrial = (look: Look, localBytes: number): number | undefined =>
  look.triedBytes && Math.max(0, look.triedBytes - sinceLook(look, localBytes))

/**
 * What is known to have room by now, while something records.
 *
 * @param has whether a trial found room for the least; undefined where the browser cannot be asked
 * @param leftBytes of what was found before
 */
export function stillRoomFor(
  leastBytes: number,
  has: boolean | undefined,
  leftBytes: number | undefined,
): number | undefined {
  if (has === undefined) return leftBytes
  return has ? Math.max(leastBytes, leftBytes ?? 0) : 0
}

function show(
  forecast: StorageForecast,
  estimate: { readonly usage: number; readonly quota: number },
  protection: Protection | undefined,
): void {
  const warning = byId('storage-warning', HTMLElement)
  const isBacklog = storageWarning(estimate, forecast.localBytes)?.reason === 'backlog'
  const told = warningWords(forecast, isBacklog)
  warning.hidden = told === undefined
  setText(byId('storage-words', HTMLElement), told ?? '')
  setText(byId('storage-line', HTMLElement), storageWords(forecast, protection))
  byId('storage', HTMLElement).dataset['protection'] = protection
}
