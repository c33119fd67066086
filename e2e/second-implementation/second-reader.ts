import { isUtf8 } from 'node:buffer'
import { createPublicKey, verify } from 'node:crypto'
import { fileAddress, rawAddress } from './address.ts'
import { cat, hex, hmac, sha256, text, u32, u64, u8, unhex } from './bytes.ts'
import { gcmOpen, keySchedule, x25519, x25519Public } from './hpke.ts'
import { linkedPages } from './recording.ts'
import {
  Broken,
  isComplete,
  parseEntry,
  parsePage,
  type Chunk,
  type Frontier,
  type Page,
  type Session,
} from './second-parse.ts'

// A second reader of evidence format 2, from docs/evidence-format.md alone: it shares nothing with src/verify and
// src/evidence, and with the writer beside it only what hashes and seals. Slow and short: it judges in tests.

/** A head as the chain has it, byte strings in hex; in the order of the chain. */
export interface AnchoredHead {
  readonly name: string
  readonly size: bigint
  readonly root: string
  readonly page: string
  readonly previous: string
  readonly groups: string
  readonly end: boolean
  readonly publicKey: string
  readonly signature: string
  readonly timeMs: number
}

export interface Evidence {
  readonly heads: readonly AnchoredHead[]
  object(cid: string): Buffer | undefined
}

/** What this reader says of one listed chunk. */
export interface ChunkSaid {
  readonly index: number
  readonly verdict: string
  readonly plaintextHash?: string
  readonly existedBeforeMs: number | undefined
}

/** All that a reader says of a session, in words that both readers have. */
export type Said =
  | { readonly refused: string }
  | {
      readonly startedAtMs: number
      readonly mimeType: string
      readonly metadata: unknown
      readonly notes: readonly unknown[]
      readonly ending: string
      readonly size: number
      readonly heads: readonly string[]
      readonly lost: readonly (readonly [from: number, to: number])[]
      readonly forked: readonly string[]
      readonly repeated: readonly number[]
      readonly missing: readonly number[]
      readonly chunks: readonly ChunkSaid[]
    }

class Refused extends Error {}
const refuse = (code: string): never => {
  throw new Refused(code)
}

const NONE = Buffer.alloc(0)

const join = (left: Buffer, right: Buffer) => sha256(u8(1), left, right)

function append(frontier: Frontier, entry: Buffer): Frontier {
  const grown = [...frontier]
  let [size, node] = [1, sha256(u8(0), entry)]
  while (grown.at(-1)?.[0] === size) [size, node] = [2 * size, join(grown.pop()![1], node)]
  return [...grown, [size, node]]
}

const rootOf = (frontier: Frontier) =>
  frontier
    .map(([, root]) => root)
    .reduceRight((right, left) => join(left, right))
    .toString('hex')

function hpkeOpen(secretKey: Buffer, info: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  const enc = sealed.subarray(0, 32)
  const { dh, own } = x25519(secretKey, enc)
  const { key, nonce } = keySchedule(dh, enc, own, info)
  return gcmOpen(key, nonce, aad, sealed.subarray(32))
}

// Reading, in the steps of the specification

function holds(head: AnchoredHead, name: string): boolean {
  if (head.name !== name || sha256(unhex(head.publicKey)).toString('hex', 0, 16) !== name.slice(32))
    return false
  const digests = unhex(head.root + head.page + head.previous + head.groups)
  const signed = cat(text('holdfast/head/v2'), unhex(name), u64(head.size), digests, u8(head.end ? 1 : 0))
  const [x, y] = [head.publicKey.slice(0, 64), head.publicKey.slice(64)].map((half) =>
    unhex(half).toString('base64url'),
  )
  try {
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' })
    return verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, unhex(head.signature))
  } catch {
    return false
  }
}

/** What one head's pages say, as far as they can be fetched. */
interface View {
  /** All that they list, also where they contradict each other. */
  readonly listed: readonly (readonly [position: number, entry: Buffer])[]
  readonly entries: ReadonlyMap<number, Buffer>
  /** The root at each size that they give. */
  readonly roots: ReadonlyMap<number, string>
  readonly contradicts: boolean
  /** Whether no page is lost. */
  readonly hasAll: boolean
}

const isBeyond = ({ size }: AnchoredHead) => size >= 2n ** 32n

class Reading {
  private readonly pages = new Map<string, Page | undefined>()
  private readonly evidence: Evidence
  private readonly name: string
  constructor(evidence: Evidence, name: string) {
    this.evidence = evidence
    this.name = name
  }

  page(digest: string): Page | undefined {
    if (this.pages.has(digest)) return this.pages.get(digest)
    const found = this.evidence.object(rawAddress(unhex(digest)))
    let page: Page | undefined
    try {
      if (found !== undefined && sha256(found).toString('hex') === digest) page = parsePage(found, this.name)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
    }
    this.pages.set(digest, page)
    return page
  }

