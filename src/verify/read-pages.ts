import { VerificationError, type VerificationStep } from './error.ts'
import type { FoundHead } from './heads.ts'
import { notFollowed } from './head-report.ts'
import { readLog, wholeLog } from './log.ts'
import type { PagesRead, WalkOptions } from './page-walk.ts'
import type { PageReader } from './pages.ts'
import type { ReadPage } from './read-page.ts'
import type { FoundLog } from './verified-session.ts'

/**
 * The log that these heads lead to: by the newest alone, where that says all, else by each. Where there are more pages
 * than are read, by the pages of the first heads: what was anchored first stands, whatever somebody signs after it.
 *
 * @param again makes another reader, which has read nothing
 * @param onBeginning is told of each page that was read, and has those that the log begins with looked for first
 */
export async function readPages(
  reader: PageReader,
  again: () => PageReader,
  found: readonly FoundHead[],
  at: (step: VerificationStep, pages?: PagesRead) => void,
  onBeginning?: (page: ReadPage) => void,
): Promise<Pick<FoundLog, 'log' | 'lostPages'>> {
  const options: WalkOptions = {
    onPage(pages, page) {
      at('fetching the pages', pages)
      if (page) onBeginning?.(page)
    },
    beginningFirst: onBeginning !== undefined,
  }
  at('fetching the pages')
  const listing = await reader.listsAll(found)
  await reader.follow(listing ? [listing] : found, options)
  at('checking the log')
  const log = await wholeLog(found, reader.pages)
  // Of its list nothing is lost, whatever was asked for on the way: pages of earlier heads in whose place others came.
  if (log) return { log, lostPages: [] }
  if (listing) await reader.follow(found, options)
  if (!reader.cutOff || found.length === 1) return readLost(reader, found)
  const ordered = again()
  const followed = await ordered.followInOrder(found, options)
  return readLost(ordered, found, followed)
}

async function readLost(
  { pages, cutOff }: PageReader,
  found: readonly FoundHead[],
  followed = found.length,
): Promise<Pick<FoundLog, 'log' | 'lostPages'>> {
  const log = await readLog(found.slice(0, followed), pages)
  const heads = [...log.heads, ...notFollowed(found.slice(followed), cutOff?.message)]
  const lostPages = [...pages.values(), cutOff].filter((page) => page instanceof VerificationError)
  return { log: { ...log, heads }, lostPages }
}
