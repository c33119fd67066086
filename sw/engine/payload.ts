import { sha256Hex } from '../../src/evidence/digest.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { ChunkId, Sha256Hex } from '../../src/protocol/ids.ts'
import { READ_COUNTS, weigh } from '../../src/protocol/memory.ts'
import type { Store } from '../ports/store.ts'
import type { Context } from './context.ts'

/** Stores that have given other bytes than they took, as long as the worker lives. */
const suspect = new WeakSet<Store>()

/** What keeps a chunk's bytes, unread; undefined where they are to be read and checked. */
export const unreadPayload = async ({ store }: Context, id: ChunkId): Promise<Blob | undefined> =>
  suspect.has(store) ? undefined : store.blob?.(id).catch(() => undefined)

/**
 * A chunk's bytes, checked. A read that fails is the chunk's failure, even where the database says that it was its own:
 * if it was, writing this failure down fails too, and ends the drain.
 *
 * @throws HoldfastError `payload-unreadable`, `payload-corrupt`
 */
export async function checkedPayload(
  { store }: Context,
  id: ChunkId,
  sha256: Sha256Hex,
): Promise<ArrayBuffer> {
  const bytes = await store.payload(id).catch((cause: unknown) => {
    suspect.add(store)
    throw new HoldfastError('payload-unreadable', HoldfastError.from(cause).message, { cause })
  })
  weigh(bytes, READ_COUNTS * bytes.byteLength)
  if ((await sha256Hex(bytes)) === sha256) return bytes
  suspect.add(store)
  throw new HoldfastError('payload-corrupt', `The bytes of ${id} have changed.`)
}
