import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { contentAddress } from '../../src/evidence/cid.ts'
import { fromHex, toHex, concat, uint32be, utf8 } from '../../src/evidence/bytes.ts'
import { serialiseChunk, serialiseEnd, serialiseSession } from '../../src/evidence/entry.ts'
import { groupsDigest, importSigningKey, signHead, type Head } from '../../src/evidence/head.ts'
import { seal } from '../../src/evidence/hpke.ts'
import { EMPTY_CHAIN, linksOf, newestOf, withPage } from '../../src/evidence/page-chain.ts'
import { MAX_PAGE_ENTRIES } from '../../src/evidence/limits.ts'
import { pageCid, serialisePage } from '../../src/evidence/page.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { newSessionKeys } from '../../src/evidence/session-keys.ts'
import { appendEntries, EMPTY_TREE, rootOf } from '../../src/evidence/tree.ts'
import { newPrivateKey, platformX25519, publicKeyOf } from '../../src/evidence/x25519.ts'
import { pageBefore } from '../../sw/core/listing.ts'
import type { Listed } from '../../sw/core/record.ts'
import type { Cid, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { EvidenceWorld, Witnessed } from '../second-implementation/evidence-world.ts'
import { timeOfBlock } from '../second-implementation/evidence-world.ts'

export interface RecordingOptions {
  readonly chunks: number
  readonly chunkBytes: number
  readonly chunksPerPage: number
  /** A head is anchored after so many pages, and after the last. */
  readonly pagesPerHead: number
  /** `full`: in the place of small pages come full ones, as the worker has it. `once more`: the last head is of all in such pages. */
  readonly lists?: 'full' | 'once more' | undefined
  /** What each chunk is, base64; default: `chunkBytes` at random. */
  readonly media?: { readonly base64: string; readonly mimeType: string }
}

/** A recording as its writer publishes it, whose chunks are made again each time one is asked for. */
export interface Published {
  readonly world: EvidenceWorld
  readonly pages: number
  readonly plaintextBytes: number
  /** An object's bytes. */
  object(cid: string): Buffer | undefined
  /** What opens chunk `index` without its entry. */
  readonly keys: readonly { readonly key: Buffer; readonly iv: Buffer; readonly cid: Cid }[]
}

/** Publishes a recording with the product's own code, in as little memory as its pages need. */
export async function publish(options: RecordingOptions): Promise<Published> {
  const { chunks, chunksPerPage, pagesPerHead, lists, media } = options
  const privateKey = newPrivateKey()
  const groupKey = toHex(await publicKeyOf(privateKey, platformX25519))
  const id = crypto.randomUUID() as SessionId
  const { name, signingKey, publicKey, sealingKey, access } = await newSessionKeys(id, [
    { publicKey: groupKey },
  ])
  const signing = await importSigningKey(signingKey)
  const groups = await groupsDigest(access)
  const startedAtMs = timeOfBlock(0)
  const plaintext = media ? Buffer.from(media.base64, 'base64') : randomBytes(options.chunkBytes)
  const plaintextHash = createHash('sha256').update(plaintext).digest('hex') as Sha256Hex
  const keys: { key: Buffer; iv: Buffer; cid: Cid }[] = []
  const indexOf = new Map<string, number>()
  const ciphertextOf = (index: number): Buffer => {
    const { key, iv } = keys[index]!
    const cipher = createCipheriv('aes-256-gcm', key, iv)
    cipher.setAAD(concat(fromHex(name), uint32be(index)))
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  }

  const objects = new Map<string, Buffer>()
  const witnessed: Witnessed[] = []
  let last: Listed = { tree: EMPTY_TREE, pages: EMPTY_CHAIN }
  let waiting: Uint8Array[] = [
    serialiseSession({
      startedAtMs,
      publicKey,
      sealingKey,
      continues: null,
      mimeType: media?.mimeType ?? 'video/webm',
      groups: access,
      metadata: null,
    }),
  ]
  const listed: Uint8Array[] = []
  let pages = 0
  const publishPage = async (isLast: boolean) => {
    listed.splice(last.tree.size, Infinity, ...waiting)
    const before = lists === 'full' ? pageBefore(last, listed.length) : last
    const { size: from, frontier } = before.tree
    const number = before.pages.number + 1
    const entries = listed.slice(from)
    const bytes = serialisePage({ name, number, from, frontier, links: linksOf(before.pages), entries })
    const page = await sha256Hex(bytes)
    objects.set(pageCid(page), Buffer.from(bytes))
    const previous = newestOf(last.pages) ?? null
    const tree = await appendEntries(before.tree, entries)
    last = { tree, pages: withPage(before.pages, page), full: before.full }
    pages += 1
    waiting = []
    const isAnchored = pages % pagesPerHead === 0 && tree.size > (witnessed.at(-1)?.head.size ?? 0)
    if (!isAnchored && !isLast) return
    const head: Head = {
      name,
      size: tree.size,
      root: await rootOf(tree),
      page,
      previous,
      groups,
      end: isLast,
    }
    const hex = (text: string) => Buffer.from(text, 'hex')
    const signed = {
      ...head,
      name: hex(name),
      root: hex(head.root),
      page: hex(page),
      previous: previous === null ? Buffer.alloc(32) : hex(previous),
      groups: hex(groups),
      publicKey: hex(publicKey),
      signature: hex(await signHead(signing, head)),
    }
    const block = 10 + witnessed.length
    witnessed.push({ head: signed, block, timeMs: timeOfBlock(block) })
  }

  for (let index = 0; index < chunks; index++) {
    const key = randomBytes(32)
    const iv = randomBytes(12)
    keys.push({ key, iv, cid: '' as Cid })
    const ciphertext = ciphertextOf(index)
    const cid = await contentAddress(Uint8Array.from(ciphertext))
    keys[index] = { key, iv, cid }
    indexOf.set(cid, index)
    const place = concat(fromHex(name), uint32be(index))
    const toSeal = {
      publicKey: fromHex(sealingKey),
      info: concat(utf8('holdfast/chunk-key/v2'), place),
      aad: place,
      plaintext: Uint8Array.from(key),
    }
    const entry = {
      index,
      capturedAtMs: startedAtMs + 3_000 * index,
      durationMs: 3_000,
      sizeBytes: ciphertext.length,
      plaintextHash,
      encryptedHash: createHash('sha256').update(ciphertext).digest('hex') as Sha256Hex,
      iv: iv.toString('hex'),
      chunkKey: toHex(await seal(toSeal, platformX25519)),
      cid,
    }
    waiting.push(serialiseChunk(entry))
    if ((index + 1) % chunksPerPage === 0 && index + 1 < chunks) await publishPage(false)
  }
  waiting.push(serialiseEnd({ how: 'complete', endedAtMs: startedAtMs + 3_000 * chunks, indexes: chunks }))
  if (lists === 'once more') {
    const all = [...listed, ...waiting]
    last = { tree: EMPTY_TREE, pages: EMPTY_CHAIN }
    const pagesOfAll = Math.ceil(all.length / MAX_PAGE_ENTRIES)
    for (let at = 0; at < pagesOfAll; at++) {
      waiting = all.slice(at * MAX_PAGE_ENTRIES, (at + 1) * MAX_PAGE_ENTRIES)
      await publishPage(at + 1 === pagesOfAll)
    }
  } else await publishPage(true)

  const group = { privateKey: Buffer.from(privateKey), publicKey: Buffer.alloc(0), id: Buffer.alloc(0) }
  const world: EvidenceWorld = { name: Buffer.from(name, 'hex'), group, witnessed, objects }
  const object = (cid: string) => {
    const index = indexOf.get(cid)
    return index === undefined ? objects.get(cid) : ciphertextOf(index)
  }
  return { world, pages, plaintextBytes: chunks * plaintext.length, object, keys }
}
