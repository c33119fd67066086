import { fileAddress, rawAddress } from './address.ts'
import { cat, hex, text, u32, u64 } from './bytes.ts'
import {
  chunkEntry,
  endEntry,
  groupOf,
  headBytes,
  HOW,
  keysFrom,
  linkedPages,
  NO_DIGEST,
  noteEntry,
  Recording,
  sealChunk,
  sealNote,
  sealSessionKey,
  sessionEntry,
  signHead,
  signedHeadBytes,
  tagOf,
  type ChunkFields,
  type Keys,
  type SessionFields,
} from './recording.ts'
import { otherSignature, sign, signingKey } from './p256.ts'
import { randomFrom } from './random.ts'
import { consistency, frontier, inclusion, leafHash, root } from './tree.ts'

type Json = string | number | boolean | readonly Json[] | { readonly [field: string]: Json }
type Bytes = { readonly [field: string]: unknown }

/** Fields as JSON: byte strings in lower-case hex. */
function plain(value: unknown): Json {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value as Bytes).map(([name, field]) => [name, plain(field)]))
  return value as Json
}

const SEED = 'holdfast/vectors/format-2'
/** Of a log. */
const MOST_ENTRIES = 2 ** 32 - 1

function names() {
  const random = randomFrom(`${SEED}/names`)
  return [0, 1, 2].map(() => {
    const { uuid, signing, name } = keysFrom(random)
    const digits = hex(uuid)
    const parts = [8, 12, 16, 20].map((end, at) => digits.slice([0, 8, 12, 16][at], end))
    return { uuid: [...parts, digits.slice(20)].join('-'), signingKey: signing.publicKey, name }
  })
}

function groups(name: Buffer) {
  const random = randomFrom(`${SEED}/groups`)
  return [0, 1].map(() => {
    const group = groupOf(random.bytes(32))
    return Object.assign(group, { name, tag: tagOf(group, name) })
  })
}

function sealedSessionKey(keys: Keys) {
  const random = randomFrom(`${SEED}/session-key`)
  const group = groupOf(random.bytes(32))
  const ephemeral = random.bytes(32)
  return {
    name: keys.name,
    groupPrivateKey: group.privateKey,
    groupPublicKey: group.publicKey,
    groupId: group.id,
    sessionPrivateKey: keys.privateKey,
    sessionPublicKey: keys.publicKey,
    ephemeral,
    info: cat(text('holdfast/session-key/v2'), keys.name, group.id),
    sealed: sealSessionKey(group, keys, ephemeral),
  }
}

async function sealedChunk(keys: Keys, index: number, plaintext: Buffer) {
  const random = randomFrom(`${SEED}/chunk/${index}`)
  const fixed = { chunkKey: random.bytes(32), ephemeral: random.bytes(32), iv: random.bytes(12) }
  const sealed = sealChunk(keys, index, plaintext, fixed)
  const aad = cat(keys.name, u32(index))
  const info = cat(text('holdfast/chunk-key/v2'), aad)
  return { index, plaintext, ...fixed, info, aad, ...sealed, cid: await fileAddress(sealed.ciphertext) }
}

function sealedNote(keys: Keys, atMs: number, value: object) {
  const ephemeral = randomFrom(`${SEED}/note/${atMs}`).bytes(32)
  const info = cat(text('holdfast/note/v2'), keys.name, u64(atMs))
  return {
    atMs,
    json: JSON.stringify(value),
    ephemeral,
    info,
    sealed: sealNote(keys, atMs, value, ephemeral),
  }
}

