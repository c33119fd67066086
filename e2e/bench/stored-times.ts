import type { Page } from '@playwright/test'

/** When the chunks of one recording were captured, as IndexedDB has it: ms since the epoch. */
export interface StoredTimes {
  readonly sessionId: string
  readonly startedAtMs: number
  /** In order of their indexes. */
  readonly chunks: readonly { readonly index: number; readonly fromMs: number; readonly toMs: number }[]
}

/** Reads the worker's database from a page of the origin, past the engine: newest recording first. */
export function storedTimes(page: Page): Promise<StoredTimes[]> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
      })
    interface Chunk {
      sessionId: string
      index: number
      capturedAtMs: number
      durationMs: number
    }
    const db = await settled(indexedDB.open(`holdfast-2:${location.origin}/`))
    try {
      const tx = db.transaction(['sessions', 'chunks'])
      const sessions = await settled<{ id: string; startedAtMs: number }[]>(
        tx.objectStore('sessions').getAll(),
      )
      const chunks = await settled<Chunk[]>(tx.objectStore('chunks').getAll())
      return sessions
        .toSorted((a, b) => b.startedAtMs - a.startedAtMs)
        .map(({ id, startedAtMs }) => ({
          sessionId: id,
          startedAtMs,
          chunks: chunks
            .filter(({ sessionId }) => sessionId === id)
            .toSorted((a, b) => a.index - b.index)
            .map(({ index, capturedAtMs, durationMs }) => ({
              index,
              fromMs: capturedAtMs,
              toMs: capturedAtMs + durationMs,
            })),
        }))
    } finally {
      db.close()
    }
  })
}

/** Up to when a recording is stored without a gap, ms since the epoch: what came after that is lost. */
export function storedUntilMs({ startedAtMs, chunks }: StoredTimes): number {
  const gap = chunks.findIndex(({ index }, at) => index !== at)
  return (gap < 0 ? chunks : chunks.slice(0, gap)).at(-1)?.toMs ?? startedAtMs
}
