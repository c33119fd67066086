import type { Page } from '@playwright/test'

/** Every record of the worker's database as JSON, by store and key; of bytes their digest. */
export type Dump = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Reads the worker's whole database from a page of the origin, past the engine. */
export async function dump(page: Page): Promise<Dump> {
  return page.evaluate(async () => {
    const settled = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB failed')))
      })
    const written = async (value: unknown) => {
      const bytes = value instanceof Blob ? await value.arrayBuffer() : value
      if (bytes instanceof ArrayBuffer || bytes instanceof Uint8Array)
        return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource))].join()
      return value instanceof CryptoKey ? `key ${value.algorithm.name}` : JSON.stringify(value)
    }
    const db = await settled(indexedDB.open(`holdfast-2:${location.origin}/`))
    const stores: Record<string, Record<string, string>> = {}
    for (const name of db.objectStoreNames) {
      const store = db.transaction(name).objectStore(name)
      const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())])
      const entries = keys.map(async (key, at) => [String(key), await written(values[at])] as const)
      stores[name] = Object.fromEntries(await Promise.all(entries))
    }
    db.close()
    return stores
  })
}
