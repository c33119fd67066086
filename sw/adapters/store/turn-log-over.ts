import { endOf, openDatabase } from './idb-requests.ts'
import { PIECES, PIECE_BYTES } from './limits.ts'
import { PAYLOADS } from './schema.ts'

/**
 * Has Chromium begin a new log for the databases of this origin. One that was killed between two writes of its log goes on
 * behind the half that is there, finds that corrupt at the start after the next, and deletes all databases of the origin
 * (https://github.com/google/leveldb/issues/1287), unless the log is gone by then. A database of its own holds nobody up.
 */
export async function turnLogOver(name: string): Promise<void> {
  const db = await openDatabase(name, () => undefined)
  const tx = db.transaction(PAYLOADS, 'readwrite')
  for (let piece = 0; piece < PIECES; piece++)
    tx.objectStore('payloads').put(new Uint8Array(PIECE_BYTES), piece)
  await endOf(tx).catch(() => undefined)
  db.close()
  indexedDB.deleteDatabase(name)
}
