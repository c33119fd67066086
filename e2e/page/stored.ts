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
      state: { status: string; seal?: { encryptedHash: string; cid: string } }
    }
    const db = await settled(indexedDB.open(`holdfast-2:${location.origin}/`))
    try {
      // In one transaction, so that no chunk is confirmed in between.
      const tx = db.transaction(['chunks', 'payloads'])
      const rows = await settled<Row[]>(tx.objectStore('chunks').getAll())
      const payloads = await Promise.all(
        rows.map(({ id }) => settled<Blob | ArrayBuffer | undefined>(tx.objectStore('payloads').get(id))),
      )
      const chunks = []
      for (const [at, { id, sessionId, index, state }] of rows.entries()) {
        const payload = payloads[at]
        const bytes = payload instanceof Blob ? await payload.arrayBuffer() : payload
        const digest = bytes && new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        const payloadHash = digest && [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
        const { status, seal } = state
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