  view(head: AnchoredHead): View {
    const own = this.page(head.page)
    const digests = new Map<number, string>()
    let contradicts = false
    let hasAll = own !== undefined
    const pages = new Set<Page>()
    const visit = (digest: string, expected?: number): void => {
      const page = this.page(digest)
      const number = page?.number ?? expected
      if (number === undefined) return
      contradicts ||= (expected ?? number) !== number || (digests.get(number) ?? digest) !== digest
      digests.set(number, digest)
      hasAll &&= page !== undefined
      if (!page || pages.has(page)) return
      pages.add(page)
      linkedPages(number).forEach((linked, at) => visit(page.links[at]!, linked))
    }
    visit(own ? head.page : head.previous)

    const listed: (readonly [position: number, entry: Buffer])[] = []
    const entries = new Map<number, Buffer>()
    const roots = new Map<number, string>()
    let [size, frontier, number]: [number, Frontier, number] = [0, [], 0]
    for (const page of [...pages].sort((a, b) => a.number - b.number)) {
      const isNext = page.number === number + 1
      if (isNext ? page.from !== size : page.from < size + page.number - number - 1) contradicts = true
      if (isNext && size > 0 && page.from === size && rootOf(frontier) !== rootOf(page.frontier))
        contradicts = true
      if (size > 0 && isComplete(parsedAt(entries, size - 1))) contradicts = true
      ;[size, frontier, number] = [page.from, page.frontier, page.number]
      if (size > 0) roots.set(size, rootOf(frontier))
      for (const entry of page.entries) {
        listed.push([size, entry])
        entries.set(size, entry)
        frontier = append(frontier, entry)
        roots.set(++size, rootOf(frontier))
      }
    }
    if (own) {
      contradicts ||= BigInt(size) !== head.size || roots.get(size) !== head.root
      contradicts ||= isComplete(parsedAt(entries, size - 1)) !== head.end
    } else contradicts ||= BigInt(size) >= head.size
    return { listed, entries, roots, contradicts, hasAll }
  }
}

const parsedAt = (entries: ReadonlyMap<number, Buffer>, position: number) => {
  const found = entries.get(position)
  return found && parseEntry(found)
}

const groupsDigest = (session: Session) =>
  sha256(unhex(session.groups.map(({ id, tag }) => id + tag).join(''))).toString('hex')

/** The last head whose view has all, and which each head before it is of by what that says; all entries up to it. */
function longestWhole(heads: readonly AnchoredHead[], name: string, reading: Reading) {
  const signed = heads.filter((head) => !isBeyond(head) && holds(head, name))
  return signed
    .map((head, at) => wholeLog(signed.slice(0, at), head, reading))
    .findLast((whole) => whole !== undefined)
}

function wholeLog(before: readonly AnchoredHead[], newest: AnchoredHead, reading: Reading) {
  const { entries, roots, contradicts } = reading.view(newest)
  const first = parsedAt(entries, 0)
  const isWhole = BigInt(entries.size) === newest.size && !contradicts && first?.kind === 'session'
  const isEach = [...before, newest].every(
    ({ size, root, end, groups }) =>
      roots.get(Number(size)) === root &&
      isComplete(parsedAt(entries, Number(size) - 1)) === end &&
      first?.kind === 'session' &&
      groupsDigest(first) === groups,
  )
  return isWhole && isEach ? { entries, newest } : undefined
}

export async function readSecond(evidence: Evidence, name: string, groupKey: Buffer): Promise<Said> {
  try {
    return await read(evidence, name, groupKey)
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message }
    throw error
  }
}

