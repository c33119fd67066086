import { toHex } from '../evidence/bytes.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'

/** Bytes of which any part can be read: a `Blob`, or a `File` that somebody chose, is that. */
export interface Sliceable {
  readonly size: number
  /** @param to not in it */
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** Where a block lies. */
export interface Place {
  readonly from: number
  readonly to: number
}

/** What a file says that it has. */
export interface CarContents {
  /** By a block's multihash in hex: a file may say of several blocks that they are one. */
  readonly places: ReadonlyMap<string, readonly Place[]>
  /** It ends within a block, so there may have been more. */
  readonly isCutOff: boolean
}

const READ_BYTES = 64 * 1024
const MAX_HEADER_BYTES = 1024 * 1024
/** So many blocks of one name are looked at: whoever writes more of them wants to be read for ever. */
const MAX_PLACES = 8

/** sha2-256, 32 bytes: all that this library writes. */
export const SHA_256 = [0x12, 0x20] as const

/**
 * Looks through a file for where its blocks are, as long as somebody waits for it: who asks later has it go on from there.
 * Blocks of other hashes are passed over.
 *
 * @returns rejects for what is no CAR file, and with the signal's reason
 */
export function carContents(bytes: Sliceable): (signal: AbortSignal) => Promise<CarContents> {
  const places = new Map<string, Place[]>()
  const reader = readerOf(bytes)
  let at = 0
  let looking: Promise<CarContents | undefined> | undefined
  let waiting = 0

  /** One section more, of which the first is the header; after the last all of them, each time. */
  async function step(): Promise<CarContents | undefined> {
    if (bytes.size === 0) throw new Error('The CAR file is empty')
    const isHeader = at === 0
    if (at >= bytes.size) return { places, isCutOff: false }
    const begin = await reader.at(at)
    const { value: length, end: prefix } = varintAt(begin, 0)
    // Zeros to the end, of which each would be a section: a file that was filled up, as pieces of Filecoin are.
    if (length === 0 && !isHeader) return { places, isCutOff: false }
    const from = at + prefix
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
      const hashed = multihashAt(begin, prefix)
      // A section that is shorter than its own name has no block.
      if (hashed && at + hashed.end <= to) add(hashed.hex, { from: at + hashed.end, to })
    }
    at = to
    return undefined
  }

  function add(hex: string, place: Place): void {
    const known = places.get(hex)
    if (!known) places.set(hex, [place])
    else if (known.length < MAX_PLACES) known.push(place)
  }

  async function look(): Promise<CarContents | undefined> {
    try {
      for (;;) {
        if (waiting === 0) return undefined
        const contents = await step()
        if (contents) return contents
      }
    } finally {
      looking = undefined
    }
  }

  return async (signal) => {
    waiting += 1
    try {
      for (;;) {
        const contents = await unlessAborted(signal, () => (looking ??= look()))
        if (contents) return contents
      }
    } finally {
      waiting -= 1
    }
  }
}

/** The header is DAG-CBOR, a map with `version`: a text of 7 bytes, then a small number. */
function isVersion1(header: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(header)
  return text.includes('gversion\x01')
}

/** CIDv0 is a multihash; CIDv1 has version and codec before it. */
function multihashAt(bytes: Uint8Array, from: number): { hex: string; end: number } | undefined {
  const at = bytes[from] === 1 ? varintAt(bytes, from + 1).end : from
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

/** Unsigned LEB128, below 2^53; larger than anything, and of no length, where it has no end. */
export function varintAt(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0
  for (let at = from, factor = 1; at < from + 8; at++, factor *= 128) {
    const byte = bytes[at]
    if (byte === undefined) break
    value += (byte & 127) * factor
    if (byte < 128) return { value, end: at + 1 }
  }
  return { value: Infinity, end: from }
}
