import { importFile } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { FsBlockstore } from 'blockstore-fs'

const nowhere: Pick<FsBlockstore, 'put'> = { put: async (cid) => cid }

/** The CID of a raw block with this SHA-256. */
export const rawAddress = (digest: Uint8Array): string =>
  CID.createV1(0x55, createDigest(0x12, digest)).toString()

/** The CID of a file, `unixfs-v1-2025`, by the importer that IPFS implementations use. */
export async function fileAddress(bytes: Uint8Array, leafBytes = 1024 * 1024, maxLinks = 1024) {
  const content = (async function* () {
    yield bytes
  })()
  const { cid } = await importFile({ content }, nowhere, {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: leafBytes }),
    layout: balanced({ maxChildrenPerNode: maxLinks }),
  })
  return cid.toString()
}
