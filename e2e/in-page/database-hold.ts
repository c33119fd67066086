import type { Page } from '@playwright/test'

const RELEASE = 'release-database'

/** A write transaction that a page keeps open, so that no other can begin. */
export interface DatabaseHold {
  /** Resolves once a chunk has the status; from then on the worker cannot store anything. */
  readonly arrived: Promise<void>
  /** Lets the worker go on; nothing to do where the page is gone, whose transaction went with it. */
  release(): Promise<void>
}

/**
 * Stops the worker in a state that no server sees: from the first chunk or slice of the page's recorder on it looks at the chunks
 * between any two of the worker's commits, and keeps the database from the moment at which one of them has this status.
 */
export const holdDatabaseAt = (page: Page, status: string): DatabaseHold => holdDatabase(page, status)

/** The same, where a page of a session's log is in flight: nothing that comes of it can be stored. */
export const holdDatabaseAtPage = (page: Page): DatabaseHold => holdDatabase(page)

function holdDatabase(page: Page, status?: string): DatabaseHold {
  const arrived = page.evaluate(keepOpenAt, { wanted: status, release: RELEASE })
  // Awaited by the test, or given up with the page.
  arrived.catch(() => undefined)
  return {
    arrived,
    async release() {
      if (page.isClosed()) return
      await page.evaluate((name) => dispatchEvent(new Event(name)), RELEASE).catch(() => undefined)
    },
  }
}

/** Runs in the page. A transaction stays open for as long as requests are made in it. */
async function keepOpenAt({
  wanted,
  release,
}: {
  wanted: string | undefined
  release: string
}): Promise<void> {
  const result = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result))
      request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
    })
  const released = new AbortController()
  addEventListener(release, () => released.abort())
  const spin = async (chunks: IDBObjectStore) => {
    while (!released.signal.aborted) await result(chunks.count())
  }

  const sliced = new Promise((resolve) => addEventListener('slice', resolve, { once: true }))
  const db = await result(indexedDB.open(`holdfast-2:${location.origin}/`))
  for (;;) {
    const tx = db.transaction(['chunks', 'sessions'], 'readwrite')
    const chunks = tx.objectStore('chunks')
    const rows = await result<{ state: { status: string } }[]>(chunks.getAll())
    const sessions = await result<{ listing?: unknown }[]>(tx.objectStore('sessions').getAll())
    const pageWaits = sessions.some(({ listing }) => listing !== undefined)
    if (wanted === undefined ? pageWaits : rows.some(({ state }) => state.status === wanted)) {
      void spin(chunks).finally(() => db.close())
      return
    }
    // Before there is a chunk there is nothing to look at, and to look takes a whole core.
    if (rows.length === 0) await sliced
  }
}
