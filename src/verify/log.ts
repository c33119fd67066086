import type { Entry } from '../evidence/entry.ts'
import type { Head, SignedHead } from '../evidence/head.ts'
import type { Sha256Hex } from '../protocol/ids.ts'
import { contradictionOfGroups, contradictionWithin, isBeyond } from './contradictions.ts'
import { latenessOf, notFollowed, reportOf, type HeadReport } from './head-report.ts'
import type { FoundHead } from './heads.ts'
import type { Pages } from './pages.ts'
import type { PagedEntry, ReadPage } from './read-page.ts'
import { pauses, type Pause } from './pauses.ts'
import { firstFrom, pageOf, pagesBeside, viewAfter, viewOf, type View } from './view.ts'
import { longestWhole, newestWhole, type WholeLog } from './whole-log.ts'

/** An entry of the log. */
export interface LogEntry {
  readonly position: number
  readonly entry: Entry
  /**
   * It existed before this time: that of the first block whose head lists it, or is known to, in ms since the epoch;
   * undefined where no block has one.
   */
  readonly existedBeforeMs: number | undefined
}

/** Positions from `from` up to, without, `to`. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** What the anchored heads and their pages add up to. */
export interface Log {
  readonly heads: readonly HeadReport[]
  /** The newest good head; none where even the first contradicts itself. */
  readonly newest: SignedHead | undefined
  /** By ascending position. */
  readonly entries: readonly LogEntry[]
  /** Positions whose pages cannot be fetched. */
  readonly lost: readonly Range[]
  /** What forked heads list and the log does not. */
  readonly forked: readonly LogEntry[]
}

interface Listed extends PagedEntry {
  readonly existedBeforeMs: number | undefined
}

/** So many pages are looked at for all views: whoever has the key can have each head tell the whole log in another way. */
const MAX_LOOKS = 2 ** 22

/** The log by the newest signed head alone; undefined where that does not say all of it. */
export async function wholeLog(found: readonly FoundHead[], pages: Pages): Promise<Log | undefined> {
  const whole = await newestWhole(found, pages)
  return whole && logFrom(whole, found, pages, 0)
}

/**
 * The log, in the order in which its heads were anchored: each must be the head of its own pages and have the root of
 * each head before it at that size. From the first that does not, the log is forked: what was anchored before stands.
 * But up to the last head that says all of the log, each is taken at its word, whatever its own pages are.
 */
export async function readLog(found: readonly FoundHead[], pages: Pages, maxLooks = MAX_LOOKS): Promise<Log> {
  const log = await logFrom(undefined, found, pages, maxLooks)
  const fork = log.heads.findIndex(({ verdict }) => verdict === 'forked')
  const whole = fork < 0 ? undefined : await longestWhole(found, pages, maxLooks)
  return whole && whole.found.length > fork ? logFrom(whole, found, pages, maxLooks) : log
}

