// IndexedDB's requests and transactions as promises: what the store needs of that, in the worker's few bytes. Handlers
// are set, not added: fewer bytes.
// oxlint-disable unicorn/prefer-add-event-listener

/** The result of a request. */
export const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error as Error)
  })

/** Resolves once the transaction is complete, rejects once it is aborted. To be asked for as soon as it has begun. */
export const endOf = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error ?? new DOMException('aborted'))
  })

/**
 * Opens a database.
 *
 * @param upgrade brings an older one to this version, in place
 * @param onLost the browser has closed it, or a newer worker waits for its upgrade
 */
export async function openDatabase(
  name: string,
  version: number,
  upgrade: (db: IDBDatabase, oldVersion: number) => void,
  onLost: () => void,
): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version)
  request.onupgradeneeded = ({ oldVersion }) => upgrade(request.result, oldVersion)
  const db = await resultOf(request)
  db.onversionchange = db.onclose = onLost
  return db
}
