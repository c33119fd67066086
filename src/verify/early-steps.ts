import type { Sha256Hex } from '../protocol/ids.ts'
import { orLate } from './or-late.ts'
import { VerificationError } from './error.ts'
import type { FoundHead } from './heads.ts'
import { isBeyond } from './contradictions.ts'
import { wholeLog } from './log.ts'
import type { HistoryReader } from './nodes.ts'
import type { PageReader } from './pages.ts'
import type { ReadPage } from './read-page.ts'
import { sessionOf, type FoundLog, type SessionSource, type VerifiedSession } from './verified-session.ts'

/** How far a session is opened. */
export interface OpeningStep {
  /** All that it says is proved: it is the session as it was when the newest of its heads was. */
  readonly session: VerifiedSession
  /** Nothing follows: it is what `openSession` gives. */
  readonly isLast: boolean
  /** Entries that the newest head of all signs for; `session.size` of them are in this session. */
  readonly sizeOfAll: number
}

/** Each step lists this many times what the one before did, so little is looked at twice, whatever the length. */
const TIMES = 8
/** More than this share of all comes with the whole. */
const MOST = 1 / 4
/** Where a step takes longer than this share of the longest silence, the whole is not kept waiting for it: 5 s of 30. */
const WAITS = 1 / 6

const lastSigned = <Head extends FoundHead>(heads: readonly Head[]): Head | undefined =>
  [...heads].reverse().find(({ isSigned }) => isSigned)

/** The page that a head names as its own, and the one before. */
export const pagesNamed = ({ head: { page, previous } }: FoundHead): readonly Sha256Hex[] =>
  previous ? [page, previous] : [page]

interface Told extends Pick<VerifiedSession, 'vanished' | 'nodes'> {
  readonly found: readonly FoundHead[]
}

/**
 * Tells of a session before all of it is read. By its earlier heads, where a chain has witnessed some: each has a log
 * that is whole by itself, and the first is that of the block that took the first head, which comes before all that is
 * told later. Or by the pages from the first one on, which one head names. Once anything is not as it should be there
 * are no more steps: then all has to be looked at.
 */
export function earlySteps(
  reader: PageReader,
  source: SessionSource,
  timeoutMs: number,
  onStep: (step: OpeningStep) => void,
) {
  let isOn = true
  let size = 0

  async function ofHeads({ found, ...rest }: Told): Promise<VerifiedSession | undefined> {
    await reader.follow(found.slice(-1))
    const log = await wholeLog(found, reader.pages)
    return log && sessionOf(source, { log, lostPages: [], ...rest })
  }

  /** The log up to this page, looked at as if the head that leads there were that of this page. */
  async function upTo(page: ReadPage, { head, ...found }: FoundHead): Promise<VerifiedSession | undefined> {
    if (isBeyond(head)) return undefined
    const [root] = page.rootsAt([page.to])
    const its = { size: page.to, root: root!, page: page.digest, previous: null, end: false }
    const log = await wholeLog([{ ...found, head: { ...head, ...its } }], reader.pages)
    // What the head itself says only all of its pages tell.
    const told: FoundLog = { log: { ...log!, heads: [] }, lostPages: [], vanished: [], nodes: [] }
    return log && sessionOf(source, told, head)
  }

  /** In time, or there is none and no other. */
  async function inTime<Value>(work: Promise<Value | undefined>): Promise<Value | undefined> {
    const told = await orLate(WAITS * timeoutMs, work).catch((error: unknown) => {
      // It is told, where the whole has it too.
      if (error instanceof VerificationError) return undefined
      throw error
    })
    isOn = told !== undefined && told !== 'late'
    return told === 'late' ? undefined : told
  }

  async function tell(opened: Promise<VerifiedSession | undefined>, sizeOfAll: number): Promise<void> {
    const session = await inTime(opened)
    if (!session) return
    size = session.size
    onStep({ session, isLast: false, sizeOfAll })
  }

  return {
    async first(history: HistoryReader): Promise<void> {
      const told = await inTime(history.first())
      if (!told) return
      const last = lastSigned(told.witnessed)
      // Where its page is not the first, the one before that is wanted too.
      if (last) reader.askAhead(pagesNamed(last))
      const found = last ? told.witnessed.slice(0, told.witnessed.indexOf(last) + 1) : []
      if (last) await tell(ofHeads({ found, vanished: [], nodes: [] }), told.size)
    },
    async rising({ found, ...rest }: Told): Promise<void> {
      const sizeOfAll = lastSigned(found)?.head.size ?? 0
      for (const [at, { head, isSigned }] of found.entries()) {
        if (!isOn || head.size > MOST * sizeOfAll) return
        if (isSigned && head.size >= TIMES * size)
          await tell(ofHeads({ found: found.slice(0, at + 1), ...rest }), sizeOfAll)
      }
    },
    /** @param found nobody has witnessed it */
    byPages(found: FoundHead) {
      const sizeOfAll = found.head.size
      const read = new Map<number, ReadPage>()
      /** The last before which none is missing, of those that a step may list. */
      let last: ReadPage | undefined
      let telling: Promise<void> | undefined
      const isEarly = ({ to }: ReadPage) => to <= (size === 0 ? sizeOfAll - 1 : MOST * sizeOfAll)
      async function tellMore(): Promise<void> {
        if (!isOn || !last || last.to < TIMES * size) return
        await tell(upTo(last, found), sizeOfAll)
        return tellMore()
      }
      return {
        onPage(page: ReadPage): void {
          read.set(page.number, page)
          for (let next = page; next.number === (last?.number ?? 0) + 1 && isEarly(next);) {
            last = next
            next = read.get(next.number + 1) ?? next
          }
          telling ??= tellMore().finally(() => (telling = undefined))
          // Whoever waits for its end is told.
          telling.catch(() => {})
        },
        /** @throws the signal's reason */
        ended: async () => telling,
      }
    },
  }
}
