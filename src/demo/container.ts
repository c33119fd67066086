/** Matroska's Cluster, and the Timestamp that it begins with (RFC 9559 §5.1.3). */
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75] as const
const TIMESTAMP = 0xe7
/** The magic of EBML, which WebM begins with (RFC 8794 §11.2.1). */
const EBML = [0x1a, 0x45, 0xdf, 0xa3] as const

/** What is looked at of a file at once, and how far into it its header may reach. */
const WINDOW_BYTES = 1024 * 1024

const isAt = (bytes: Uint8Array, at: number, wanted: readonly number[]) =>
  wanted.every((byte, offset) => bytes[at + offset] === byte)

const nameAt = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 8))

/** Where the first Cluster of WebM, or the first fragment of MP4, begins; undefined where there is none. */
export function firstMedia(bytes: Uint8Array, mimeType: string): number | undefined {
  if (mimeType.includes('mp4')) {
    for (let at = 0; at + 8 <= bytes.length; at++) if (nameAt(bytes, at) === 'moof') return at
    return undefined
  }
  for (let at = bytes.indexOf(CLUSTER[0]); at >= 0; at = bytes.indexOf(CLUSTER[0], at + 1)) {
    if (!isAt(bytes, at, CLUSTER)) continue
    // Its size has as many bytes as its first one has leading zeros, and one.
    const sizeLength = Math.clz32(bytes[at + 4] ?? 0) - 24 + 1
    if (bytes[at + 4 + sizeLength] === TIMESTAMP) return at
  }
  return undefined
}

/** Whether bytes begin a file of their own: what a recorder begins with. */
export const beginsFile = (bytes: Uint8Array): boolean => isAt(bytes, 0, EBML) || nameAt(bytes, 0) === 'ftyp'

/** Whether a file begins with what a recorder begins with. */
export const isFile = async (file: Blob): Promise<boolean> => beginsFile(await bytesOf(file.slice(0, 16)))

/** What a player must have before all media: the header of a recorder's file. */
export async function headerOf(file: Blob, mimeType: string): Promise<Blob> {
  const ends = firstMedia(await bytesOf(file.slice(0, WINDOW_BYTES)), mimeType)
  return file.slice(0, ends ?? file.size)
}

/** A part that begins anywhere, from the first place in it at which media begin; empty where there is none. */
export async function fromMedia(part: Blob, mimeType: string): Promise<Blob> {
  for (let from = 0; from < part.size; from += WINDOW_BYTES) {
    // Windows overlap, so that nothing lies on an edge unseen.
    const at = firstMedia(await bytesOf(part.slice(from, from + WINDOW_BYTES + 16)), mimeType)
    if (at !== undefined) return part.slice(from + at)
  }
  return new Blob()
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer())
