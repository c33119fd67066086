import { publishedLog, witnessed } from '../backend-oracle.ts'
import type { Backend } from '../backend/index.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { expect, type Lane } from './fixtures.ts'
import type { WorkerSettings } from './site.ts'

/** A tab that was recording and is gone. */
export interface Death {
  readonly sessionId: string
  /** Acknowledged by then. */
  readonly chunks: number
  /** ms since the epoch. */
  readonly atMs: number
  readonly browser: RealBrowser
}

export interface RecordingPlan {
  readonly openMs: number
  readonly chunks: number
  readonly chunkBytes: number
  /** Only the base tag. */
  readonly plain?: boolean
  /** More arguments for the browser. */
  readonly args?: readonly string[]
  readonly budgetsMs?: WorkerSettings['budgetsMs']
}

/** Opens a tab, records for a while, and closes the tab without an end of the recording. */
export async function recordThenClose(lane: Lane, plan: RecordingPlan): Promise<Death> {
  const { backend, site, start } = lane
  const { openMs, chunks, chunkBytes, args, plain = false, budgetsMs = {} } = plan
  const browser = await start(site.pageUrl({ endpoints: backend.endpoints, plain, budgetsMs }), args)
  const everyMs = openMs / chunks
  const sessionId = await site.order({ do: 'record', chunks, chunkBytes, everyMs }, openMs + 240_000)
  const gone = site.pageGone()
  await site.order({ do: 'close' })
  return { sessionId: String(sessionId), chunks, atMs: await gone, browser }
}

/** Resolves when the chain holds all of the session, or at that time: true if it does. */
export async function settledBy(backend: Backend, death: Death, untilMs: number): Promise<boolean> {
  let settled = false
  await expect
    .poll(
      async () => {
        // A backend that is down answers nothing; its chain does.
        const head = await witnessed(backend, death.sessionId).catch(() => undefined)
        const log = head && (await publishedLog(backend, head).catch(() => undefined))
        settled = log !== undefined && log.chunks.length >= death.chunks && log.ending === 'interrupted'
        return settled || Date.now() >= untilMs
      },
      { timeout: Math.max(1, untilMs - Date.now()) + 10_000, intervals: [1_000] },
    )
    .toBe(true)
  return settled
}
