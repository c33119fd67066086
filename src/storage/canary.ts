import type { Holdfast } from '../api.ts'
import { bad } from '../bad-input.ts'
import { FUNCTION, optionsOf, type Known } from '../options.ts'
import type { SessionId, SessionName } from '../protocol/ids.ts'
import { nameFor } from '../protocol/names.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { callListener } from '../call-listener.ts'

/** A recording that this device had, and has no more, though nobody discarded it. */
export interface LostRecording {
  readonly id: SessionId
  /** What a reader asks for: what is safe of it is found by this. */
  readonly name: SessionName
  readonly startedAtMs: number
  /** As far as was known when it was last seen, ms, rounded up to seconds; 0 where no chunk tells its length. */
  readonly lengthMs: number
  /** Of which a store was proved to have, ms, rounded down to seconds. */
  readonly safeMs: number
  /** When it was last seen a store was proved to have every chunk of it; false of a recording without chunks. */
  readonly isAllSafe: boolean
  /** It was confirmed, whole: nothing is lost but what this device knew of it. */
  readonly isConfirmed: boolean
}

/** What keeps a text beside the database, as `localStorage` does. */
export interface SecondPlace {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

export interface LossOptions {
  /** Told each time what is lost has changed: the whole of it, oldest first. */
  readonly onLost: (lost: readonly LostRecording[]) => void
  /** Ends the watching. */
  readonly signal?: AbortSignal | undefined
  /** Default `localStorage`: a browser that evicts a database leaves it, but Safari, and who clears a site's data. */
  readonly storage?: SecondPlace | undefined
}

const LOSS: Known<LossOptions> = { onLost: FUNCTION, signal: 1, storage: 1 }

/** What is kept in the second place, by session. */
interface Kept extends Omit<LostRecording, 'id'> {
  isLost?: true
}
type Canary = Record<SessionId, Kept>

/** The newest ones are kept: the second place is small. */
const MAX_SESSIONS = 200

/**
 * Keeps a short list of this device's recordings in a second place beside the worker's database, and notices when the
 * database has lost some: the browser made room, or somebody cleared the data. What was discarded is not told. A confirmed
 * one is, where one that was not is gone with it: by itself it may have been discarded, of which the worker keeps no word.
 *
 * @throws HoldfastError `bad-input`
 * @returns `forget` takes recordings out once a person has been told; all that are lost unless named
 */
export function watchForLoss(
  holdfast: Pick<Holdfast, 'scope' | 'watch' | 'sessions' | 'log'>,
  options: LossOptions,
): { forget(ids?: readonly SessionId[]): void } {
  const { onLost, signal, storage } = optionsOf(options, LOSS)
  if (!holdfast?.log) throw bad('holdfast', 'what connect() gives.')
  if (!onLost) throw bad('onLost', 'a function.')
  const key = nameFor('holdfast-canary', holdfast.scope)
  let told = '[]'

  /** Throws where the browser forbids it. */
  const place = (): SecondPlace => storage ?? localStorage
  const read = (): Canary => {
    try {
      const parsed = Object.entries<Kept | null>(JSON.parse(place().getItem(key) ?? '{}'))
      // Anything of the origin may write there: what is none of ours is left out.
      return Object.fromEntries(parsed.filter(([, kept]) => kept?.name)) as Canary
    } catch {
      return {}
    }
  }
  const write = (canary: Canary) => {
    const newest = Object.entries(canary).sort(([, a], [, b]) => b.startedAtMs - a.startedAtMs)
    const text = JSON.stringify(Object.fromEntries(newest.slice(0, MAX_SESSIONS)))
    try {
      if (text !== place().getItem(key)) place().setItem(key, text)
    } catch {
      // Full, or forbidden: then nothing is noticed.
    }
  }
  const tellLost = () => {
    const lost = Object.entries(read())
      .filter(([, kept]) => kept.isLost)
      .map(([id, kept]) => lostOf(id as SessionId, kept))
      .sort((a, b) => a.startedAtMs - b.startedAtMs)
    const text = JSON.stringify(lost)
    if (text === told) return
    told = text
    callListener(onLost, lost)
  }

  async function look(sessions: readonly SessionSnapshot[]): Promise<void> {
    const here = new Set(sessions.map(({ id }) => id))
    /** Whether the worker's log is silent of it: of what was discarded it says so, unless that was confirmed. */
    const gone = new Map<SessionId, boolean>()
    // What is cleared is cleared all at once, and not what is confirmed alone.
    let isCleared = false
    for (const [id, { isLost, isConfirmed }] of Object.entries(read()) as [SessionId, Kept][]) {
      if (isLost || here.has(id) || (await holdfast.sessions()).some((session) => session.id === id)) continue
      const isSilent = (await holdfast.log(id)).length === 0
      gone.set(id, isSilent)
      isCleared ||= isSilent && !isConfirmed
    }
    // Whoever has left is told nothing more.
    signal?.throwIfAborted()
    // Another tab may have written meanwhile.
    const canary = read()
    for (const [id, isSilent] of gone) {
      const kept = canary[id]
      if (kept && isSilent && isCleared) kept.isLost = true
      else delete canary[id]
    }
    for (const session of sessions) canary[session.id] = keptOf(session)
    write(canary)
    tellLost()
  }

  async function run(): Promise<void> {
    for await (const { sessions } of holdfast.watch({ signal }))
      // A worker that does not answer tells nothing.
      await look(sessions).catch(() => undefined)
  }
  void run().catch(() => undefined)

  return {
    forget(ids) {
      const canary = read()
      for (const [id, kept] of Object.entries(canary))
        if (kept.isLost && (ids?.includes(id as SessionId) ?? true)) delete canary[id as SessionId]
      write(canary)
      tellLost()
    },
  }
}

const lostOf = (id: SessionId, { isLost: _always, ...kept }: Kept): LostRecording => ({ id, ...kept })

/** Whole seconds: so it is seldom written while something records. */
const keptOf = ({ name, startedAtMs, progress, upload, chunks, missing }: SessionSnapshot): Kept => ({
  name,
  startedAtMs,
  lengthMs: Math.ceil(progress.totalMs / 1000) * 1000,
  safeMs: Math.floor(progress.storedMs / 1000) * 1000,
  isAllSafe: upload !== 'uploading' && missing === 0 && Object.values(chunks).some((count) => count > 0),
  isConfirmed: upload === 'confirmed',
})
