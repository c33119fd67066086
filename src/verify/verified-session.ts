import type { Entry, SessionEntry } from '../evidence/entry.ts'
import type { SignedHead } from '../evidence/head.ts'
import { openNote, type Note } from '../evidence/note-seal.ts'
import { x25519 as pickX25519 } from '../evidence/x25519-pick.ts'
import type { CidProfile } from '../evidence/cid.ts'
import type { SessionName } from '../protocol/ids.ts'
import { portable, type PortableHead } from './anchor-head.ts'
import { chunkReader, isChunk, type JudgedChunk, type PlacedChunk } from './chunk-reader.ts'
import { contentsOf, type Ending, type ListedChunk } from './contents.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { openKey } from './key.ts'
import type { HeadReport } from './head-report.ts'
import type { Log, LogEntry, Range } from './log.ts'
import type { NodeReport, VanishedHead } from './nodes.ts'
import { inParallel } from './in-parallel.ts'
import type { Objects } from './objects.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { VerificationProgress } from './options.ts'
import { partOf, plaintextBytes, streamOf, type RangeUnit } from './range.ts'

/** A note; `value` is left out where it does not open to a JSON object. */
export interface ReadNote {
  readonly position: number
  readonly atMs: number
  readonly value?: Note
}

/** A session whose heads hold and whose key opens; its chunks are judged as they are read. */
export interface VerifiedSession {
  readonly name: SessionName
  /** Ms since the epoch, by the device's clock. */
  readonly startedAtMs: number
  readonly mimeType: string
  /** The session that this one goes on with. */
  readonly continues?: SessionName
  /** Left out where there is none, or it does not open to a JSON object. */
  readonly metadata?: Note
  readonly ending: Ending
  /**
   * Every head that the registry took, in its order; or the one that was given, which is `unwitnessed`. None in an early
   * step without a chain: what that head says only all of its pages tell.
   */
  readonly heads: readonly HeadReport[]
  /** The newest good head: keep it, and `anchorHead` brings it to the chain again should that forget it. */
  readonly newestHead: PortableHead
  /** Heads that another node has, or an earlier reading had, and that the chain does not have by the node believed. */
  readonly vanished: readonly VanishedHead[]
  /** What came of asking each node. */
  readonly nodes: readonly NodeReport[]
  /** Entries in the log, those that are lost included. */
  readonly size: number
  /** Chunks that the recorder had cut and the log does not list: at most 1,000,000, of `missingCount`. */
  readonly missingIndexes: readonly number[]
  readonly missingCount: number
  /** Positions whose pages cannot be fetched. */
  readonly lostEntries: readonly Range[]
  /** Why pages cannot be fetched. */
  readonly lostPages: readonly VerificationError[]
  /** What heads list that contradict an earlier one: shown apart, and part of nothing else here. */
  readonly forked: readonly LogEntry[]
  /** Later entries of an index that the log had before; the first counts. */
  readonly repeated: readonly ListedChunk[]
  readonly notes: readonly ReadNote[]
  /** By ascending index, each once. */
  readonly listed: readonly ListedChunk[]
  /** Of the recording, as its log lists it. */
  readonly sizeBytes: number
  /**
   * Every listed chunk, in index order, each fetched, checked and decrypted. The next ones are read ahead, of 24 MiB
   * and 16 at most. A bad one never ends it. Each call starts over; `return` ends it at once, whatever is under way. It
   * throws the signal's reason alone.
   *
   * @param isWanted those for which it is false are neither fetched nor given
   */
  chunks(isWanted?: (chunk: ListedChunk) => boolean): AsyncGenerator<JudgedChunk, void, undefined>
  /** The same of the chunks in `forked`. */
  forkedChunks(): AsyncGenerator<JudgedChunk, void, undefined>
  /**
   * The recording as one file: all plaintexts joined; needs memory for it.
   *
   * @throws VerificationError of the first chunk that is not proved, unless `partial` leaves such out
   */
  bytes(options?: { readonly partial?: boolean }): Promise<Uint8Array<ArrayBuffer>>
  /**
   * A part of the recording, piece by piece, without what comes before it. In bytes it is cut exactly; in ms since
   * `startedAtMs`, by the device's clock, it is the whole chunks in which any of that time is.
   *
   * @param from 0 or more
   * @param to not in it; the end unless told
   * @throws VerificationError of the first chunk that is not proved, unless `partial` leaves such out; `bad-input`
   */
  range(from: number, to?: number, options?: RangeOptions): AsyncGenerator<Uint8Array, void, undefined>
  /** The same as a stream, the whole recording unless told. */
  stream(from?: number, to?: number, options?: RangeOptions): ReadableStream<Uint8Array>
}

export interface RangeOptions {
  /** `bytes` unless told. */
  readonly unit?: RangeUnit | undefined
  readonly partial?: boolean | undefined
}

/** Hex digits of what is sealed of nothing. */
const LEAST_SEALED = 2 * 48

