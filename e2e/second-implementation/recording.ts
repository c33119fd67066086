import { fileAddress, rawAddress } from './address.ts'
import { cat, hmac, sha256, text, u16, u32, u64, u8 } from './bytes.ts'
import { aesGcm, hpkeSeal, x25519Public } from './hpke.ts'
import { sign, signingKey, type SigningKey } from './p256.ts'
import { randomFrom, type Random } from './random.ts'
import { frontier, leafHash, root } from './tree.ts'

// A second writer of evidence format 2, from docs/evidence-format.md alone.

export const NO_DIGEST: Buffer = Buffer.alloc(32)
const UNKNOWN_INDEXES = 0xffff_ffff
export const HOW = { complete: 1, interrupted: 2, discarded: 3 } as const
export type How = keyof typeof HOW

export interface Group {
  readonly privateKey: Buffer
  readonly publicKey: Buffer
  /** SHA-256(`holdfast/group/v2` ‖ public key). */
  readonly id: Buffer
}

export function groupOf(privateKey: Buffer): Group {
  const publicKey = x25519Public(privateKey)
  return { privateKey, publicKey, id: sha256(text('holdfast/group/v2'), publicKey) }
}

export const tagOf = (group: Group, name: Uint8Array): Buffer => hmac(group.publicKey, name)

/** All that the session of a recorder knows of itself. */
export interface Keys {
  readonly uuid: Buffer
  readonly signing: SigningKey
  readonly name: Buffer
  readonly privateKey: Buffer
  readonly publicKey: Buffer
}

export function keysFrom(random: Random): Keys {
  const uuid = random.bytes(16)
  uuid[6] = (uuid[6]! & 0x0f) | 0x40
  uuid[8] = (uuid[8]! & 0x3f) | 0x80
  const signing = signingKey(random.bytes(32))
  const name = cat(uuid, sha256(signing.publicKey).subarray(0, 16))
  const privateKey = random.bytes(32)
  return { uuid, signing, name, privateKey, publicKey: x25519Public(privateKey) }
}

export interface SessionFields {
  startedAtMs: number
  signingKey: Buffer
  publicKey: Buffer
  continues: Buffer
  mimeType: string
  groups: { id: Buffer; tag: Buffer; sealedKey: Buffer }[]
  metadata: Buffer
}

export const sessionEntry = (fields: SessionFields): Buffer =>
  cat(
    u8(0),
    u64(fields.startedAtMs),
    fields.signingKey,
    fields.publicKey,
    fields.continues,
    u16(text(fields.mimeType).length),
    text(fields.mimeType),
    u8(fields.groups.length),
    ...fields.groups.map(({ id, tag, sealedKey }) => cat(id, tag, sealedKey)),
    u16(fields.metadata.length),
    fields.metadata,
  )

export interface ChunkFields {
  index: number
  capturedAtMs: number
  durationMs: number
  sizeBytes: number
  plaintextHash: Buffer
  encryptedHash: Buffer
  iv: Buffer
  sealedKey: Buffer
  cid: string
}

export const chunkEntry = (fields: ChunkFields): Buffer =>
  cat(
    u8(1),
    u32(fields.index),
    u64(fields.capturedAtMs),
    u32(fields.durationMs),
    u32(fields.sizeBytes),
    fields.plaintextHash,
    fields.encryptedHash,
    fields.iv,
    fields.sealedKey,
    u8(fields.cid.length),
    Buffer.from(fields.cid, 'ascii'),
  )

export const endEntry = (how: number, endedAtMs: number, indexes: number): Buffer =>
  cat(u8(2), u8(how), u64(endedAtMs), u32(indexes))

export const noteEntry = (atMs: number, sealed: Uint8Array): Buffer =>
  cat(u8(3), u64(atMs), u16(sealed.length), sealed)

export const sealSessionKey = (group: Group, keys: Keys, ephemeral: Buffer): Buffer =>
  hpkeSeal(
    group.publicKey,
    cat(text('holdfast/session-key/v2'), keys.name, group.id),
    Buffer.alloc(0),
    keys.privateKey,
    ephemeral,
  )

export const sealNote = (keys: Keys, atMs: number, value: object, ephemeral: Buffer): Buffer =>
  hpkeSeal(
    keys.publicKey,
    cat(text('holdfast/note/v2'), keys.name, u64(atMs)),
    Buffer.alloc(0),
    text(JSON.stringify(value)),
    ephemeral,
  )

