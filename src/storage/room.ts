import { bad } from '../bad-input.ts'
import { browserSays } from '../browser-says.ts'
import { PERSON_TIMEOUT_MS } from '../timeouts.ts'

/**
 * What the browser says to keeping this site's data:
 * - `kept`: it clears them for no lack of space
 * - `refused`: it may clear them, all at once
 * - `unknown`: it cannot be asked, or nobody has answered its question for a minute
 */
export type Protection = 'kept' | 'refused' | 'unknown'

/** Asks the browser to keep this site's data when space runs out. Ask before the first recording, after a tap. */
export async function protectStorage(): Promise<Protection> {
  const kept = await browserSays(async () => navigator.storage?.persist?.(), PERSON_TIMEOUT_MS)
  return kept === undefined ? 'unknown' : kept ? 'kept' : 'refused'
}

/** Of the file that a trial makes; it is never finished, so that it leaves nothing. */
const TRIAL_FILE = 'holdfast-trial'

/**
 * Tries whether this many bytes have room, by a file of that length that is given up at once: the browser's own figures
 * promise room that is not there (Chromium: 10 GiB, whatever the disk has). Nothing is written, but for some
 * milliseconds the room counts as taken: while something records, ask for no more than is needed.
 *
 * @returns undefined where the browser cannot be asked, or does not answer
 * @throws HoldfastError `bad-input`
 */
export async function roomFor(bytes: number): Promise<boolean | undefined> {
  if (!(Number.isFinite(bytes) && bytes >= 0)) throw bad('bytes', 'a number from 0.')
  return browserSays(() => hasRoom(bytes))
}

async function hasRoom(bytes: number): Promise<boolean | undefined> {
  try {
    const root = await navigator.storage.getDirectory()
    const file = await root.getFileHandle(TRIAL_FILE, { create: true })
    const writable = await file.createWritable()
    try {
      await writable.truncate(bytes)
      await writable.abort()
      return true
    } catch (error) {
      await writable.abort().catch(() => undefined)
      return isFull(error) ? false : undefined
    } finally {
      await root.removeEntry(TRIAL_FILE).catch(() => undefined)
    }
  } catch (error) {
    return isFull(error) ? false : undefined
  }
}

const isFull = (error: unknown) => error instanceof DOMException && error.name === 'QuotaExceededError'

/**
 * Tries how much has room, in steps that double: there is room for at least that much.
 *
 * @param leastBytes what is tried first, above 0
 * @param mostBytes more than this is of no interest
 * @returns 0 where not even the least has room; undefined where the browser cannot be asked
 * @throws HoldfastError `bad-input`
 */
export async function roomUpTo(
  leastBytes: number,
  mostBytes: number,
  tryFor: typeof roomFor = roomFor,
): Promise<number | undefined> {
  if (!(Number.isFinite(leastBytes) && leastBytes > 0)) throw bad('leastBytes', 'a number above 0.')
  // Else it would never be reached.
  if (!(typeof mostBytes === 'number' && mostBytes >= 0)) throw bad('mostBytes', 'a number from 0.')
  let room: number | undefined
  for (let bytes = leastBytes; ; bytes = Math.min(mostBytes, bytes * 2)) {
    const has = await tryFor(bytes)
    if (has === undefined) return room
    if (!has) return room ?? 0
    room = bytes
    if (bytes >= mostBytes) return room
  }
}
