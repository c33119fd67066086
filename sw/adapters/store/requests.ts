// IndexedDB's requests and transactions as promises: what the store needs of that, in the worker's few bytes.

/** The result of a request. */
export const resultOf = <T>(request: IDBRequest<T>): Promise<T> =>
  settled(request, (resolve) => {
    request.addEventListener('success', () => resolve(request.result))
  })

/** The first value under a cursor that is `wanted`. */
export const firstOf = <T>(
  request: IDBRequest<IDBCursorWithValue | null>,
  isWanted: (value: T) => boolean,
): Promise<T | undefined> =>
  settled(request, (resolve) => {
    request.addEventListener('success', () => {
      const cursor = request.result
      if (cursor === null || isWanted(cursor.value)) resolve(cursor?.value)
      else cursor.continue()
    })
  })

const settled = <T>(request: IDBRequest, onSuccess: (resolve: (value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    request.addEventListener('error', () => reject(request.error as Error))
    onSuccess(resolve)
  })

/** Resolves once the transaction is complete, rejects once it is aborted. To be asked for as soon as it has begun. */
export const endOf = (tx: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    tx.addEventListener('complete', () => resolve())
    tx.addEventListener('abort', () => reject(tx.error ?? new DOMException('aborted')))
  })

/**
 * Opens a database.
 *
 * @param upgrade brings an older one to this version, in place
 * @param onLost the browser has closed it, or a newer worker waits for its upgrade
 */
export const openDatabase = (
  name: string,
  version: number,
  upgrade: (db: IDBDatabase, oldVersion: number) => void,
  onLost: () => void,
): Promise<IDBDatabase> => {
  const request = indexedDB.open(name, version)
  request.addEventListener('upgradeneeded', ({ oldVersion }) => upgrade(request.result, oldVersion))
  return resultOf(request).then((db) => {
    for (const type of ['versionchange', 'close']) db.addEventListener(type, onLost)
    return db
  })
}
