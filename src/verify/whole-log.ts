import type { FoundHead } from './heads.ts'
import { latenessOf, reportOf } from './head-report.ts'
import { contradictionOfGroups, contradictionWithin, isBeyond, type Log } from './log.ts'
import type { Pages } from './pages.ts'
import { isComplete, type PagedEntry } from './read-page.ts'
import { pauses } from './pauses.ts'
import { pageOf, rootsIn, viewOf } from './view.ts'

/**
 * The log where the newest signed head's pages can all be fetched, and give each head before it: its root, end and groups.
 * Then nothing is to be learnt from the pages of those, which are not asked for. Undefined where one of them says
 * anything else, or a page is lost: then all have to be looked at, in their order (`readLog`).
 */
export async function wholeLog(found: readonly FoundHead[], pages: Pages): Promise<Log | undefined> {
  const signed = found.filter(({ isSigned }) => isSigned)
  const newest = signed.at(-1)?.head
  if (!newest || found.some(({ head }) => isBeyond(head))) return undefined
  const pause = pauses()
  const view = viewOf(newest, pages)
  const own = pageOf(pages, newest.page)
  if (!own || view.lost.size > 0 || view.contradiction || contradictionWithin(view, newest, own))
    return undefined
  const listed = view.pages.flatMap(({ entries }) => entries)
  const sizes = signed.map(({ head }) => head.size)
  const isRising = sizes.every((size, at) => size > (sizes[at - 1] ?? 0))
  if (!isRising || !(await isEach(signed, listed, await rootsIn(view.pages, sizes, pause)))) return undefined

  const entries: Log['entries'][number][] = []
  const heads: Log['heads'][number][] = []
  for (const one of found) {
    await pause()
    const { head, timeMs, isSigned } = one
    const report = reportOf(one)
    if (!isSigned) {
      heads.push({ ...report, verdict: 'bad-signature' })
      continue
    }
    const fresh = listed.slice(entries.length, head.size)
    for (const { entry } of fresh) entries.push({ position: entries.length, entry, existedBeforeMs: timeMs })
    const verdict = timeMs === undefined ? 'unwitnessed' : 'good'
    heads.push({ ...report, ...latenessOf([{ entries: fresh }], timeMs), verdict })
  }
  return { heads, newest, entries, lost: [], forked: [] }
}

/** Whether each of these heads says what this log was at its size. */
async function isEach(
  heads: readonly FoundHead[],
  log: readonly PagedEntry[],
  roots: readonly unknown[],
): Promise<boolean> {
  const groups = new Set(heads.map(({ head }) => head.groups))
  if (groups.size > 1 || (await contradictionOfGroups(log[0]?.entry, heads[0]!.head))) return false
  return heads.every(
    ({ head: { size, root, end } }, at) => roots[at] === root && isComplete(log[size - 1]?.entry) === end,
  )
}