/** The ciphertext of a chunk and what its entry says of it. */
export function sealChunk(
  keys: Keys,
  index: number,
  plaintext: Uint8Array,
  fixed: { chunkKey: Buffer; ephemeral: Buffer; iv: Buffer },
) {
  const aad = cat(keys.name, u32(index))
  const ciphertext = aesGcm(fixed.chunkKey, fixed.iv, aad, plaintext)
  const info = cat(text('holdfast/chunk-key/v2'), aad)
  return {
    ciphertext,
    sizeBytes: ciphertext.length,
    plaintextHash: sha256(plaintext),
    encryptedHash: sha256(ciphertext),
    iv: fixed.iv,
    sealedKey: hpkeSeal(keys.publicKey, info, aad, fixed.chunkKey, fixed.ephemeral),
  }
}

/** The numbers of the pages that page `number` links to. */
export function linkedPages(number: number): number[] {
  const linked: number[] = []
  for (let power = 1; power < number; power *= 2) {
    linked.push(number - power)
    if (number % power !== 0) break
  }
  return linked
}

export interface PageFields {
  magic: string
  name: Buffer
  number: number
  from: number
  frontier: readonly Buffer[]
  links: readonly Buffer[]
  entries: readonly Buffer[]
}

const pageBytes = (fields: PageFields): Buffer =>
  cat(
    text(fields.magic),
    fields.name,
    u32(fields.number),
    u32(fields.from),
    ...fields.frontier,
    ...fields.links,
    u16(fields.entries.length),
    ...fields.entries.map((entry) => cat(u16(entry.length), entry)),
  )

export interface HeadFields {
  name: Buffer
  size: number | bigint
  root: Buffer
  page: Buffer
  previous: Buffer
  groups: Buffer
  end: boolean
}

export const headBytes = (head: HeadFields): Buffer =>
  cat(
    text('holdfast/head/v2'),
    head.name,
    u64(head.size),
    head.root,
    head.page,
    head.previous,
    head.groups,
    u8(head.end ? 1 : 0),
  )

export interface SignedHead extends HeadFields {
  publicKey: Buffer
  signature: Buffer
}

export const signHead = (key: SigningKey, head: HeadFields): SignedHead => ({
  ...head,
  publicKey: key.publicKey,
  signature: sign(key, headBytes(head)),
})

/** head ‖ public key ‖ signature, 313 bytes. */
export const signedHeadBytes = (head: SignedHead): Buffer =>
  cat(headBytes(head), head.publicKey, head.signature)

/** A file of one leaf is that leaf: the importer says the same of it, and takes longer. */
const addressOf = async (ciphertext: Buffer) =>
  ciphertext.length <= 1024 * 1024 ? rawAddress(sha256(ciphertext)) : fileAddress(ciphertext)

/** A listed chunk, as its recorder remembers it. */
export interface Recorded extends ChunkFields {
  readonly position: number
  readonly plaintext: Buffer
}

export interface Published {
  readonly bytes: Buffer
  readonly digest: Buffer
  readonly from: number
  readonly head: SignedHead
  /** Those that it follows on, oldest first. */
  readonly before: readonly Published[]
}

export interface RecordingOptions {
  readonly groups?: readonly Group[]
  readonly mimeType?: string
  readonly metadata?: object
  readonly continues?: Buffer
  readonly keys?: Keys
}

export const STARTED_AT_MS = 1_770_000_000_000

/** A session in the making: its log, its pages and every object that it stored, all following from a seed. */
export class Recording {
  readonly random: Random
  readonly keys: Keys
  readonly groups: readonly Group[]
  readonly groupsDigest: Buffer
  readonly entries: Buffer[] = []
  readonly chunks: Recorded[] = []
  readonly pages: Published[] = []
  readonly objects = new Map<string, Buffer>()
  clockMs = STARTED_AT_MS
  private published = 0

  constructor(seed: string, options: RecordingOptions = {}) {
    this.random = randomFrom(seed)
    this.keys = options.keys ?? keysFrom(this.random)
    this.groups = [...(options.groups ?? [groupOf(this.random.bytes(32))])].sort((a, b) =>
      Buffer.compare(a.id, b.id),
    )
    const groups = this.groups.map((group) => ({
      id: group.id,
      tag: tagOf(group, this.keys.name),
      sealedKey: sealSessionKey(group, this.keys, this.random.bytes(32)),
    }))
    this.groupsDigest = sha256(...groups.map(({ id, tag }) => cat(id, tag)))
    const { metadata } = options
    this.entries.push(
      sessionEntry({
        startedAtMs: STARTED_AT_MS,
        signingKey: this.keys.signing.publicKey,
        publicKey: this.keys.publicKey,
        continues: options.continues ?? NO_DIGEST,
        mimeType: options.mimeType ?? 'video/webm;codecs=vp8,opus',
        groups,
        metadata:
          metadata === undefined
            ? Buffer.alloc(0)
            : sealNote(this.keys, STARTED_AT_MS, metadata, this.random.bytes(32)),
      }),
    )
  }

