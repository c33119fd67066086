import { importFile } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import type { FsBlockstore } from 'blockstore-fs'

// A CAR file (version 1) from its specification: https://ipld.io/specs/transport/car/carv1/

export interface Block {
  readonly cid: Uint8Array
  readonly bytes: Uint8Array
  /** Its place in the file. */
  readonly at: number
}

export interface Imported {
  readonly bytes: Uint8Array
  readonly layout: { readonly leafBytes: number; readonly maxLinks: number }
}

const varint = (value: number): number[] =>
  value > 127 ? [(value % 128) | 128, ...varint(Math.floor(value / 128))] : [value]
const section = (...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(varint(content.length)), content])
}

/** DAG-CBOR of `{ roots: [], version: 1 }`. */
const HEADER = Buffer.concat([
  Buffer.from([0xa2, 0x65]),
  Buffer.from('roots'),
  Buffer.from([0x80, 0x67]),
  Buffer.from('version'),
  Buffer.from([0x01]),
])

/**
 * The blocks of files, by the importer that IPFS implementations use, as one CAR file.
 *
 * @param keeps which blocks
 * @param more blocks besides
 */
export async function carOf(
  files: readonly Imported[],
  keeps: (block: Block) => boolean = () => true,
  more: readonly Block[] = [],
): Promise<{ readonly bytes: Buffer; readonly blocks: readonly Block[] }> {
  const blocks: Block[] = [...more]
  for (const { bytes, layout } of files) {
    const store: Pick<FsBlockstore, 'put'> = {
      put: async (cid, block) => {
        blocks.push({ cid: cid.bytes, bytes: block as Uint8Array, at: blocks.length })
        return cid
      },
    }
    const content = (async function* () {
      yield bytes
    })()
    await importFile({ content }, store, {
      cidVersion: 1,
      rawLeaves: true,
      chunker: fixedSize({ chunkSize: layout.leafBytes }),
      layout: balanced({ maxChildrenPerNode: layout.maxLinks }),
    })
  }
  const kept = blocks.filter(keeps)
  return {
    bytes: Buffer.concat([section(HEADER), ...kept.map(({ cid, bytes }) => section(cid, bytes))]),
    blocks: kept,
  }
}
