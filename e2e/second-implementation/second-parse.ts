import { linkedPages } from './recording.ts'

// How the second reader parses entries and pages, from docs/evidence-format.md alone.

/** The roots of a tree's complete subtrees, largest first, each with its size. */
export type Frontier = readonly (readonly [size: number, root: Buffer])[]

export class Broken extends Error {}

class Cursor {
  private at = 0
  private readonly all: Buffer
  constructor(all: Buffer) {
    this.all = all
  }
  take(length: number): Buffer {
    if (this.at + length > this.all.length) throw new Broken('too short')
    this.at += length
    return this.all.subarray(this.at - length, this.at)
  }
  hex = (length: number) => this.take(length).toString('hex')
  uint(size: number, from = 0, to = Number.MAX_SAFE_INTEGER): number {
    const value = BigInt(`0x${this.hex(size)}`)
    if (value < BigInt(from) || value > BigInt(to)) throw new Broken('out of range')
    return Number(value)
  }
  done(): void {
    if (this.at !== this.all.length) throw new Broken('too long')
  }
}

export interface Chunk {
  readonly kind: 'chunk'
  readonly index: number
  readonly sizeBytes: number
  readonly plaintextHash: string
  readonly encryptedHash: string
  readonly iv: Buffer
  readonly sealedKey: Buffer
  readonly cid: string
}
export interface Session {
  readonly kind: 'session'
  readonly startedAtMs: number
  readonly publicKey: string
  readonly sealingKey: Buffer
  readonly mimeType: string
  readonly groups: readonly { id: string; tag: string; sealedKey: Buffer }[]
  readonly metadata: Buffer
}
export type Entry =
  | Session
  | Chunk
  | { readonly kind: 'end'; readonly how: number; readonly indexes: number }
  | { readonly kind: 'note'; readonly atMs: number; readonly sealed: Buffer }

export function parseEntry(all: Buffer): Entry {
  const cursor = new Cursor(all)
  const entry = entryOf(cursor, cursor.uint(1, 0, 3))
  cursor.done()
  return entry
}

function entryOf(cursor: Cursor, kind: number): Entry {
  if (kind === 0) {
    const startedAtMs = cursor.uint(8)
    const [publicKey, sealingKey] = [cursor.hex(64), cursor.take(32)]
    cursor.take(32) // continues
    const mime = cursor.take(cursor.uint(2, 1, 255))
    const mimeType = mime.toString('utf8')
    if (!Buffer.from(mimeType, 'utf8').equals(mime)) throw new Broken('not UTF-8')
    const groups: { id: string; tag: string; sealedKey: Buffer }[] = []
    for (let left = cursor.uint(1, 1, 16); left > 0; left--) {
      const id = cursor.hex(32)
      if (id <= (groups.at(-1)?.id ?? '')) throw new Broken('groups out of order')
      groups.push({ id, tag: cursor.hex(32), sealedKey: cursor.take(80) })
    }
    return {
      kind: 'session',
      startedAtMs,
      publicKey,
      sealingKey,
      mimeType,
      groups,
      metadata: cursor.take(cursor.uint(2)),
    }
  }
  if (kind === 1) {
    const index = cursor.uint(4)
    cursor.uint(8) // capturedAtMs
    cursor.uint(4) // durationMs
    const sizeBytes = cursor.uint(4, 16, 67_108_880)
    const [plaintextHash, encryptedHash, iv, sealedKey] = [
      cursor.hex(32),
      cursor.hex(32),
      cursor.take(12),
      cursor.take(80),
    ]
    const cid = cursor.take(cursor.uint(1)).toString('latin1')
    if (!/^b[a-z2-7]{20,120}$/.test(cid)) throw new Broken('no CIDv1 in base32')
    return { kind: 'chunk', index, sizeBytes, plaintextHash, encryptedHash, iv, sealedKey, cid }
  }
  if (kind === 2) {
    const how = cursor.uint(1, 1, 3)
    cursor.uint(8) // endedAtMs
    return { kind: 'end', how, indexes: cursor.uint(4) }
  }
  return { kind: 'note', atMs: cursor.uint(8), sealed: cursor.take(cursor.uint(2)) }
}

export const isComplete = (entry: Entry | undefined) => entry?.kind === 'end' && entry.how === 1

export interface Page {
  readonly number: number
  readonly from: number
  readonly frontier: Frontier
  readonly links: readonly string[]
  readonly entries: readonly Buffer[]
}

export function parsePage(all: Buffer, name: string): Page {
  if (all.length > 262_144) throw new Broken('too large')
  const cursor = new Cursor(all)
  if (cursor.take(16).toString('latin1') !== 'holdfast/page/v2') throw new Broken('no page')
  if (cursor.hex(32) !== name) throw new Broken('of another session')
  const [number, from] = [cursor.uint(4, 1), cursor.uint(4)]
  if (from < number - 1 || (number === 1 && from > 0)) throw new Broken('from too small')
  const sizes = [...Array(32).keys()]
    .map((bit) => 2 ** (31 - bit))
    .filter((size) => Math.floor(from / size) % 2 === 1)
  const frontier = sizes.map((size) => [size, cursor.take(32)] as const)
  const links = linkedPages(number).map(() => cursor.hex(32))
  const entries = [...Array(cursor.uint(2, 1)).keys()].map(() => cursor.take(cursor.uint(2)))
  cursor.done()
  if (from + entries.length >= 2 ** 32) throw new Broken('too long a log')
  const parsed = entries.map(parseEntry)
  parsed.forEach((entry, at) => {
    if ((entry.kind === 'session') !== (from + at === 0)) throw new Broken('a session entry belongs at 0')
    if (isComplete(entry) && at + 1 < parsed.length) throw new Broken('entries after the end')
  })
  return { number, from, frontier, links, entries }
}
