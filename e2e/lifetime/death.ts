import type { ChunkEntry } from '../../src/evidence/entry.ts'
import type { Cid } from '../../src/protocol/ids.ts'
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

/** Resolves when the chain holds the session's whole log, and the store its chunks, or at that time: true if they do. */
export async function settledBy(backend: Backend, death: Death, untilMs: number): Promise<boolean> {
  let settled = false
  const stored = new Set<Cid>()
  await expect
    .poll(
      async () => {
        // A backend that is down answers nothing; its chain does.
        const head = await witnessed(backend, death.sessionId).catch(() => undefined)
        const log = head && (await publishedLog(backend, head).catch(() => undefined))
        const isListed = log && log.chunks.length >= death.chunks && log.ending === 'interrupted'
        // Chunks are listed before their bytes are sent.
        settled = !!isListed && (await areStored(backend, log.chunks, stored))
        return settled || Date.now() >= untilMs
      },
      { timeout: Math.max(1, untilMs - Date.now()) + 10_000, intervals: [1_000] },
    )
    .toBe(true)
  return settled
}

/** @param stored what the store is known to have, which is not asked for again */
async function areStored(
  { endpoints }: Backend,
  chunks: readonly ChunkEntry[],
  stored: Set<Cid>,
): Promise<boolean> {
  for (const { cid } of chunks) {
    if (stored.has(cid)) continue
    const { ok } = await fetch(`${endpoints.gateway}/ipfs/${cid}`, { method: 'HEAD' })
    if (!ok) return false
    stored.add(cid)
  }
  return true
}
