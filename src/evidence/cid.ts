import type { Cid, Sha256Hex } from '../protocol/ids.ts'
import { concat, fromHex, toHex } from './bytes.ts'
import { sha256 } from './digest.ts'
import { DAG_PB, RAW } from './multicodec.ts'

/** The shape of a UnixFS file: it decides the content address as much as the bytes do. */
export interface CidProfile {
  /** Bytes of each leaf but the last; from 1. */
  readonly leafBytes: number
  /** Children of a node at most; from 2. */
  readonly maxLinks: number
}

/** What this library writes (IPIP-499, `unixfs-v1-2025`). */
export const UNIXFS_V1_2025: CidProfile = { leafBytes: 1_048_576, maxLinks: 1024 }
/** What Kubo's `ipfs add --cid-version=1` wrote by default up to then. */
export const KUBO_LEGACY_CIDV1: CidProfile = { leafBytes: 262_144, maxLinks: 174 }

interface Node {
  readonly cid: Uint8Array
  /** Bytes of the file below this node. */
  readonly fileBytes: number
  /** Bytes of this block and of all blocks below it. */
  readonly treeBytes: number
}

/** CIDv1: version, codec, then the multihash (sha2-256, 32 bytes, digest). */
const cidOf = async (codec: number, block: Uint8Array<ArrayBuffer>) =>
  concat(Uint8Array.of(1, codec, 0x12, 0x20), await sha256(block))

async function leafOf(leaf: Uint8Array<ArrayBuffer>): Promise<Node> {
  return { cid: await cidOf(RAW, leaf), fileBytes: leaf.length, treeBytes: leaf.length }
}

/** Hashed side by side. */
function leavesOf(bytes: Uint8Array<ArrayBuffer>, leafBytes: number): Promise<Node[]> {
  const leaves: Promise<Node>[] = []
  // An empty file is an empty leaf.
  for (let offset = 0; !offset || offset < bytes.length; offset += leafBytes)
    leaves.push(leafOf(bytes.subarray(offset, offset + leafBytes)))
  return Promise.all(leaves)
}

// No shifts: sizes go beyond 2^31.
const varint = (value: number): number[] =>
  value > 127 ? [(value % 128) | 128, ...varint(Math.floor(value / 128))] : [value]

/** A protobuf field of a number: tag, then value. */
const numberField = (field: number, value: number) => Uint8Array.of(field << 3, ...varint(value))
/** A protobuf field of bytes: tag, length, then content. */
const bytesField = (field: number, content: Uint8Array) =>
  concat(Uint8Array.of((field << 3) | 2, ...varint(content.length)), content)

/**
 * A dag-pb node of a UnixFS file: its links (Hash; Name, empty: its tag and its length; Tsize), then its Data, in that order as
 * dag-pb demands. Data says: type file, the file's bytes, then the bytes below each child.
 */
async function parentOf(children: readonly Node[]): Promise<Node> {
  let fileBytes = 0
  let treeBytes = 0
  for (const child of children) {
    fileBytes += child.fileBytes
    treeBytes += child.treeBytes
  }
  const links = children.map((child) =>
    bytesField(2, concat(bytesField(1, child.cid), Uint8Array.of(0x12, 0), numberField(3, child.treeBytes))),
  )
  const sizes = children.map((child) => numberField(4, child.fileBytes))
  const data = concat(numberField(1, 2), numberField(3, fileBytes), ...sizes)
  const block = concat(...links, bytesField(1, data))
  return {
    cid: await cidOf(DAG_PB, block),
    fileBytes,
    treeBytes: treeBytes + block.length,
  }
}

/** A digit of base32: 0 to 25 are letters, which base36 has from 10 on, and then come the digits 2 to 7. */
const digitOf = (value: number) => (value < 26 ? value + 10 : value - 24).toString(36)

/** The 36 bytes of a CIDv1, in hex, as 58 digits: multibase base32, lower case, no padding, `b` in front (RFC 4648 §6). */
const textOf = (cid: string) =>
  `b${(BigInt(`0x${cid}`) << 2n)
    .toString(32)
    .padStart(58, '0')
    .replace(/./g, (digit) => digitOf(parseInt(digit, 32)))}` as Cid

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** The 36 bytes of a CIDv1 that `textOf` has written; of another text, bytes that are nobody's CID. */
export function cidBytes(cid: Cid): Uint8Array<ArrayBuffer> {
  let value = 0n
  for (const digit of cid.slice(1)) value = (value << 5n) | BigInt(BASE32.indexOf(digit))
  // The last digit has two bits too many.
  const hex = (value >> 2n).toString(16)
  return fromHex(hex.padStart(72, '0').slice(0, 72))
}

/** The CID of one raw block that has this digest. */
export const rawBlockCid = (digest: Sha256Hex): Cid => textOf(`01551220${digest}`)

/**
 * The CID under which IPFS stores these bytes as a file: CIDv1, sha2-256, raw leaves, balanced layout.
 *
 * A file of one leaf is that leaf.
 *
 * @param profile leaves of at least one byte, and nodes of at least two children
 */
export async function contentAddress(
  bytes: ArrayBuffer | Uint8Array<ArrayBuffer>,
  { leafBytes, maxLinks }: CidProfile = UNIXFS_V1_2025,
): Promise<Cid> {
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  let level = await leavesOf(file, leafBytes)
  while (level.length > 1) {
    const above: Node[] = []
    while (level.length > 0) above.push(await parentOf(level.splice(0, maxLinks)))
    level = above
  }
  return textOf(toHex(level[0]!.cid))
}

/**
 * The same of a chunk whose digest is known, or will be, by less code: it has few leaves, so one node above them; what is one
 * leaf is not hashed for its address.
 */
export async function addressOf(bytes: ArrayBuffer, digest: Sha256Hex | Promise<Sha256Hex>): Promise<Cid> {
  const { leafBytes } = UNIXFS_V1_2025
  if (bytes.byteLength <= leafBytes) return rawBlockCid(await digest)
  const { cid } = await parentOf(await leavesOf(new Uint8Array(bytes), leafBytes))
  return textOf(toHex(cid))
}