/** @param whole how it begins; undefined where all heads are held against their pages */
async function logFrom(
  whole: WholeLog | undefined,
  found: readonly FoundHead[],
  pages: Pages,
  maxLooks: number,
): Promise<Log> {
  const entries = new Map<number, Listed>()
  const listed = new Set<Sha256Hex>()
  /** Pages of forked heads. */
  const told = new Set<Sha256Hex>()
  const apart = new Map<string, LogEntry>()
  const accepted: SignedHead[] = []
  const timesOfAccepted: (number | undefined)[] = []
  /** The size of the largest view without losses: it gives each head before it, so these list all that it has up to theirs. */
  let given = 0
  const heads: HeadReport[] = []
  let base: View | undefined
  let isForked = false
  const pause = pauses()
  let looks = 0

  const isKnown = ({ digest }: ReadPage) => listed.has(digest) || told.has(digest)
  /** What a forked head lists, and nothing that stands does. */
  function tellApart(fresh: readonly ReadPage[], timeMs: number | undefined): void {
    for (const page of fresh) {
      told.add(page.digest)
      for (const [at, { entry, leaf }] of page.entries.entries()) {
        const position = page.from + at
        const key = `${position} ${leaf}`
        if (entries.get(position)?.leaf !== leaf && !apart.has(key))
          apart.set(key, { position, entry, existedBeforeMs: timeMs })
      }
    }
  }
  /** @param fresh what it is the first to list */
  function accept(one: FoundHead, fresh: readonly Pick<ReadPage, 'from' | 'entries'>[]): void {
    const { head, timeMs } = one
    const verdict = timeMs === undefined ? 'unwitnessed' : 'good'
    heads.push({ ...reportOf(one), ...latenessOf(fresh, timeMs), verdict })
    for (const { from, entries: those } of fresh)
      for (const [at, { entry, leaf }] of those.entries())
        if (!entries.has(from + at)) entries.set(from + at, { entry, leaf, existedBeforeMs: timeMs })
    accepted.push(head)
    timesOfAccepted.push(timeMs)
  }
  const reject = (one: FoundHead) => heads.push({ ...reportOf(one), verdict: 'bad-signature' })
  function goOnFrom(view: View, { size }: Head): void {
    base = view
    if (view.lost.size === 0) given = size
  }

  if (whole) {
    const list = whole.view.pages.flatMap((page) => page.entries)
    for (const one of whole.found) {
      await pause()
      const from = entries.size
      if (one.isSigned) accept(one, [{ from, entries: list.slice(from, one.head.size) }])
      else reject(one)
    }
    for (const { digest } of whole.view.pages) listed.add(digest)
    goOnFrom(whole.view, accepted.at(-1)!)
  }

  for (const one of found.slice(heads.length)) {
    const { head, timeMs, isSigned } = one
    const report = reportOf(one)
    if (looks > maxLooks) {
      heads.push(
        ...notFollowed(
          found.slice(heads.length),
          'to hold the heads before it against each other takes too long',
        ),
      )
      break
    }
    if (!isSigned) {
      if (isBeyond(head)) {
        isForked = true
        heads.push({ ...report, verdict: 'forked' })
      } else reject(one)
      continue
    }
    if (isForked) {
      await pause()
      const fresh = pagesBeside(isKnown, head, pages)
      heads.push({ ...report, ...latenessOf(fresh, timeMs), verdict: 'forked' })
      tellApart(fresh, timeMs)
      continue
    }
    const view = (base && viewAfter(base, head, pages)) ?? viewOf(head, pages)
    looks += view.pages.length - view.shared
    // A page that was looked at before gave the heads before it then, and those after it are larger than what it lists.
    const fresh = view.pages.slice(view.shared).filter((page) => !isKnown(page))
    const why =
      view.contradiction ??
      contradictionWithin(view, head, pageOf(pages, head.page)) ??
      contradictionOfEntries(fresh, entries) ??
      (await contradictionOfGroups(entries.get(0)?.entry ?? view.pages[0]?.entries[0]?.entry, head)) ??
      (await contradictionOfRoots(fresh, accepted, head, pause))
    if (why !== undefined) {
      isForked = true
      heads.push({ ...report, ...latenessOf(fresh, timeMs), verdict: 'forked', why })
      tellApart(fresh, timeMs)
      continue
    }
    accept(one, fresh)
    for (const { digest } of fresh) listed.add(digest)
    if (pageOf(pages, head.page)) goOnFrom(view, head)
  }

  const newest = accepted.at(-1)
  let first = 0
  const inOrder = [...entries]
    .sort(([a], [b]) => a - b)
    .map(([position, { entry, existedBeforeMs }]): LogEntry => {
      while (first < accepted.length && accepted[first]!.size <= position) first++
      const isGiven = position < given
      return { position, entry, existedBeforeMs: isGiven ? timesOfAccepted[first] : existedBeforeMs }
    })
  return {
    heads,
    newest,
    entries: inOrder,
    lost: gapsIn(inOrder, newest?.size ?? 0),
    forked: [...apart.values()].sort(byPosition),
  }
}

const byPosition = (a: LogEntry, b: LogEntry) => a.position - b.position

function contradictionOfEntries(
  fresh: readonly ReadPage[],
  entries: ReadonlyMap<number, Listed>,
): string | undefined {
  for (const page of fresh) {
    for (const [at, { leaf }] of page.entries.entries()) {
      const known = entries.get(page.from + at)
      if (known && known.leaf !== leaf) return `it has another entry at position ${page.from + at}`
    }
  }
  return undefined
}

/** Why the log of these pages is not that of this head, or of one before it. */
async function contradictionOfRoots(
  pages: readonly ReadPage[],
  accepted: readonly Head[],
  head: Head,
  pause: Pause,
): Promise<string | undefined> {
  for (const page of pages) {
    const heads = accepted.slice(
      firstFrom(accepted, ({ size }) => size >= page.from),
      firstFrom(accepted, ({ size }) => size > page.to),
    )
    if (head.size === page.to) heads.push(head)
    const roots = page.rootsAt(heads.map(({ size }) => size))
    for (const [at, { size, root }] of heads.entries())
      if (root !== roots[at])
        return `its pages should have the root ${root} at size ${size}, found ${roots[at]}`
    await pause()
  }
  return undefined
}

function gapsIn(entries: readonly LogEntry[], size: number): Range[] {
  const gaps: Range[] = []
  let next = 0
  for (const { position } of entries) {
    if (position > next) gaps.push({ from: next, to: position })
    next = position + 1
  }
  if (size > next) gaps.push({ from: next, to: size })
  return gaps
}
