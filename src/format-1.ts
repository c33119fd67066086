import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { bad } from './bad-input.ts'
import { fromBase64, uint32be } from './evidence/bytes.ts'
import { HoldfastError } from './protocol/errors.ts'
import { readBytes } from './read-bytes.ts'
import { LOAD_TIMEOUT_MS } from './timeouts.ts'
import { withTimeout } from './with-timeout.ts'

// Recordings that a device made in evidence format 1, and had not finished when format 2 came. Nothing uploads them any
// more; the worker leaves their database alone, and what is in it can be read here and saved.

/** A recording of format 1. */
export interface Format1Session {
  readonly id: string
  readonly mimeType: string
  /** Ms since the epoch. */
  readonly startedAtMs: number
  /** Chunks whose bytes are still on this device: the others were confirmed, and are at the store. */
  readonly localChunks: number
}

interface StoredSession {
  readonly id: string
  readonly mimeType: string
  readonly startedAtMs: number
  readonly access: readonly { readonly wrappedKey: string; readonly iv: string }[]
}

interface StoredChunk {
  readonly id: string
  readonly sessionId: string
  readonly index: number
  /** Absent while the chunk is raw. */
  readonly state: { readonly seal?: { readonly iv: string } }
}

interface Schema extends DBSchema {
  sessions: { key: string; value: StoredSession }
  chunks: { key: string; value: StoredChunk }
  payloads: { key: string; value: Blob | ArrayBuffer }
}

/**
 * The recordings of format 1 on this device.
 *
 * @param scope of the app's service worker registration
 * @throws HoldfastError `bad-input`; `storage-failed` where the database cannot be read, or does not answer for a minute
 */
export async function format1Sessions(scope: string): Promise<readonly Format1Session[]> {
  const db = await openOld(scope)
  if (db === undefined) return []
  try {
    const keys = new Set(await read(() => db.getAllKeys('payloads')))
    const chunks = (await read(() => db.getAll('chunks'))).filter(({ id }) => keys.has(id))
    return (await read(() => db.getAll('sessions'))).map(({ id, mimeType, startedAtMs }) => {
      const localChunks = chunks.filter(({ sessionId }) => sessionId === id).length
      return { id, mimeType, startedAtMs, localChunks }
    })
  } finally {
    db.close()
  }
}

/**
 * The chunks of such a recording that are still on this device, opened, by index.
 *
 * @param groupSecret of a group that it was made for: 32 bytes
 * @throws HoldfastError `unknown-session`; `bad-input` where the secret is none, or another group's; `payload-corrupt`,
 *   `payload-unreadable`, `storage-failed`
 */
export async function* openFormat1(
  scope: string,
  id: string,
  groupSecret: Uint8Array<ArrayBuffer>,
): AsyncGenerator<{ readonly index: number; readonly plaintext: ArrayBuffer }, void, undefined> {
  if (!(groupSecret instanceof Uint8Array && groupSecret.length === 32))
    throw bad('groupSecret', 'a Uint8Array of 32 bytes.')
  if (typeof id !== 'string') throw bad('id', 'of the recording, a text.')
  const db = await openOld(scope)
  try {
    const session = db && (await read(() => db.get('sessions', id)))
    if (db === undefined || session === undefined)
      throw new HoldfastError('unknown-session', `There is no session ${id} of format 1 on this device.`)
    const sessionKey = await unwrap(session, groupSecret)
    const chunks = (await read(() => db.getAll('chunks'))).filter(({ sessionId }) => sessionId === id)
    for (const { id: key, index, state } of chunks.sort((a, b) => a.index - b.index)) {
      const payload = await read(() => db.get('payloads', key))
      if (payload === undefined) continue
      const bytes = payload instanceof Blob ? await readBytes(payload) : payload
      yield {
        index,
        plaintext: state.seal ? await openChunk(sessionKey, index, state.seal.iv, bytes) : bytes,
      }
    }
  } finally {
    db?.close()
  }
}

/** The session key, wrapped by AES-256-GCM under each group's secret. */
async function unwrap({ access }: StoredSession, groupSecret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const group = await crypto.subtle.importKey('raw', groupSecret, 'AES-GCM', false, ['decrypt'])
  for (const { wrappedKey, iv } of access) {
    const algorithm = { name: 'AES-GCM', iv: fromBase64(iv) }
    const raw = await crypto.subtle.decrypt(algorithm, group, fromBase64(wrappedKey)).catch(() => undefined)
    if (raw) return crypto.subtle.importKey('raw', raw, 'HKDF', false, ['deriveKey'])
  }
  throw new HoldfastError('bad-input', 'The recording is of no group with this secret.')
}

/** AES-256-GCM under HKDF-SHA-256 of the session key, with the index as info. */
async function openChunk(sessionKey: CryptoKey, index: number, iv: string, bytes: ArrayBuffer) {
  const salt = new TextEncoder().encode('witness-chunk')
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt, info: uint32be(index) }
  const form = { name: 'AES-GCM', length: 256 }
  const key = await crypto.subtle.deriveKey(derivation, sessionKey, form, false, ['decrypt'])
  return crypto.subtle
    .decrypt({ name: 'AES-GCM', iv: fromBase64(iv) }, key, bytes)
    .catch((cause: unknown) => {
      throw new HoldfastError('payload-corrupt', `Chunk ${index} does not open.`, { cause })
    })
}

/** Undefined where format 1 never recorded here; then nothing is created. */
async function openOld(scope: string): Promise<IDBPDatabase<Schema> | undefined> {
  if (typeof scope !== 'string') throw bad('scope', 'of the registration, a text.')
  let isNew = false
  const open = async () =>
    openDB<Schema>(`holdfast:${scope}`, undefined, {
      upgrade(_db, _oldVersion, _newVersion, tx) {
        isNew = true
        tx.done.catch(() => undefined)
        tx.abort()
      },
    })
  const opening = open()
  try {
    return await read(() => opening)
  } catch (error) {
    // One that opens after all is nobody's.
    opening.then(
      (late) => late.close(),
      () => undefined,
    )
    if (isNew) return undefined
    throw error
  }
}

/** @throws HoldfastError `storage-failed` where the database fails, or does not answer */
const read = <T>(work: () => Promise<T>): Promise<T> =>
  withTimeout(LOAD_TIMEOUT_MS, undefined, work).catch((cause: unknown) => {
    throw new HoldfastError('storage-failed', 'The database of format 1 cannot be read.', { cause })
  })