function entries(keys: Keys, chunk: ChunkFields, sealed: Buffer) {
  const random = randomFrom(`${SEED}/entries`)
  const [one, other] = [groupOf(random.bytes(32)), groupOf(random.bytes(32))]
  const readers = [one, other]
    .sort((a, b) => Buffer.compare(a.id, b.id))
    .map((group) => ({
      id: group.id,
      tag: tagOf(group, keys.name),
      sealedKey: sealSessionKey(group, keys, random.bytes(32)),
    }))
  const small: SessionFields = {
    startedAtMs: 1_770_000_000_000,
    signingKey: keys.signing.publicKey,
    publicKey: keys.publicKey,
    continues: NO_DIGEST,
    mimeType: 'audio/webm',
    groups: readers.slice(0, 1),
    metadata: Buffer.alloc(0),
  }
  const whole: SessionFields = {
    ...small,
    startedAtMs: 2 ** 53 - 1,
    continues: random.bytes(32),
    mimeType: 'video/webm;codecs="vp8,opus";title=é',
    groups: readers,
    metadata: sealed,
  }
  const listed = (kind: string, fields: object, bytes: Buffer) => Object.assign({ kind }, fields, { bytes })
  const sessions = [small, whole].map((fields) => listed('session', fields, sessionEntry(fields)))
  const extreme = { ...chunk, index: 0xffff_ffff, durationMs: 0, capturedAtMs: 0 }
  const chunks = [chunk, extreme].map((fields) => listed('chunk', fields, chunkEntry(fields)))
  const ends = (['complete', 'interrupted', 'discarded'] as const).map((how, at) => {
    const [endedAtMs, indexes] = [1_770_000_100_000 + at, [3, 0xffff_ffff, 0][at]!]
    return { kind: 'end', how, endedAtMs, indexes, bytes: endEntry(HOW[how], endedAtMs, indexes) }
  })
  const note = { kind: 'note', atMs: 1_770_000_050_000, sealed, bytes: noteEntry(1_770_000_050_000, sealed) }
  return [...sessions, ...chunks, ...ends, note]
}

const TREE_SIZES = 34

function trees() {
  const all = Array.from({ length: TREE_SIZES }, (_, at) => leafHash(text(`entry ${at}`)))
  const some = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33]
  return {
    entry: 'UTF-8 of "entry " and its position in decimal',
    sizes: [...all.keys()].map((size) => {
      const leaves = all.slice(0, size)
      return { size, root: root(leaves), frontier: frontier(leaves) }
    }),
    inclusion: some.flatMap((size) =>
      [...new Set([0, Math.floor(size / 2), size - 1])].map((position) => ({
        size,
        position,
        path: inclusion(position, all.slice(0, size)),
      })),
    ),
    consistency: some.flatMap((size) =>
      [...new Set([1, Math.ceil(size / 2), size - 1, size])]
        .filter((from) => from >= 1)
        .map((from) => ({ from, size, path: consistency(from, all.slice(0, size)) })),
    ),
  }
}

/** A log of 14 pages of one entry each, of which those are full, and list what small ones did, that have to be. */
function fullPages() {
  const mine = new Recording(`${SEED}/full pages`)
  const pages: object[] = []
  let [full, to] = [0, 0]
  for (let number = 1; number <= 14; number++) {
    if (number < 14) mine.note({ page: number })
    else mine.end('complete', 0)
    const isFull = mine.entries.length - to >= 4 + full / 4
    const { bytes, digest, from, head, before } = isFull ? mine.publishFull(full) : mine.publish()
    if (isFull) [full, to] = [full + 1, mine.entries.length]
    pages.push({
      number: before.length + 1,
      from,
      full: isFull,
      follows: before.map((page) => page.digest),
      bytes,
      digest,
      head: { size: head.size, previous: head.previous, signedHead: signedHeadBytes(head) },
    })
  }
  return { name: mine.keys.name, entries: mine.entries, pages }
}

/** A whole recording of 20 pages: pages of one to three entries, chunks, notes, an end that is taken back, an end. */
async function recording() {
  const random = randomFrom(`${SEED}/recording`)
  const mine = new Recording(`${SEED}/recording`, {
    groups: [groupOf(random.bytes(32)), groupOf(random.bytes(32))],
    mimeType: 'video/webm',
    metadata: { title: 'vectors' },
  })
  let index = 0
  for (let number = 1; number <= 20; number++) {
    if (number % 3 === 0) mine.note({ page: number })
    if (number % 5 === 1) await mine.chunk(index++, text(`chunk of page ${number}`))
    if (number === 10) mine.end('interrupted')
    if (number === 20) mine.end('complete', index)
    if (mine.entries.length === (mine.pages.at(-1)?.head.size ?? 0)) mine.note({ page: number })
    mine.publish()
  }
  const ciphertexts = mine.chunks.map(({ cid, index, plaintext }) => ({
    index,
    cid,
    plaintext,
    ciphertext: mine.objects.get(cid),
  }))
  return {
    name: mine.keys.name,
    groups: mine.groups.map(({ privateKey, id }) => ({ privateKey, id })),
    ciphertexts,
    pages: mine.pages.map(({ bytes, digest, from, head }, at) => {
      const { size, root, page, previous, groups, end } = head
      return {
        number: at + 1,
        from,
        links: linkedPages(at + 1),
        bytes,
        digest,
        cid: rawAddress(digest),
        head: { size, root, page, previous, groups, end, signedHead: signedHeadBytes(head) },
      }
    }),
  }
}

