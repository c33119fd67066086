import type { Page } from '@playwright/test'

/** What the engine's database says of all sessions, read past the engine. */
export interface DeviceState {
  /** Sessions with something left to do, and why as far as they say. */
  readonly open: readonly { readonly id: string; readonly trouble: string }[]
  /** Chunks of which bytes are left. */
  readonly payloads: readonly string[]
  /** Chunks whose record says `confirmed`. */
  readonly confirmed: readonly string[]
}

export async function deviceState(page: Page): Promise<DeviceState> {
  return page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
      })
    const db = await result(indexedDB.open(`holdfast-2:${location.origin}/`))
    try {
      const tx = db.transaction(['sessions', 'chunks', 'payloads'])
      const [sessions, chunks, payloads] = await Promise.all([
        result<{ id: string; open?: number; ending: string; trouble?: { error: { message: string } } }[]>(
          tx.objectStore('sessions').getAll(),
        ),
        result<{ id: string; state: { status: string } }[]>(tx.objectStore('chunks').getAll()),
        result(tx.objectStore('payloads').getAllKeys()),
      ])
      return {
        open: sessions
          .filter(({ open }) => open !== undefined)
          .map(({ id, ending, trouble }) => ({ id, trouble: trouble?.error.message ?? ending })),
        payloads: payloads.map(String),
        confirmed: chunks.filter(({ state }) => state.status === 'confirmed').map(({ id }) => id),
      }
    } finally {
      db.close()
    }
  })
}
