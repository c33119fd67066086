import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { newGroup } from '../../../src/group.ts'
import { startBackend, type Backend } from '../../backend/index.ts'
import { ARTIFACTS } from '../../backend/sandbox.ts'
import type { StoreName } from './app.ts'
import { startBucket } from './bucket.ts'

/** What an app of the packed library uploads to, and for whom. */
export interface Place {
  /** Of the one group that may read. */
  readonly privateKey: Uint8Array<ArrayBuffer>
  readonly publicKey: string
  readonly backend: Backend
  readonly bucket: Awaited<ReturnType<typeof startBucket>>
  /** The base of the store's URLs. */
  readonly server: string
  close(): Promise<void>
}

/**
 * A backend and a bucket, with a group to record for.
 *
 * @param folder emptied first
 * @param bytesPerSec how much the bucket takes, asked for each piece
 */
export async function openPlace(folder: string, store: StoreName, bytesPerSec: () => number): Promise<Place> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const { privateKey, publicKey } = await newGroup()
  const backend = await startBackend({
    dataDir: join(folder, 'backend'),
    artifactDir: ARTIFACTS,
    port: 0,
    chainPort: 0,
    savesChain: false,
  })
  const bucket = await startBucket(folder, bytesPerSec)
  return {
    privateKey,
    publicKey,
    backend,
    bucket,
    server: store === 'put' ? bucket.url : backend.url,
    async close() {
      await bucket.close()
      await backend.stop()
    },
  }
}