/** Signed heads of the least and largest sizes, and of those that no log has, which are no heads for all their signatures. */
function sizes(keys: Keys) {
  const random = randomFrom(`${SEED}/sizes`)
  const head = {
    name: keys.name,
    root: random.bytes(32),
    page: random.bytes(32),
    previous: random.bytes(32),
    groups: random.bytes(32),
    end: false,
  }
  return [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n].map(
    (size) => ({
      size: String(size),
      signedHead: signedHeadBytes(signHead(keys.signing, { ...head, size })),
      isHead: size >= 1n && size <= MOST_ENTRIES,
    }),
  )
}

/** Signatures over one head, valid and not. */
function signatures(keys: Keys) {
  const random = randomFrom(`${SEED}/signatures`)
  const head = {
    name: keys.name,
    size: MOST_ENTRIES,
    root: random.bytes(32),
    page: random.bytes(32),
    previous: random.bytes(32),
    groups: random.bytes(32),
    end: true,
  }
  const bytes = headBytes(head)
  const signature = sign(keys.signing, bytes)
  const stranger = signingKey(random.bytes(32))
  const { publicKey } = keys.signing
  const flipped = Buffer.from(signature)
  flipped[63]! ^= 1
  const cases = [
    { what: 'as signed', publicKey, signature, holds: true },
    { what: 'r and n − s', publicKey, signature: otherSignature(signature), holds: true },
    { what: 'a flipped bit', publicKey, signature: flipped, holds: false },
    { what: 'all zero', publicKey, signature: Buffer.alloc(64), holds: false },
    {
      what: 'valid, of a key that is not the name’s',
      publicKey: stranger.publicKey,
      signature: sign(stranger, bytes),
      holds: false,
    },
    {
      what: 'of another message',
      publicKey,
      signature: sign(keys.signing, headBytes({ ...head, end: false })),
      holds: false,
    },
  ]
  return { head, bytes, cases }
}

/** Everything in `src/evidence/vectors/format-2.json`; it follows from the seed alone. */
export async function format2Vectors(): Promise<string> {
  const keys = keysFrom(randomFrom(`${SEED}/keys`))
  const chunk = await sealedChunk(keys, 7, text('a piece of a recording'))
  const note = sealedNote(keys, 1_770_000_050_000, { place: 'Zürich', people: 3 })
  const listed: ChunkFields = {
    index: chunk.index,
    capturedAtMs: 1_770_000_010_000,
    durationMs: 10_000,
    sizeBytes: chunk.sizeBytes,
    plaintextHash: chunk.plaintextHash,
    encryptedHash: chunk.encryptedHash,
    iv: chunk.iv,
    sealedKey: chunk.sealedKey,
    cid: chunk.cid,
  }
  const vectors = {
    about: 'Written by e2e/second-implementation from docs/evidence-format.md; byte strings in hex',
    names: names(),
    groups: groups(keys.name),
    sessionKey: sealedSessionKey(keys),
    chunks: [chunk, await sealedChunk(keys, 0, Buffer.alloc(0))],
    note,
    entries: entries(keys, listed, note.sealed),
    tree: trees(),
    recording: await recording(),
    fullPages: fullPages(),
    signatures: signatures(keys),
    sizes: sizes(keys),
  }
  return `${JSON.stringify(plain(vectors), undefined, 1)}\n`
}
