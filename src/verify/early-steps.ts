import { after } from './after.ts'
import { VerificationError } from './error.ts'
import type { FoundHead } from './heads.ts'
import type { HistoryReader } from './nodes.ts'
import type { PageReader } from './pages.ts'
import { sessionOf, type SessionSource, type VerifiedSession } from './verified-session.ts'
import { wholeLog } from './whole-log.ts'

/** How far a session is opened. */
export interface OpeningStep {
  /** All that it says is proved: it is the session as it was when the newest of its heads was. */
  readonly session: VerifiedSession
  /** Nothing follows: it is what `openSession` gives. */
  readonly isLast: boolean
  /** Entries that the newest head of all signs for; `session.size` of them are in this session. */
  readonly sizeOfAll: number
}

/** Each step lists so many times what the one before did: what is looked at again is little, whatever the length. */
const TIMES = 8
/** More than this share of all comes with the whole. */
const MOST = 1 / 4
/** Where a step takes longer than this share of the longest silence, the whole is not kept waiting for it: 5 s of 30. */
const WAITS = 1 / 6

const lastSigned = <Head extends FoundHead>(heads: readonly Head[]): Head | undefined =>
  [...heads].reverse().find(({ isSigned }) => isSigned)

interface Told extends Pick<VerifiedSession, 'vanished' | 'nodes'> {
  readonly found: readonly FoundHead[]
}

/**
 * Tells of a session before all of it is read, by its earlier heads: each has a log that is whole by itself. The first
 * is that of the block that took the first head, which comes before all that is told later. Once anything is not as it
 * should be there are no more steps: then all has to be looked at.
 */
export function earlySteps(
  reader: PageReader,
  source: SessionSource,
  timeoutMs: number,
  onStep: (step: OpeningStep) => void,
) {
  let isOn = true
  let size = 0

  async function stepOf({ found, ...rest }: Told): Promise<VerifiedSession | undefined> {
    await reader.follow(found.slice(-1))
    const log = await wholeLog(found, reader.pages)
    return log && sessionOf(source, { log, lostPages: [], ...rest })
  }

  /** In time, or there is none and no other. */
  async function inTime<Value>(work: Promise<Value | undefined>): Promise<Value | undefined> {
    const late = after(WAITS * timeoutMs)
    const told = await Promise.race([work, late.passed]).catch((error: unknown) => {
      // It is told, where the whole has it too.
      if (error instanceof VerificationError) return undefined
      throw error
    })
    late.cancel()
    isOn = told !== undefined && told !== 'late'
    return told === 'late' ? undefined : told
  }

  async function tell(told: Told, sizeOfAll: number): Promise<void> {
    const session = await inTime(stepOf(told))
    if (!session) return
    size = session.size
    onStep({ session, isLast: false, sizeOfAll })
  }

  return {
    async first(history: HistoryReader): Promise<void> {
      const told = await inTime(history.first())
      if (!told) return
      // Where it has a page that is not the first, the one before that is wanted too.
      reader.askAhead(told.witnessed)
      const last = lastSigned(told.witnessed)
      const found = last ? told.witnessed.slice(0, told.witnessed.indexOf(last) + 1) : []
      if (last) await tell({ found, vanished: [], nodes: [] }, told.size)
    },
    async rising({ found, ...rest }: Told): Promise<void> {
      const sizeOfAll = lastSigned(found)?.head.size ?? 0
      for (const [at, { head, isSigned }] of found.entries()) {
        if (!isOn || head.size > MOST * sizeOfAll) return
        if (isSigned && head.size >= TIMES * size)
          await tell({ found: found.slice(0, at + 1), ...rest }, sizeOfAll)
      }
    },
  }
}
