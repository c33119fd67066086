import type { Page } from '@playwright/test'

/** A chunk as IndexedDB holds it, with what its bytes are. */
export interface StoredChunk {
  readonly id: string
  readonly sessionId: string
  readonly index: number
  readonly status: string
  readonly encryptedHash: string | undefined
  readonly cid: string | undefined
  /** SHA-256 of the stored payload; undefined where there is none. */
  readonly payloadHash: string | undefined
}

/** Reads the worker's database from a page of the origin, past the engine: by session, then index. */
export async function storedChunks(page: Page): Promise<StoredChunk[]> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
      })
    interface Row {
      id: string
      sessionId: string
      index: number
      position?: number
      state: { status: string; seal?: { encryptedHash: string; cid: string } }
    }
    interface SessionRow {
      id: string
      listed: { tree: { size: number } }
      listing?: { tree: { size: number } }
    }
    const db = await settled(indexedDB.open(`holdfast-2:${location.origin}/`))
    try {
      // In one transaction, so that no chunk is confirmed in between.
      const tx = db.transaction(['chunks', 'payloads', 'sessions'])
      const rows = await settled<Row[]>(tx.objectStore('chunks').getAll())
      const sessions = await settled<SessionRow[]>(tx.objectStore('sessions').getAll())
      const payloads = await Promise.all(
        rows.map(({ id }) => settled<Blob | ArrayBuffer | undefined>(tx.objectStore('payloads').get(id))),
      )
      const chunks = []
      for (const [at, { id, sessionId, index, position = 0, state }] of rows.entries()) {
        const payload = payloads[at]
        const bytes = payload instanceof Blob ? await payload.arrayBuffer() : payload
        const digest = bytes && new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        const payloadHash = digest && [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
        const { seal } = state
        // What is proved is as far as its entry.
        const { listed, listing } = sessions.find((session) => session.id === sessionId) ?? {}
        const isIn = (pages: SessionRow['listing']) => !!pages && position < pages.tree.size
        const proved = isIn(listed) ? 'anchoring' : isIn(listing) ? 'manifesting' : 'uploaded'
        const status = state.status === 'uploaded' ? proved : state.status
        chunks.push({
          id,
          sessionId,
          index,
          status,
          encryptedHash: seal?.encryptedHash,
          cid: seal?.cid,
          payloadHash,
        })
      }
      return chunks.toSorted((a, b) => a.sessionId.localeCompare(b.sessionId) || a.index - b.index)
    } finally {
      db.close()
    }
  })
}
