import type { RecordingSession } from '../api.ts'
import { FIRST_WAIT_MS, LONGEST_WAIT_MS, MAX_CONCURRENT_CHUNKS } from '../timeouts.ts'
import { isHoldfastError, type HoldfastError } from '../protocol/errors.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { newDeferred, type Deferred } from './deferred.ts'
import type { RecorderNote, TimedNote } from './notes.ts'
import { cut, takeJoined, type Slice } from './slices.ts'

type Ending = 'complete' | 'interrupted'

/** What goes into one session: of one recorder, so that its chunks play when joined; or the rest of that. */
export interface Part {
  /** Pieces are taken already while it is opened. */
  readonly session: Promise<RecordingSession>
  /** Chunks that are handed over and not taken, oldest first. */
  readonly handed: Set<Slice>
  /** What waits for its turn after these. */
  readonly queued: Slice[]
  /** All that is said of it, from the first slice on: a note makes no recording of what is empty. */
  readonly notes: TimedNote[]
  hasSlices?: boolean
  /** Nothing more comes. */
  endsAs?: Ending
  /** What the worker says of its end; undefined where the worker has lost it. */
  readonly ended: Deferred<SessionSnapshot | undefined>
  /** The worker has lost this session. */
  isLost?: boolean
  /** Where what it had not taken goes then, and what comes after its end. */
  rest?: Part
}

const partOf = (session: Promise<RecordingSession>): Part => ({
  session,
  handed: new Set(),
  queued: [],
  notes: [],
  ended: newDeferred(),
})

/** Where what belongs to this part goes by now. */
const lastOf = (part: Part): Part => (part.rest ? lastOf(part.rest) : part)

export interface PartsOptions {
  /** Longest chunk that is made by joining, ms. */
  readonly chunkMs: number
  /** The part that the recorder is in. */
  readonly current: () => Part
  /** The worker has taken this many bytes. */
  readonly onTaken: (sizeBytes: number) => void
  readonly onStalled: () => void
  /** The worker has lost the session of the part that the recorder is in; what it had not taken is in `rest`. */
  readonly onLost: (rest: Part) => void
  /** A chunk could not be kept. */
  readonly onFailed: (error: unknown) => void
}

/**
 * Hands what a recording makes to its sessions: to the first or, where the worker has lost one, or the page was frozen,
 * to one that names it in `continues`.
 */
