import { chunkIdOf, type SessionId } from '../../src/protocol/ids.ts'
import { CHUNK_STATUSES } from '../../src/protocol/snapshot.ts'
import type { ChunkRecord, SessionRecord } from '../../sw/core/record.ts'
import { dueKey, statusOf, withOpenMarker } from '../../sw/core/session.ts'
import { chunksOf, type Commit, type DiskState } from '../../sw/testing/fake-disk.ts'
import type { Scene } from './simulated-scene.ts'

/** Looks whether the books agree with a recount: tallies, sums, marks, places in the queue, and the custody log. */
export interface BooksOracle {
  onCommit(commit: Commit): void
  /** What was not durable is gone, and this is left. */
  onPowerLost(disk: DiskState): void
}

export function createBooksOracle({ fail }: Scene): BooksOracle {
  /** The last status in the custody log, of chunks and sessions. */
  const logged = new Map<string, string>()

  const check = (holds: boolean, what: string) => {
    if (!holds) fail(what)
  }

  function checkSession(session: SessionRecord, disk: DiskState): void {
    const { id, listed, listing } = session
    const chunks = chunksOf(disk, id)
    const sumOf = (share: (chunk: ChunkRecord) => number) =>
      chunks.reduce((sum, chunk) => sum + share(chunk), 0)
    for (const chunk of chunks) {
      const { state, position = -1 } = chunk
      // What is proved is as far as its entry.
      const proved =
        position < listed.tree.size
          ? 'anchoring'
          : position < (listing?.tree.size ?? 0)
            ? 'manifesting'
            : 'uploaded'
      const status = state.status === 'uploaded' ? proved : state.status
      const told = statusOf(chunk, session)
      check(told === status, `${chunk.id} is told as ${told}, and its entry is ${status}`)
      checkLine(chunk)
      const [ofSession, place] = chunk.proved ?? []
      const isRight = state.status === 'uploaded' ? ofSession === id && place === position : !chunk.proved
      check(isRight, `${chunk.id} is ${status}, and is found among what is proved as ${place}`)
    }
    for (const status of CHUNK_STATUSES) {
      const count = chunks.filter((chunk) => statusOf(chunk, session) === status).length
      check(session.tally[status] === count, `the tally of ${id} is not its chunks'`)
    }
    const { parked, localBytes, totalBytes, storedBytes, totalMs, storedMs } = session
    const isStored = ({ state }: ChunkRecord) => state.uploadedAtMs !== undefined
    const counted = [
      [parked, sumOf(({ effort }) => (effort?.notBeforeMs === Infinity ? 1 : 0)), 'parked chunks'],
      [
        localBytes,
        sumOf(({ state, sizeBytes }) => (state.status === 'confirmed' ? 0 : sizeBytes)),
        'held bytes',
      ],
      [totalBytes, sumOf(({ sizeBytes }) => sizeBytes), 'bytes'],
      [storedBytes, sumOf((chunk) => (isStored(chunk) ? chunk.sizeBytes : 0)), 'stored bytes'],
      [totalMs, sumOf(({ durationMs }) => durationMs), 'ms'],
      [storedMs, sumOf((chunk) => (isStored(chunk) ? chunk.durationMs : 0)), 'stored ms'],
    ] as const
    for (const [count, there, what] of counted)
      check(count === there, `${id} counts ${count} ${what}, and there are ${there}`)
    check(withOpenMarker(session).open === session.open, `the open mark of ${id} is wrong`)
    checkListing(session, chunks)
  }

  /** What is listed, being listed, or neither, is told by its place in the log. */
  function checkListing(
    { id, size, listing, listed, expired = [] }: SessionRecord,
    chunks: readonly ChunkRecord[],
  ): void {
    const listedTo = listed.tree.size
    const beganTo = Math.max(listing?.tree.size ?? 0, listedTo)
    const { from = listedTo } = listing?.frame ?? {}
    const isAskedAgain = expired.some((page) => page.from === from && page.to === listing?.tree.size)
    // A full page begins where the last full one ends, and lists what the small ones since then have, and more.
    const isFull = from === listed.full?.tree.size && (listing?.tree.size ?? 0) > listedTo
    check(from === listedTo || isFull || isAskedAgain, `the page of ${id} does not begin where the log ends`)
    check(listedTo <= beganTo && beganTo <= size, `${id} lists entries that it does not have`)
    for (const { id: chunkId, position = -1, state } of chunks)
      check(
        state.status !== 'confirmed' || position < listedTo,
        `${chunkId} was confirmed, and is in no page`,
      )
  }

  function checkChunk(chunk: ChunkRecord, disk: DiskState): void {
    const session = disk.sessions.get(chunk.sessionId)
    if (session === undefined) return fail(`${chunk.id} has no session`)
    const isInPlace = JSON.stringify(chunk.due) === JSON.stringify(dueKey(chunk, session))
    check(isInPlace, `the place of ${chunk.id} in the queue is wrong`)
    checkLine(chunk)
  }

  function checkLine({ id, state }: ChunkRecord): void {
    const line = logged.get(id)
    check(line === state.status, `the custody log says that ${id} is ${line}, not ${state.status}`)
  }

  function readLog({ lines }: Commit): void {
    for (const { sessionId, index, event, from, to } of lines) {
      const name = index === undefined ? sessionId : chunkIdOf(sessionId, index)
      if (event === 'noted') lives(sessionId)
      if (to === undefined || event === 'anchored') continue
      const known = event === 'acknowledged' || event === 'session-started' ? undefined : logged.get(name)
      check(known === from, `the custody log has ${name} go from ${from}, after it was ${known}`)
      check(event !== 'acknowledged' || !logged.has(name), `${name} was acknowledged as new twice`)
      logged.set(name, to)
      if (event === 'acknowledged') lives(sessionId)
    }
  }

  /** Whoever was taken for dead lives: the line of a chunk or a note that is new says it. */
  function lives(id: SessionId): void {
    if (logged.get(id) === 'interrupted') logged.set(id, 'recording')
  }

  return {
    onCommit(commit) {
      const { before, after, chunks, sessions } = commit
      readLog(commit)
      for (const id of sessions) {
        const session = after.sessions.get(id)
        if (session !== undefined) checkSession(session, after)
        else for (const { id: chunkId } of chunksOf(before, id)) logged.delete(chunkId)
      }
      for (const id of chunks) {
        const chunk = after.chunks.get(id)
        if (chunk !== undefined) checkChunk(chunk, after)
      }
    },

    onPowerLost(disk) {
      for (const { sessionId, index, event, to } of disk.log) {
        if (event === 'noted') lives(sessionId)
        if (to === undefined || event === 'anchored') continue
        const chunkId = index === undefined ? undefined : chunkIdOf(sessionId, index)
        if (chunkId === undefined ? disk.sessions.has(sessionId) : disk.chunks.has(chunkId))
          logged.set(chunkId ?? sessionId, to)
        if (event === 'acknowledged') lives(sessionId)
      }
    },
  }
}
