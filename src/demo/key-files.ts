import type { GroupId } from '../protocol/ids.ts'

/** Each key is a file of its own here: where one is deleted, nothing of it stays on the device. */
const CACHE = 'holdfast-demo-keys'

const addressOf = (id: GroupId) => `/keys/${id}`

/**
 * Keeps a key that opens recordings. Not where groups are: what `localStorage` or IndexedDB no longer have stays in their
 * journals for long, where whoever takes the phone finds it.
 *
 * @returns false where the browser has no such place
 */
export async function writeKey(id: GroupId, key: string): Promise<boolean> {
  try {
    const cache = await caches.open(CACHE)
    await cache.put(addressOf(id), new Response(key))
    return (await readKey(id)) === key
  } catch {
    return false
  }
}

/** The key of a group, where this device keeps it. */
export async function readKey(id: GroupId): Promise<string | undefined> {
  try {
    const cache = await caches.open(CACHE)
    return await (await cache.match(addressOf(id)))?.text()
  } catch {
    return undefined
  }
}

/** @returns whether it is known to be gone */
export async function deleteKey(id: GroupId): Promise<boolean> {
  try {
    const cache = await caches.open(CACHE)
    await cache.delete(addressOf(id))
    return (await cache.match(addressOf(id))) === undefined
  } catch {
    return false
  }
}