  /** The same session from here on in other hands; what is written to one is not in the other. */
  copy(seed: string): Recording {
    const other = new Recording(seed, { groups: this.groups, keys: this.keys })
    Object.assign(other, {
      groupsDigest: this.groupsDigest,
      clockMs: this.clockMs,
      published: this.published,
    })
    other.entries.splice(0, 1, ...this.entries)
    other.chunks.push(...this.chunks)
    other.pages.push(...this.pages)
    return other
  }

  private tick(): number {
    this.clockMs += 1_000 + this.random.number(1_000)
    return this.clockMs
  }

  /** Stores a chunk and lists it; `changes` is what a bad recorder writes instead. */
  async chunk(index: number, plaintext: Buffer, changes: Partial<ChunkFields> = {}): Promise<Recorded> {
    const fixed = {
      chunkKey: this.random.bytes(32),
      ephemeral: this.random.bytes(32),
      iv: this.random.bytes(12),
    }
    const { ciphertext, ...sealed } = sealChunk(this.keys, index, plaintext, fixed)
    const cid = await addressOf(ciphertext)
    this.objects.set(cid, ciphertext)
    const capturedAtMs = this.tick()
    const fields = {
      index,
      capturedAtMs,
      durationMs: 900 + this.random.number(200),
      ...sealed,
      cid,
      ...changes,
    }
    const recorded = { ...fields, position: this.entries.length, plaintext }
    this.entries.push(chunkEntry(fields))
    this.chunks.push(recorded)
    return recorded
  }

  note(value: object): void {
    const atMs = this.tick()
    this.entries.push(noteEntry(atMs, sealNote(this.keys, atMs, value, this.random.bytes(32))))
  }

  end(how: How, indexes: number = UNKNOWN_INDEXES): void {
    this.entries.push(endEntry(HOW[how], this.tick(), indexes))
  }

  /** A page of all that is not yet published, and its head; `page` and `head` are what a bad recorder writes instead. */
  publish(
    page: Partial<PageFields> = {},
    head: Partial<HeadFields> = {},
    before: readonly Published[] = this.found(),
  ): Published {
    const from = this.published
    const number = before.length + 1
    const leaves = this.entries.map(leafHash)
    const bytes = pageBytes({
      magic: 'holdfast/page/v2',
      name: this.keys.name,
      number,
      from,
      frontier: frontier(leaves.slice(0, from)),
      links: linkedPages(number).map((linked) => before[linked - 1]!.digest),
      entries: this.entries.slice(from),
      ...page,
    })
    const digest = sha256(bytes)
    const last = this.entries.at(-1)!
    const signed = signHead(this.keys.signing, {
      name: this.keys.name,
      size: this.entries.length,
      root: root(leaves),
      page: digest,
      previous: this.pages.at(-1)?.digest ?? NO_DIGEST,
      groups: this.groupsDigest,
      end: last[0] === 2 && last[1] === HOW.complete,
      ...head,
    })
    const published = { bytes, digest, from, head: signed, before }
    this.objects.set(rawAddress(digest), bytes)
    this.pages.push(published)
    this.published = this.entries.length
    return published
  }

  /** The pages that are found from the last one, it included, oldest first. */
  found(): readonly Published[] {
    const last = this.pages.at(-1)
    return last ? [...last.before, last] : []
  }

  /**
   * A full page: it follows on the first `kept` of those that are found from the last one, and lists again what the others
   * do, with all that is new.
   */
  publishFull(kept: number, page: Partial<PageFields> = {}, head: Partial<HeadFields> = {}): Published {
    this.published = this.found()[kept]?.from ?? this.published
    return this.publish(page, head, this.found().slice(0, kept))
  }

  /**
   * All of the log once more, in pages from 1 on that are as full as they may be, and the head of the last of them.
   *
   * @param most entries of a page
   */
  relist(most = 600, head: Partial<HeadFields> = {}): Published {
    const earlier = this.pages.splice(0)
    const all = this.entries.splice(0)
    this.published = 0
    for (let to = most; to < all.length; to += most) {
      this.entries.push(...all.slice(this.entries.length, to))
      this.publish()
    }
    this.entries.push(...all.slice(this.entries.length))
    const last = this.publish({}, head)
    this.pages.splice(0, this.pages.length, ...earlier, last)
    return last
  }
}
