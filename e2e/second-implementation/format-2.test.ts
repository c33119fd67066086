import { readFile } from 'node:fs/promises'
import { verify, createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { EMPTY_CHAIN, linksOf, newestOf, withPage } from '../../src/evidence/page-chain.ts'
import { serialisePage } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE } from '../../src/evidence/tree.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import { pageBefore } from '../../sw/core/listing.ts'
import type { Listed } from '../../sw/core/record.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { fileAddress, rawAddress } from './address.ts'
import { hex, sha256, text, unhex } from './bytes.ts'
import { format2Vectors } from './format-2.ts'
import { keySchedule, x25519 } from './hpke.ts'
import { otherSignature, sign, signingKey } from './p256.ts'
import { randomFrom } from './random.ts'
import { linkedPages } from './recording.ts'
import { frontier, leafHash, root, rootOfFrontier } from './tree.ts'

const file = join(repositoryRoot(), 'src/evidence/vectors/format-2.json')

interface Case {
  readonly publicKey: string
  readonly signature: string
  readonly holds: boolean
  readonly what: string
}

function holds(publicKey: Buffer, signature: Buffer, message: Buffer): boolean {
  const x = publicKey.subarray(0, 32).toString('base64url')
  const y = publicKey.subarray(32).toString('base64url')
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

describe('format-2.json', () => {
  it('is what its writer writes: node dist/e2e/second-implementation/write.js makes it anew', async () => {
    expect(await format2Vectors()).toBe(await readFile(file, 'utf8'))
  })

  it('has signatures that node:crypto judges as told', async () => {
    const { signatures, recording } = JSON.parse(await readFile(file, 'utf8')) as {
      signatures: { bytes: string; cases: readonly Case[] }
      recording: { name: string; pages: { head: { signedHead: string } }[] }
    }
    const ofTheName = signatures.cases[0]!.publicKey
    for (const { publicKey, signature, holds: expected, what } of signatures.cases)
      expect(
        publicKey === ofTheName && holds(unhex(publicKey), unhex(signature), unhex(signatures.bytes)),
        what,
      ).toBe(expected)
    for (const { head } of recording.pages) {
      const signed = unhex(head.signedHead)
      expect(holds(signed.subarray(185, 249), signed.subarray(249), signed.subarray(0, 185))).toBe(true)
    }
  })
})

it('the pages that this library writes of a log are those of the vectors, full ones included', async () => {
  const { fullPages } = JSON.parse(await readFile(file, 'utf8')) as {
    fullPages: {
      name: string
      entries: string[]
      pages: { number: number; full: boolean; bytes: string; head: { size: number; previous: string } }[]
    }
  }
  const { name, pages } = fullPages
  const all = fullPages.entries.map((entry) => Uint8Array.from(unhex(entry)))
  let listed: Listed = { tree: EMPTY_TREE, pages: EMPTY_CHAIN }
  for (const { number, bytes, head } of pages) {
    const { tree, pages: chain, full } = pageBefore(listed, head.size)
    const page = serialisePage({
      name: name as SessionName,
      number: chain.number + 1,
      from: tree.size,
      frontier: tree.frontier,
      links: linksOf(chain),
      entries: all.slice(tree.size, head.size),
    })
    expect(chain.number + 1).toBe(number)
    expect(hex(Buffer.from(page))).toBe(bytes)
    expect(newestOf(listed.pages) ?? '0'.repeat(64)).toBe(head.previous)
    const after = await appendEntries(tree, all.slice(tree.size, head.size))
    listed = { tree: after, pages: withPage(chain, await sha256Hex(page)), full }
  }
  expect(pages.filter(({ full }) => full)).toHaveLength(3)
})

it('the example of docs/evidence-format.md is of these vectors', async () => {
  const vectors = await readFile(file, 'utf8')
  const { bytes } = (JSON.parse(vectors) as { recording: { pages: { bytes: string }[] } }).recording.pages[0]!
  // 56 bytes before them, without frontier and links, and 2 for their number.
  const first = unhex(bytes).subarray(60, 60 + 507)
  const second = unhex(bytes).subarray(60 + 507 + 2)
  expect(second.length).toBe(237)
  const known = [vectors, hex(leafHash(first)), hex(leafHash(second))].join()
  const page = await readFile(join(repositoryRoot(), 'docs/evidence-format.md'), 'utf8')
  const [, example = ''] = page.split('## Example')
  const shown = [...example.matchAll(/\b(?:[0-9a-f]{16,}|b[a-z2-7]{58})\b/g)].map(([value]) => value)
  expect(shown.length).toBeGreaterThan(25)
  for (const value of shown) expect(known).toContain(value)
})

describe('the writer', () => {
  it('makes the keys of RFC 9180 A.1.1', () => {
    const skE = unhex('52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736')
    const pkR = unhex('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d')
    const { dh, own: enc } = x25519(skE, pkR)
    expect(hex(enc)).toBe('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431')
    const info = unhex('4f6465206f6e2061204772656369616e2055726e')
    // The RFC prints no vector of AES-256-GCM with this KEM; its A.1 differs from it in the AEAD's number and key length.
    const { key, nonce } = keySchedule(dh, enc, pkR, info, { id: 1, keyBytes: 16 })
    expect(hex(key)).toBe('4531685d41d65f03dc48f6b8302c05b0')
    expect(hex(nonce)).toBe('56d890e5accaaf011cff4b7d')
  })

  it('links pages as the specification says', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 12].map(linkedPages)).toEqual([
      [],
      [1],
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 4, 2],
      [6, 5],
      [7, 6, 4],
      [11, 10, 8, 4],
    ])
  })

  it('has the address of a file of one leaf from the importer', async () => {
    for (const sizeBytes of [16, 1_000, 1024 * 1024]) {
      const bytes = Buffer.alloc(sizeBytes, 'leaf')
      expect(await fileAddress(bytes)).toBe(rawAddress(sha256(bytes)))
    }
  })

  it('has frontiers whose parts, joined, are the root', () => {
    const leaves = Array.from({ length: 70 }, (_, at) => leafHash(text(String(at))))
    for (let size = 1; size <= leaves.length; size++)
      expect(rootOfFrontier(frontier(leaves.slice(0, size)))).toEqual(root(leaves.slice(0, size)))
  })

  it('makes signatures that node:crypto takes, for 200 keys', () => {
    const random = randomFrom('signatures')
    for (let run = 0; run < 200; run++) {
      const key = signingKey(random.bytes(32))
      const message = random.bytes(random.number(300))
      const signature = sign(key, message)
      expect(holds(key.publicKey, signature, message)).toBe(true)
      expect(holds(key.publicKey, otherSignature(signature), message)).toBe(true)
      expect(holds(key.publicKey, signature, Buffer.concat([message, Buffer.of(0)]))).toBe(false)
    }
  })
})