async function read(evidence: Evidence, name: string, groupKey: Buffer): Promise<Said> {
  if (evidence.heads.length === 0) refuse('not-registered')
  const reading = new Reading(evidence, name)
  const log = new Map<number, Buffer>()
  const existedBefore = new Map<number, number>()
  const accepted: AnchoredHead[] = []
  const apart = new Set<string>()
  const states: string[] = []
  let isForked = false
  const whole = longestWhole(evidence.heads, name, reading)
  let hasSigned = false
  let given: AnchoredHead | undefined
  for (const head of evidence.heads) {
    if (isBeyond(head)) {
      isForked = true
      states.push('forked')
      continue
    }
    if (!holds(head, name)) {
      states.push('bad-signature')
      continue
    }
    hasSigned = true
    if (whole && head.size <= whole.newest.size) {
      states.push('good')
      accepted.push(head)
      for (let at = log.size; at < head.size; at++) {
        log.set(at, whole.entries.get(at)!)
        existedBefore.set(at, head.timeMs)
      }
      continue
    }
    const view = reading.view(head)
    const first = parsedAt(log, 0) ?? parsedAt(view.entries, 0)
    isForked ||=
      view.contradicts ||
      (first?.kind === 'session' && groupsDigest(first) !== head.groups) ||
      accepted.some(
        ({ size, root }) => size >= head.size || (view.roots.get(Number(size)) ?? root) !== root,
      ) ||
      [...view.entries].some(([position, entry]) => log.get(position)?.equals(entry) === false)
    states.push(isForked ? 'forked' : 'good')
    if (!isForked) {
      accepted.push(head)
      if (view.hasAll) given = head
    }
    for (const [position, entry] of view.listed) {
      if (isForked) {
        if (log.get(position)?.equals(entry) !== true)
          apart.add(`${position} ${sha256(entry).toString('hex')}`)
      } else if (!log.has(position)) {
        log.set(position, entry)
        existedBefore.set(position, head.timeMs)
      }
    }
  }
  if (!hasSigned) refuse('head-signature')
  for (const position of log.keys())
    if (given && position < given.size)
      existedBefore.set(position, accepted.find(({ size }) => size > position)!.timeMs)
  const last = accepted.at(-1) ?? refuse('root')
  const size = Number(last.size)

  const session = parsedAt(log, 0)
  if (session?.kind !== 'session') return refuse('first-page')
  if (sha256(unhex(session.publicKey)).toString('hex', 0, 16) !== name.slice(32)) refuse('groups')
  const groupPublic = x25519Public(groupKey)
  const groupId = sha256(text('holdfast/group/v2'), groupPublic)
  const mine = session.groups.find(({ id }) => id === groupId.toString('hex')) ?? refuse('group')
  if (hex(hmac(groupPublic, unhex(name))) !== mine.tag) refuse('group')
  const keyInfo = cat(text('holdfast/session-key/v2'), unhex(name), groupId)
  const secret = tried(() => hpkeOpen(groupKey, keyInfo, NONE, mine.sealedKey)) ?? refuse('key')
  if (!x25519Public(secret).equals(session.sealingKey)) refuse('key')

  const openNote = (atMs: number, sealed: Buffer): unknown => {
    const info = cat(text('holdfast/note/v2'), unhex(name), u64(atMs))
    const value = tried(() => {
      const bytes = hpkeOpen(secret, info, NONE, sealed)
      return isUtf8(bytes) ? (JSON.parse(bytes.toString('utf8')) as unknown) : undefined
    })
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'does not open'
  }

  const lost: [number, number][] = []
  let next = 0
  const positions = [...log.keys()].sort((a, b) => a - b)
  for (const position of [...positions, size]) {
    if (position > next) lost.push([next, position])
    next = position + 1
  }
  const entries = positions.map((position) => ({ position, entry: parseEntry(log.get(position)!) }))
  const chunks = new Map<number, { position: number; entry: Chunk }>()
  const repeated: number[] = []
  const notes: unknown[] = []
  let indexes: number | undefined
  for (const { position, entry } of entries) {
    if (entry.kind === 'note') notes.push(openNote(entry.atMs, entry.sealed))
    if (entry.kind === 'end') indexes = entry.indexes === 0xffff_ffff ? undefined : entry.indexes
    if (entry.kind !== 'chunk') continue
    if (chunks.has(entry.index)) repeated.push(position)
    else chunks.set(entry.index, { position, entry })
  }
  const metadata = session.metadata.length === 0 ? null : openNote(session.startedAtMs, session.metadata)
  const final = parsedAt(log, size - 1)
  const HOWS = ['open', 'complete', 'interrupted', 'discarded']
  const listed = [...chunks.keys()].sort((a, b) => a - b)
  const below = Math.max(indexes ?? 0, (listed.at(-1) ?? -1) + 1)
  const said: ChunkSaid[] = []
  for (const index of listed) {
    const { position, entry } = chunks.get(index)!
    const judged = await judge(evidence, name, secret, entry)
    said.push({ index, existedBeforeMs: existedBefore.get(position)!, ...judged })
  }
  return {
    startedAtMs: session.startedAtMs,
    mimeType: session.mimeType,
    metadata: metadata === 'does not open' ? null : metadata,
    notes,
    ending: final?.kind === 'end' ? HOWS[final.how]! : last.end ? 'complete' : 'open',
    size,
    heads: states,
    lost,
    forked: [...apart].sort(),
    repeated,
    missing: [...Array(Math.min(below, 1_000_000)).keys()].filter((index) => !chunks.has(index)),
    chunks: said,
  }
}

function tried<Value>(work: () => Value): Value | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

async function judge(evidence: Evidence, name: string, secret: Buffer, chunk: Chunk) {
  const ciphertext = evidence.object(chunk.cid)
  if (ciphertext === undefined) return { verdict: 'chunk-missing' }
  if ((await fileAddress(ciphertext)) !== chunk.cid) return { verdict: 'chunk-address' }
  if (ciphertext.length !== chunk.sizeBytes) return { verdict: 'chunk-size' }
  if (sha256(ciphertext).toString('hex') !== chunk.encryptedHash) return { verdict: 'chunk-encrypted-hash' }
  const aad = cat(unhex(name), u32(chunk.index))
  const info = cat(text('holdfast/chunk-key/v2'), aad)
  const key = tried(() => hpkeOpen(secret, info, aad, chunk.sealedKey))
  if (key === undefined) return { verdict: 'chunk-decrypt' }
  const plaintext = tried(() => gcmOpen(key, chunk.iv, aad, ciphertext))
  if (plaintext === undefined) return { verdict: 'chunk-decrypt' }
  const plaintextHash = sha256(plaintext).toString('hex')
  if (plaintextHash !== chunk.plaintextHash) return { verdict: 'chunk-plaintext-hash' }
  return { verdict: 'proved', plaintextHash }
}