/** What sessions of one name are opened with, however much of the log is known. */
export interface SessionSource {
  readonly name: SessionName
  readonly objects: Objects
  readonly profile: CidProfile
  readonly groupKey: Uint8Array<ArrayBuffer>
  readonly onProgress: ((progress: VerificationProgress) => void) | undefined
  /** Ends the opening. */
  readonly signal: AbortSignal | undefined
}

/** What was found of it. */
export interface FoundLog extends Pick<VerifiedSession, 'vanished' | 'nodes' | 'lostPages'> {
  readonly log: Log
}

/**
 * The session that has this log, once its key opens.
 *
 * @param signed the head that leads to it, where it signs for more; the log's newest unless told
 * @throws VerificationError with `root`, `first-page`, `gateway-unreachable`, `groups`, `group` or `key`; the signal's
 *   reason
 */
export async function sessionOf(
  { name, objects, profile, groupKey, onProgress, signal }: SessionSource,
  { log, lostPages, vanished, nodes }: FoundLog,
  signed?: SignedHead,
): Promise<VerifiedSession> {
  let chunksTotal = 0
  const at = (step: VerificationStep, chunksVerified = 0) =>
    onProgress?.({ step, chunksVerified, chunksTotal })
  const { session, newest } = beginningOf(name, log, lostPages)
  at('checking the group')
  const x25519 = await pickX25519()
  const sessionKey = await openKey(name, session, groupKey, x25519)
  const contents = contentsOf(log)
  chunksTotal = contents.chunks.length
  const { sealingKey } = session
  const source = { objects, profile, name, sessionKey, sealingKey, x25519, alone: oneAtATime() }
  const reader = chunkReader(source, at)

  const opened = async (atMs: number, sealed: string): Promise<Note | undefined> =>
    // Whoever has the key can list any number that cannot open: those cost no computing.
    sealed.length < LEAST_SEALED
      ? undefined
      : openNote({ sessionKey, sealingKey, name, atMs, sealed }, x25519).catch(() => undefined)
  const metadata = session.metadata ? await opened(session.startedAtMs, session.metadata) : undefined
  const notes = await inParallel(contents.notes, async ({ position, entry }): Promise<ReadNote> => {
    signal?.throwIfAborted()
    const value = await opened(entry.atMs, entry.sealed)
    return { position, atMs: entry.atMs, ...(value && { value }) }
  })

  signal?.throwIfAborted()

  const measured = contents.chunks.map((chunk) => ({ ...chunk.entry, chunk }))
  const range: VerifiedSession['range'] = (from, to, { unit, partial } = {}) =>
    reader.pieces(() => partOf(measured, session.startedAtMs, from, to, unit), partial)

  return {
    name,
    startedAtMs: session.startedAtMs,
    mimeType: session.mimeType,
    ...(session.continues && { continues: session.continues }),
    ...(metadata && { metadata }),
    ending: contents.ending,
    heads: log.heads,
    newestHead: portable(signed ?? newest, session.groups),
    vanished,
    nodes,
    size: newest.size,
    missingIndexes: contents.missingIndexes,
    missingCount: contents.missingCount,
    lostEntries: log.lost,
    lostPages,
    forked: log.forked,
    repeated: contents.repeated.map(listed),
    notes,
    listed: contents.chunks.map(listed),
    chunks: (isWanted = () => true) =>
      reader.judged(contents.chunks.filter((chunk) => isWanted(listed(chunk)))),
    forkedChunks: () => reader.judged(log.forked.filter(isChunk)),
    sizeBytes: measured.reduce((sum, chunk) => sum + plaintextBytes(chunk), 0),
    bytes: ({ partial } = {}) => reader.bytes(contents.chunks, partial),
    range,
    stream: (from = 0, to, options) => streamOf(range(from, to, options)),
  }
}

function listed({ position, entry, existedBeforeMs }: PlacedChunk): ListedChunk {
  const { index, capturedAtMs, durationMs, sizeBytes } = entry
  return { index, position, capturedAtMs, durationMs, sizeBytes, existedBeforeMs }
}

/**
 * The entry that the log begins with, and its newest head.
 *
 * @throws VerificationError with `root`, `first-page` or `gateway-unreachable`
 */
function beginningOf(
  name: SessionName,
  log: Log,
  causes: readonly VerificationError[],
): { readonly session: SessionEntry; readonly newest: SignedHead } {
  const { newest } = log
  if (newest === undefined) {
    const why = log.heads.find((head) => head.why)?.why ?? 'its size is beyond all'
    throw new VerificationError(
      'root',
      'checking the log',
      `The first head of ${name} contradicts itself: ${why}`,
    )
  }
  const first: Entry | undefined = log.entries[0]?.position === 0 ? log.entries[0].entry : undefined
  if (first?.kind === 'session') return { session: first, newest }
  const unheard = causes.find(({ code }) => code === 'gateway-unreachable')
  if (unheard) throw unheard
  const what = `The first page of ${name} cannot be fetched: ${causes.map(({ message }) => message).join('; ')}`
  throw new VerificationError('first-page', 'checking the log', what.slice(0, 1_000), { cause: causes[0] })
}