export function recordingParts(options: PartsOptions) {
  const { chunkMs, current, onTaken, onStalled, onLost, onFailed } = options
  const sessions: RecordingSession[] = []
  /** Of parts that get nothing more. */
  const ends: Promise<unknown>[] = []

  function known(session: RecordingSession): RecordingSession {
    sessions.push(session)
    return session
  }
  const restart = async (before: RecordingSession) => known(await before.restart())
  /** Sessions that were lost since a chunk was taken. */
  let lostInARow = 0

  /** Hands over as many chunks as have their turn. */
  function handNext(to: Part, atOnce = MAX_CONCURRENT_CHUNKS): void {
    while (to.queued.length > 0 && to.handed.size < atOnce)
      for (const piece of cut(takeJoined(to.queued, chunkMs))) hand(piece, to)
  }

  function hand(piece: Slice, to: Part): void {
    const { data, capturedAtMs, durationMs, taken } = piece
    to.handed.add(piece)
    const handed = to.session.then((into) => into.append(data, { capturedAtMs, durationMs, onStalled }))
    handed.then(
      () => {
        to.handed.delete(piece)
        lostInARow = 0
        taken()
        handNext(to)
        onTaken(data.size)
      },
      (error: unknown) => (isHoldfastError(error, 'unknown-session') ? leave(to) : onFailed(error)),
    )
  }

  /** One that the worker does not take is no reason to end a recording. */
  function handNote(note: TimedNote, to: Part): void {
    const noted = to.session.then((into) => into.note({ ...note.value }, { atMs: note.atMs }))
    noted.catch((error: unknown) => isHoldfastError(error, 'unknown-session') && leave(to))
  }

  function handNotes(of: Part): void {
    if (of.hasSlices) return
    of.hasSlices = true
    for (const note of of.notes) handNote(note, of)
  }

  /** The worker has lost this part's session. */
  function leave(lost: Part): void {
    if (lost.isLost) return
    lost.isLost = true
    lostInARow++
    const rest = restOf(lost)
    lost.ended.resolve(undefined)
    rest.notes.push(...lost.notes)
    if (lost.hasSlices) handNotes(rest)
    for (const piece of lost.handed) hand(piece, rest)
    rest.queued.push(...lost.queued.splice(0))
    handNext(rest)
    if (lost.endsAs) return end(rest, lost.endsAs)
    if (lost === current()) onLost(rest)
  }

  /** The part that goes on with what one has lost: at once, but a worker that loses one after the other is asked ever more rarely. */
  function after(before: Part): Part {
    return partOf(
      before.session.then(async (lost) => {
        const waitMs = Math.min(FIRST_WAIT_MS * 2 ** lostInARow, LONGEST_WAIT_MS)
        if (lostInARow > 2) await new Promise((resolve) => setTimeout(resolve, waitMs))
        return restart(lost)
      }),
    )
  }

  /** One that goes on after all that belongs to this one: another may have begun after its end, and have ended. */
  function restOf(before: Part): Part {
    const last = lastOf(before)
    return (last.rest = after(last))
  }

  function end(ending: Part, as: Ending): void {
    const done = lastOf(ending)
    done.endsAs = as
    // What waits for its turn is the session's to hand over from here on.
    handNext(done, Infinity)
    const ended = done.session.then((last) => last.end(as === 'interrupted' ? { how: as } : {}))
    ended.then(done.ended.resolve, () => done.ended.resolve(undefined))
    // Where the worker has lost it, what it had not taken is in another; so is what came later.
    const isElsewhere = (error: unknown) =>
      done.isLost || (done !== current() && isHoldfastError(error, 'unknown-session'))
    const told = ended.catch((error: unknown) => (isElsewhere(error) ? undefined : Promise.reject(error)))
    // The first that fails is told; nobody may wait for the others.
    told.catch(() => undefined)
    ends.push(told)
  }

  return {
    first: (session: RecordingSession): Part => partOf(Promise.resolve(known(session))),
    /** One that goes on after this one. */
    after,
    /** The same, once this one has ended; and what the worker says of that, undefined where it has lost it. */
    afterEnd(before: Part): { readonly next: Part; readonly ended: Promise<SessionSnapshot | undefined> } {
      const { session, ended } = lastOf(before)
      const next = session.then(async (last) => {
        await ended.promise
        return restart(last)
      })
      return { next: partOf(next), ended: ended.promise }
    },
    /** Hands a slice over when it has its turn. */
    add(slice: Slice, of: Part): void {
      const last = lastOf(of)
      const { endsAs } = last
      // Its recorder was not waited for any longer, and gives it after all.
      const to = endsAs ? restOf(last) : last
      to.queued.push(slice)
      handNext(to)
      handNotes(to)
      if (endsAs) end(to, endsAs)
    },
    /** Writes a note once there is a slice. */
    note(value: RecorderNote, of: Part): void {
      const to = lastOf(of)
      const note = { value, atMs: Date.now() }
      to.notes.push(note)
      if (to.hasSlices) handNote(note, to)
    },
    /** Nothing more comes of this part. */
    end,
    /** Resolves when all parts have ended; rejects as `end` of a session does. */
    async allEnded(): Promise<void> {
      // More may be added meanwhile.
      for (const ended of ends) await ended
    },
    /** Why the worker does not take the oldest chunk at the moment. */
    stalledBy: (): HoldfastError | undefined => sessions.map((each) => each.stalledBy).find(Boolean),
  }
}
