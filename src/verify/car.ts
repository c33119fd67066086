import { concat, toHex } from '../evidence/bytes.ts'
import { cidBytes } from '../evidence/cid.ts'
import { sha256Hex } from '../evidence/digest.ts'
import { carContents, SHA_256, varintAt, type Place, type Sliceable } from './car-contents.ts'
import { VerificationError } from './error.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import type { Found, ObjectSource } from './source.ts'

export type { ObjectSource } from './source.ts'
export type { Sliceable } from './car-contents.ts'

/** So many blocks make an object at most: one of 64 MiB has 257 in the smallest layout. */
const MAX_BLOCKS = 10_000
/** And so large are those that only name others, together. A file can say that one names itself a million times. */
const MAX_NODES_BYTES = 1024 * 1024

const DAG_PB = 0x70

const NONE: Found = { kind: 'none', reason: 'it has no such content, or not all of it' }

/**
 * A CAR file (version 1) as a source: an archive of IPFS blocks, such as `ipfs dag export` writes. Its places are read
 * through once, while somebody waits for it; objects of several blocks are joined. One that is cut off gives what is whole
 * in it, and says nothing of the rest.
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
  const contents = carContents(bytes)
  return {
    name,
    async get(cid, { maxBytes, signal }) {
      try {
        const { places, isCutOff } = await contents(signal)
        const read = (place: Place) =>
          unlessAborted(signal, () => bytes.slice(place.from, place.to).arrayBuffer())
        const found = await readObject(read, places, cidBytes(cid), maxBytes)
        return found.kind === 'none' && isCutOff ? { kind: 'silent', reason: 'it is cut off' } : found
      } catch (cause) {
        signal.throwIfAborted()
        return { kind: 'silent', reason: cause instanceof Error ? cause.message : String(cause), cause }
      }
    },
  }
}

type ReadPlace = (place: Place) => Promise<ArrayBuffer>

async function readObject(
  read: ReadPlace,
  places: ReadonlyMap<string, readonly Place[]>,
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
    const multihash = toHex(next.subarray(-34))
    if (blocks === MAX_BLOCKS) return NONE
    const all = places.get(multihash) ?? []
    const left = isNode ? MAX_NODES_BYTES - nodesLength : maxBytes - length
    const fitting = all.filter(({ from, to }) => to - from <= left)
    const block = await blockAt(read, fitting, multihash, all.length > 1)
    if (!block && fitting.length < all.length) return { kind: 'too-long' }
    const links = block && isNode ? linksOf(block) : []
    if (!block || !links) return NONE
    if (isNode) nodesLength += block.length
    else {
      length += block.length
      parts.push(block)
    }
    // One by one: a hostile file may have more than a call takes arguments.
    for (const link of links.reverse()) waiting.push(link)
  }
  return { kind: 'bytes', bytes: concat(...parts) }
}

/** The one that is what it is called, where there are several: the object is recomputed, but none is lost beside another. */
async function blockAt(
  read: ReadPlace,
  places: readonly Place[],
  multihash: string,
  areSeveral: boolean,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (const place of places) {
    const block = new Uint8Array(await read(place))
    if (!areSeveral || multihash.endsWith(await sha256Hex(block))) return block
  }
  return undefined
}

/** The CIDs that a dag-pb node links to, in order: fields 2, and in each field 1. Undefined where it is none. */
function linksOf(node: Uint8Array): Uint8Array[] | undefined {
  const links = fieldsOf(node, 2)?.map((link) => fieldsOf(link, 1)?.slice(0, 1))
  return links?.every((link) => link !== undefined) ? links.flat() : undefined
}

/** The fields of bytes with this number (protobuf); undefined where there is anything but numbers and bytes. */
function fieldsOf(message: Uint8Array, wanted: number): Uint8Array[] | undefined {
  const fields: Uint8Array[] = []
  for (let at = 0; at < message.length;) {
    const tag = varintAt(message, at)
    const { value, end } = varintAt(message, tag.end)
    const isBytes = tag.value % 8 === 2
    if ((!isBytes && tag.value % 8 !== 0) || value === Infinity) return undefined
    if (isBytes && tag.value >> 3 === wanted) fields.push(message.subarray(end, end + value))
    at = isBytes ? end + value : end
  }
  return fields
}
