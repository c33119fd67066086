import type { ChunkEntry, EndHow, NoteEntry } from '../evidence/entry.ts'
import type { Log, LogEntry } from './log.ts'

/** A chunk that the log lists; nothing is said yet of its bytes. */
export interface ListedChunk {
  readonly index: number
  /** In the log. */
  readonly position: number
  /** Ms since the epoch by the device's clock: its word. */
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Of the ciphertext. */
  readonly sizeBytes: number
  /** It existed before this time, ms since the epoch by the chain's clock; undefined where no chain has witnessed it. */
  readonly existedBeforeMs: number | undefined
}

/** How a recording ended, as its log says. */
export type Ending = 'open' | EndHow

interface Placed<Entry> {
  readonly position: number
  readonly entry: Entry
  readonly existedBeforeMs: number | undefined
}

/** What a log lists, in order. */
export interface Contents {
  /** By ascending index, each once: the first entry of an index counts. */
  readonly chunks: readonly Placed<ChunkEntry>[]
  /** Later entries of an index that was listed before. */
  readonly repeated: readonly Placed<ChunkEntry>[]
  readonly notes: readonly Placed<NoteEntry>[]
  readonly ending: Ending
  /** At most `MAX_MISSING`; `missingCount` counts all. */
  readonly missingIndexes: readonly number[]
  readonly missingCount: number
}

/** A log can say that billions are missing; naming them all would cost memory, and help nobody. */
const MAX_MISSING = 1_000_000

export function contentsOf({ entries, newest }: Pick<Log, 'entries' | 'newest'>): Contents {
  const byIndex = new Map<number, Placed<ChunkEntry>>()
  const repeated: Placed<ChunkEntry>[] = []
  const notes: Placed<NoteEntry>[] = []
  let indexes: number | null = null
  for (const { entry, ...place } of entries) {
    if (entry.kind === 'note') notes.push({ entry, ...place })
    if (entry.kind === 'end') indexes = entry.indexes
    if (entry.kind !== 'chunk') continue
    if (byIndex.has(entry.index)) repeated.push({ entry, ...place })
    else byIndex.set(entry.index, { entry, ...place })
  }
  const chunks = [...byIndex.values()].sort((a, b) => a.entry.index - b.entry.index)
  return {
    chunks,
    repeated,
    notes,
    ending: endingOf(entries.at(-1), newest),
    ...missingOf(chunks, indexes ?? 0),
  }
}

/** What the log's very last entry says, or its newest head where that entry is lost. */
function endingOf(last: LogEntry | undefined, newest: Log['newest']): Ending {
  const isLast = last !== undefined && last.position + 1 === newest?.size
  if (isLast && last.entry.kind === 'end') return last.entry.how
  return newest?.end ? 'complete' : 'open'
}

/** Indexes that no chunk has, below those that some have or the recorder had cut. */
function missingOf(chunks: readonly Placed<ChunkEntry>[], cut: number) {
  const missingIndexes: number[] = []
  const below = Math.max(cut, (chunks.at(-1)?.entry.index ?? -1) + 1)
  let next = 0
  const skipTo = (index: number) => {
    for (; next < index && missingIndexes.length < MAX_MISSING; next++) missingIndexes.push(next)
    next = index + 1
  }
  for (const { entry } of chunks) skipTo(entry.index)
  skipTo(below)
  return { missingIndexes, missingCount: below - chunks.length }
}
