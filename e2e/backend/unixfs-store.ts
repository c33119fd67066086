import { FsBlockstore } from 'blockstore-fs'
import { exporter } from 'ipfs-unixfs-exporter'
import { importFile } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'
import type { Bytes } from './exchange.ts'

/** What decides a file's content address. */
export interface CidParameters {
  readonly cidVersion: 0 | 1
  readonly rawLeaves: boolean
  readonly leafBytes: number
  readonly maxLinks: number
}

/** What the library writes (`unixfs-v1-2025`). */
export const MODERN_CID: CidParameters = {
  cidVersion: 1,
  rawLeaves: true,
  leafBytes: 1024 * 1024,
  maxLinks: 1024,
}

/** A file in the store. */
export interface StoredFile {
  readonly sizeBytes: number
  /** Bytes from `offset`, at most `length`. */
  content(offset?: number, length?: number): Bytes
}

/** UnixFS files as blocks on disk. */
export interface UnixfsStore {
  /** Store a file; resolves once all of its blocks are on disk. `size` is that of the whole DAG. */
  add(content: Bytes, parameters: CidParameters): Promise<{ cid: CID; size: bigint }>
  /** The content address alone. */
  addressOf(content: Bytes, parameters: CidParameters): Promise<{ cid: CID; size: bigint }>
  /** Undefined if the store has no file of that address. */
  open(cid: CID): Promise<StoredFile | undefined>
}

export async function openUnixfsStore(folder: string): Promise<UnixfsStore> {
  const blocks = new FsBlockstore(folder)
  await blocks.open()
  const onDisk: WritableBlocks = { put: onceEach(blocks) }
  const nowhere: WritableBlocks = { put: async (cid) => cid }

  const add = async (content: Bytes, parameters: CidParameters, target: WritableBlocks) => {
    const { cidVersion, rawLeaves, leafBytes, maxLinks } = parameters
    const { cid, size } = await importFile({ content }, target, {
      cidVersion,
      rawLeaves,
      chunker: fixedSize({ chunkSize: leafBytes }),
      layout: balanced({ maxChildrenPerNode: maxLinks }),
    })
    return { cid, size }
  }
  return {
    add: (content, parameters) => add(content, parameters, onDisk),
    addressOf: (content, parameters) => add(content, parameters, nowhere),
    async open(cid) {
      if (!(await blocks.has(cid))) return undefined
      const entry = await exporter(cid, blocks)
      if (entry.type !== 'file' && entry.type !== 'raw') return undefined
      const sizeBytes = Number(entry.type === 'file' ? entry.unixfs.fileSize() : entry.size)
      return {
        sizeBytes,
        content: (offset = 0, length = sizeBytes - offset) => entry.content({ offset, length }),
      }
    },
  }
}

type WritableBlocks = Pick<FsBlockstore, 'put'>

/**
 * Write a block only if it is not there, and by one writer at a time.
 *
 * Two writers of one block share a draft in blockstore-fs: the second waits a second for a rename that cannot
 * come, and a reader may meanwhile find half a block.
 */
function onceEach(blocks: FsBlockstore): FsBlockstore['put'] {
  const writing = new Map<string, Promise<CID>>()
  return async (cid, bytes) => {
    const name = cid.toString()
    const under = writing.get(name)
    if (under !== undefined) return under
    const write = (async () => ((await blocks.has(cid)) ? cid : blocks.put(cid, bytes)))()
    writing.set(name, write)
    try {
      return await write
    } finally {
      writing.delete(name)
    }
  }
}

/** A content address from a request: a CID, or a path that begins with `/ipfs/`. Undefined if it is neither. */
export function parseCid(argument: string): CID | undefined {
  try {
    return CID.parse(argument.replace(/^\/ipfs\//, ''))
  } catch {
    return undefined
  }
}
