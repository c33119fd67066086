// The form of a write-ahead log of LevelDB: https://github.com/google/leveldb/blob/main/doc/log_format.md

const BLOCK_BYTES = 32_768
/** Checksum, length, type. */
const HEADER_BYTES = 7
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4] as const

/**
 * Where a write-ahead log is broken: a record that its writer did not finish, or one whose checksum is wrong, as where a
 * later writer went on behind an unfinished one. Undefined where all of it is whole.
 */
export function brokenAt(log: Uint8Array): number | undefined {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
  /** Where the record began that goes on in further pieces. */
  let begun: number | undefined
  for (let at = 0; at < log.length;) {
    const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (leftInBlock < HEADER_BYTES) {
      at += leftInBlock
      continue
    }
    if (at + HEADER_BYTES > log.length) return begun ?? at
    const end = at + HEADER_BYTES + view.getUint16(at + 4, true)
    const type = log[at + 6]!
    if (end > log.length || HEADER_BYTES + view.getUint16(at + 4, true) > leftInBlock) return begun ?? at
    if (view.getUint32(at, true) !== masked(crc32c(log.subarray(at + 6, end)))) return begun ?? at
    const goesOn = type === MIDDLE || type === LAST
    if (goesOn !== (begun !== undefined)) return begun ?? at
    if (type === FIRST) begun = at
    if (type === LAST || type === FULL) begun = undefined
    at = end
  }
  return begun
}

/** A log of these records. */
export function logOf(records: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let length = 0
  const put = (piece: Uint8Array) => {
    pieces.push(piece)
    length += piece.length
  }
  for (const record of records)
    for (let from = 0, isFirst = true; isFirst || from < record.length; isFirst = false) {
      const leftInBlock = BLOCK_BYTES - (length % BLOCK_BYTES)
      if (leftInBlock < HEADER_BYTES) put(new Uint8Array(leftInBlock))
      const room = (leftInBlock < HEADER_BYTES ? BLOCK_BYTES : leftInBlock) - HEADER_BYTES
      const part = record.subarray(from, from + room)
      from += part.length
      const isLast = from === record.length
      const piece = new Uint8Array(HEADER_BYTES + part.length)
      piece[6] = isFirst ? (isLast ? FULL : FIRST) : isLast ? LAST : MIDDLE
      piece.set(part, HEADER_BYTES)
      const view = new DataView(piece.buffer)
      view.setUint16(4, part.length, true)
      view.setUint32(0, masked(crc32c(piece.subarray(6))), true)
      put(piece)
    }
  return Buffer.concat(pieces)
}

const TABLE = Uint32Array.from({ length: 256 }, (_none, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc >>> 0
})

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** As LevelDB stores a checksum. */
const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
