import { collect } from './exchange.ts'
import { parseCid, type UnixfsStore } from './unixfs-store.ts'

const MAX_MANIFEST_BYTES = 8 * 1024 * 1024

/** `status` of a manifest in the store; undefined if it is not there or not a manifest. */
export async function recordingStatus(store: UnixfsStore, manifestCid: string): Promise<string | undefined> {
  const cid = parseCid(manifestCid)
  try {
    const file = cid === undefined ? undefined : await store.open(cid)
    if (file === undefined || file.sizeBytes > MAX_MANIFEST_BYTES) return undefined
    const manifest: unknown = JSON.parse((await collect(file.content())).toString('utf8'))
    return typeof manifest === 'object' && manifest !== null && 'status' in manifest
      ? String(manifest.status)
      : undefined
  } catch {
    return undefined
  }
}
