import { endOf, openDatabase } from './idb-requests.ts'

/** LevelDB begins a new log once it has taken 4 MiB of memory; values of over 64 KiB do not go through it. */
const PIECES = 80
const PIECE_BYTES = 60_000

/**
 * Has Chromium begin a new log for the databases of this origin. One that was killed between two writes of its log goes on
 * behind the half that is there, finds that corrupt at the start after the next, and deletes all databases of the origin
 * (https://github.com/google/leveldb/issues/1287), unless the log is gone by then. A database of its own holds nobody up.
 */
export async function turnLogOver(name: string): Promise<void> {
  const db = await openDatabase(
    name,
    1,
    (made) => void made.createObjectStore('pieces'),
    () => db.close(),
  )
  const tx = db.transaction('pieces', 'readwrite')
  for (let piece = 0; piece < PIECES; piece++)
    tx.objectStore('pieces').put(new Uint8Array(PIECE_BYTES), piece)
  await endOf(tx).catch(() => undefined)
  db.close()
  indexedDB.deleteDatabase(name)
}
