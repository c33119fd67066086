import type { Page } from '@playwright/test'

/** The camera that is being recorded is gone, which the recorder writes into its recording. */
export const loseCamera = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const { shadowRoot } = document.querySelector('holdfast-recorder') as Element
    const stream = shadowRoot?.querySelector('video')?.srcObject as MediaStream
    for (const track of stream.getVideoTracks()) track.stop()
  })

/** Notes that the worker has acknowledged, by its database. */
export const storedNotes = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
      })
    const db = await settled(indexedDB.open(`holdfast-2:${location.origin}/`))
    try {
      const sessions = db.transaction('sessions').objectStore('sessions')
      const rows = await settled<{ notes: number }[]>(sessions.getAll())
      return rows.reduce((sum, { notes }) => sum + notes, 0)
    } finally {
      db.close()
    }
  })
