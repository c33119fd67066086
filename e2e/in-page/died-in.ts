import type { Page } from '@playwright/test'

/**
 * Leaves a captured chunk as a worker leaves it that dies in the middle of sealing: in this state, with the session's
 * tally in step. Such a death is impossible during an update, because the old worker ends its events first.
 */
export async function diedIn(page: Page, chunkId: string, status: 'hashing' | 'encrypting'): Promise<void> {
  await page.evaluate(
    async ([id, state]) => {
      const result = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.addEventListener('success', () => resolve(request.result))
          request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
        })
      const db = await result(indexedDB.open(`holdfast-2:${location.origin}/`))
      const tx = db.transaction(['chunks', 'sessions'], 'readwrite', { durability: 'strict' })
      const [chunks, sessions] = [tx.objectStore('chunks'), tx.objectStore('sessions')]
      const chunk = await result(chunks.get(id))
      const session = await result(sessions.get(chunk.sessionId))
      session.tally[chunk.state.status]--
      session.tally[state]++
      chunk.state = { status: state }
      chunks.put(chunk)
      sessions.put(session)
      await new Promise((resolve) => tx.addEventListener('complete', resolve))
      db.close()
    },
    [chunkId, status] as const,
  )
}
