import { isAllLive, type SourceState } from './source.ts'

/**
 * What a recorder writes into its recording by itself, for readers (docs/evidence-format.md). By `holdfast` they are told
 * from notes of the app's own.
 */
export type RecorderNote =
  /** What the stream gives from now on. */
  | ({ readonly holdfast: 'source' } & SourceState)
  /** What is recorded is made up. */
  | { readonly holdfast: 'test-picture' }
  /** It goes on with another session: the page was frozen, or its device had lost that one. */
  | { readonly holdfast: 'continued'; readonly after: 'frozen' | 'lost' }

/** A note, and when that was: ms since the epoch. */
export interface TimedNote {
  readonly value: RecorderNote
  readonly atMs: number
}

export const sourceNote = (source: SourceState): RecorderNote => ({ holdfast: 'source', ...source })

/** What a recording is to say of its source from its beginning on; nothing of a camera that gives all. */
export const firstNotes = (source: SourceState, isTestPicture: boolean): readonly RecorderNote[] => [
  ...(isTestPicture ? [{ holdfast: 'test-picture' } as const] : []),
  ...(isAllLive(source) ? [] : [sourceNote(source)]),
]
