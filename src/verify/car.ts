import { concat, toHex } from '../evidence/bytes.ts'
import { cidBytes } from '../evidence/cid.ts'
import { VerificationError } from './error.ts'
import type { Found, ObjectSource } from './source.ts'

export type { ObjectSource } from './source.ts'

/** Bytes of which any part can be read: a `Blob`, or a `File` that somebody chose, is that. */
export interface Sliceable {
  readonly size: number
  /** @param to not in it */
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** Where a block lies. */
interface Place {
  readonly from: number
  readonly to: number
}

interface Contents {
  readonly places: ReadonlyMap<string, Place>
  /** It ends within a block, so there may have been more. */
  readonly isCutOff: boolean
}

/** So many blocks make an object at most: one of 64 MiB has 257 in the smallest layout. */
const MAX_BLOCKS = 10_000
/** And so large are those that only name others, together. A file can say that one names itself a million times. */
const MAX_NODES_BYTES = 1024 * 1024
const READ_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 1024 * 1024

const DAG_PB = 0x70
/** sha2-256, 32 bytes: all that this library writes. */
const SHA_256 = [0x12, 0x20] as const

/**
 * A CAR file (version 1) as a source: an archive of IPFS blocks, such as `ipfs dag export` writes. Its places are read
 * through once, when it is first asked; objects of several blocks are joined. One that is cut off gives what is whole in
 * it, and says nothing of the rest.
 *
 * @param name for people
 * @throws VerificationError `bad-input` for what is no file
 */
export function car(bytes: Sliceable, name = 'the CAR file'): ObjectSource {
  if (typeof bytes?.slice !== 'function' || !(bytes.size >= 0))
    throw new VerificationError(
      'bad-input',
      'checking the arguments',
      'The CAR file must be a Blob or a File',
    )
  let contents: Promise<Contents> | undefined
  return {
    name,
    async get(cid, { maxBytes }) {
      try {
        contents ??= contentsOf(bytes)
        const { places, isCutOff } = await contents
        const found = await readObject(bytes, places, cidBytes(cid), maxBytes)
        return found.kind === 'none' && isCutOff ? { kind: 'silent', reason: 'it is cut off' } : found
      } catch (cause) {
        return { kind: 'silent', reason: cause instanceof Error ? cause.message : String(cause), cause }
      }
    },
  }
}

async function readObject(
  bytes: Sliceable,
  places: ReadonlyMap<string, Place>,
  cid: Uint8Array,
  maxBytes: number,
): Promise<Found> {
  const parts: Uint8Array[] = []
  const waiting = [cid]
  let length = 0
  let nodesLength = 0
  for (let blocks = 0; waiting.length > 0; blocks++) {
    const next = waiting.pop()!
    const isNode = next[0] === SHA_256[0] || next[1] === DAG_PB
    const place = places.get(toHex(next.subarray(-34)))
    if (!place || blocks === MAX_BLOCKS)
      return { kind: 'none', reason: 'it has no such content, or not all of it' }
    const size = place.to - place.from
    if (isNode) nodesLength += size
    else length += size
    if (length > maxBytes || nodesLength > MAX_NODES_BYTES) return { kind: 'too-long' }
    const block = new Uint8Array(await bytes.slice(place.from, place.to).arrayBuffer())
    // One by one: a hostile file may have more than a call takes arguments.
    if (isNode) for (const link of linksOf(block).reverse()) waiting.push(link)
    else parts.push(block)
  }
  return { kind: 'bytes', bytes: concat(...parts) }
}

/** Where each block lies, by its multihash in hex. Blocks of other hashes are passed over. */
async function contentsOf(bytes: Sliceable): Promise<Contents> {
  const places = new Map<string, Place>()
  const reader = readerOf(bytes)
  let at = 0
  for (let isHeader = true; at < bytes.size; isHeader = false) {
    const begin = await reader.at(at)
    const { value: length, end } = lengthAt(begin)
    // Zeros to the end, of which each would be a section: a file that was filled up, as pieces of Filecoin are.
    if (length === 0 && !isHeader) break
    const from = at + end
    const to = from + length
    if (to > bytes.size) {
      if (isHeader) throw new Error('The CAR file is cut off')
      return { places, isCutOff: true }
    }
    if (isHeader) {
      if (length > MAX_HEADER_BYTES) throw new Error('This is no CAR file')
      const header = new Uint8Array(await bytes.slice(from, to).arrayBuffer())
      if (!isVersion1(header)) throw new Error('This is no CAR file of version 1')
    } else {
      const hashed = multihashAt(begin, end)
      // A section that is shorter than its own name has no block.
      if (hashed && at + hashed.end <= to) places.set(hashed.hex, { from: at + hashed.end, to })
    }
    at = to
  }
  if (at === 0) throw new Error('The CAR file is empty')
  return { places, isCutOff: false }
}

/** The header is DAG-CBOR, a map with `version`: a text of 7 bytes, then a small number. */
function isVersion1(header: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(header)
  return text.includes('gversion\x01')
}

/** CIDv0 is a multihash; CIDv1 has version and codec before it. */
function multihashAt(bytes: Uint8Array, from: number): { hex: string; end: number } | undefined {
  const at = bytes[from] === 1 ? varint(bytes, from + 1).end : from
  if (bytes[at] !== SHA_256[0] || bytes[at + 1] !== SHA_256[1]) return undefined
  return { hex: toHex(bytes.subarray(at, at + 34)), end: at + 34 }
}

/** The beginnings of sections, some of them read together. */
function readerOf(bytes: Sliceable) {
  let held = new Uint8Array()
  let heldFrom = 0
  return {
    async at(from: number): Promise<Uint8Array> {
      const inHeld = from - heldFrom
      // A section's length and CID have 60 bytes at most.
      if (inHeld < 0 || inHeld + 64 > held.length) {
        held = new Uint8Array(await bytes.slice(from, Math.min(from + READ_BYTES, bytes.size)).arrayBuffer())
        heldFrom = from
      }
      return held.subarray(from - heldFrom)
    },
  }
}

/** How long a section is; no file is so long where that has no end. */
function lengthAt(begin: Uint8Array): { value: number; end: number } {
  try {
    return varint(begin, 0)
  } catch {
    return { value: Infinity, end: 0 }
  }
}

/** Unsigned LEB128, below 2^53. */
function varint(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0
  for (let at = from, factor = 1; at < from + 8; at++, factor *= 128) {
    const byte = bytes[at]
    if (byte === undefined) break
    value += (byte & 127) * factor
    if (byte < 128) return { value, end: at + 1 }
  }
  throw new Error('A number in it has no end')
}

/** The CIDs that a dag-pb node links to, in order: fields 2, and in each field 1. */
function linksOf(node: Uint8Array): Uint8Array[] {
  return fieldsOf(node, 2).flatMap((link) => fieldsOf(link, 1).slice(0, 1))
}

/** The fields of bytes with this number (protobuf). */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const fields: Uint8Array[] = []
  for (let at = 0; at < message.length;) {
    const tag = varint(message, at)
    const { value, end } = varint(message, tag.end)
    const isBytes = tag.value % 8 === 2
    if (!isBytes && tag.value % 8 !== 0) throw new Error('This is no node of a file')
    if (isBytes && tag.value >> 3 === wanted) fields.push(message.subarray(end, end + value))
    at = isBytes ? end + value : end
  }
  return fields
}
