import { sha256Hex } from '../../src/evidence/digest.ts'
import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import type { ChunkId, Sha256Hex } from '../../src/protocol/ids.ts'
import { READ_COUNTS, UNREAD_BYTES, weigh } from '../../src/protocol/memory.ts'
import { OwnError } from '../ports/own-error.ts'
import type { Store } from '../ports/store.ts'
import type { Context } from './context.ts'
import { HOOK_LIMIT_MS } from './limits.ts'
import { atMost, withTimeout } from './with-timeout.ts'

/** Stores that have given other bytes than they took, as long as the worker lives. */
const suspect = new WeakSet<Store>()

/** What was given unread since some of it was last made to count. */
let unreadBytes = 0

/** Whether uploads may be made of what keeps the bytes, of which nothing is read. */
export const sendsUnread = ({ store, transport }: Context) =>
  transport.sendUnread && store.blob && !suspect.has(store)

/** What keeps a chunk's bytes, unread; undefined where they are to be read and checked. */
export async function unreadPayload(context: Context, id: ChunkId): Promise<Blob | undefined> {
  const { store, clock } = context
  if (!sendsUnread(context)) return undefined
  const blob = await atMost(clock, HOOK_LIMIT_MS, (async () => store.blob?.(id))()).catch(() => undefined)
  if (blob && (unreadBytes += blob.size) > UNREAD_BYTES) {
    weigh(blob, Infinity)
    unreadBytes = 0
  }
  return blob
}

/**
 * A chunk's bytes, checked. A read that fails, or does not end, is the chunk's failure, even where the database says that
 * it was its own: if it was, writing this failure down fails too, and ends the drain.
 *
 * @throws HoldfastError `payload-unreadable`, `payload-corrupt`
 */
export async function checkedPayload(
  { store, clock }: Context,
  id: ChunkId,
  sha256: Sha256Hex,
): Promise<ArrayBuffer> {
  let code: ErrorCode = 'payload-unreadable'
  try {
    const bytes = await withTimeout(clock, 0, undefined, () => store.payload(id))
    weigh(bytes, READ_COUNTS * bytes.byteLength)
    if ((await sha256Hex(bytes)) === sha256) return bytes
    code = 'payload-corrupt'
    throw new Error(`Chunk ${id} has other bytes.`)
  } catch (cause) {
    const error = HoldfastError.from(cause)
    // Bytes that are not there, as of a session that was discarded meanwhile, say nothing of others.
    if (error.code !== 'payload-unreadable') suspect.add(store)
    throw new OwnError(code, error.message, { cause })
  }
}
