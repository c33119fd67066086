import type { Entry } from '../evidence/entry.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import type { FoundHead, HeadsBeyond, Telling } from './heads.ts'
import type { ReadPage } from './read-page.ts'

/** What a reader says of a head. */
export interface HeadReport {
  readonly size: number
  readonly root: Sha256Hex
  /** The block in which the registry took it; undefined where it is `unwitnessed`. */
  readonly blockNumber: number | undefined
  /** The time of that block: ms since the epoch, in whole seconds. */
  readonly timeMs: number | undefined
  /**
   * - `good`: it continues the heads before it
   * - `unwitnessed`: signed, and what its pages add up to; but nobody else has seen it, so that nothing says when it was
   *   made but the device, nor that its recorder has made no other
   * - `bad-signature`: not by the session's key: it is none of the session's
   * - `forked`: signed, but it contradicts its own pages or a head before it; or it comes after one that does
   * - `not-followed`: it comes after as much as is read of a session, and was not looked at. Of heads beyond 65,536 the
   *   newest is told, instead of all of these
   */
  readonly verdict: 'good' | 'unwitnessed' | 'bad-signature' | 'forked' | 'not-followed'
  /** What the first forked head contradicts, or why the first one that is not followed is not. */
  readonly why?: string
  /**
   * How long after the newest of the entries that it is the first to list it was taken, in ms: by the device's clock
   * against the chain's, so below 0 where the device's is fast. Left out where it lists nothing new that can be fetched.
   */
  readonly lateMs?: number
  /** Where others tell of this head in another block: the later time counts. */
  readonly disputed?: readonly Telling[]
}

/** What is said of any head. */
export const reportOf = ({ head: { size, root }, blockNumber, timeMs, disputed }: FoundHead) => ({
  size,
  root,
  blockNumber,
  timeMs,
  ...(disputed && { disputed }),
})

/** What is said of heads that nobody looked at, and why, of the first. */
export const notFollowed = (found: readonly FoundHead[], why: string | undefined): HeadReport[] =>
  found.map((one, at) => ({
    ...reportOf(one),
    verdict: one.isSigned ? 'not-followed' : 'bad-signature',
    ...(at === 0 && why !== undefined && { why }),
  }))

/** What is said of the heads that come after those that are followed: one report instead of all. */
export function reportOfBeyond(followed: number, beyond: HeadsBeyond): HeadReport {
  const { size, root, blockNumber, blockAtMs: timeMs } = beyond.newest
  const why = `the chain has ${beyond.count} heads, of which the first ${followed} are followed`
  return { size, root, blockNumber, timeMs, verdict: 'not-followed', why }
}

/** How late a head comes after what these pages list. */
export function latenessOf(
  fresh: readonly Pick<ReadPage, 'entries'>[],
  timeMs: number | undefined,
): Pick<HeadReport, 'lateMs'> {
  // No list of arguments: one head may list any number of entries.
  let newestMs = -1
  for (const { entries } of fresh)
    for (const { entry } of entries) newestMs = Math.max(newestMs, deviceTimeOf(entry))
  return newestMs < 0 || timeMs === undefined ? {} : { lateMs: timeMs - newestMs }
}

/** When the device says that what an entry tells of was over. */
function deviceTimeOf(entry: Entry): number {
  switch (entry.kind) {
    case 'session':
      return entry.startedAtMs
    case 'chunk':
      return entry.capturedAtMs + entry.durationMs
    case 'end':
      return entry.endedAtMs
    case 'note':
      return entry.atMs
  }
}
