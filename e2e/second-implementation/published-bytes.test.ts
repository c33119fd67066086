import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { serialiseChunk, serialiseSession } from '../../src/evidence/entry.ts'
import { EMPTY_CHAIN, linksOf, withPage } from '../../src/evidence/page-chain.ts'
import { pageCid, serialisePage } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE } from '../../src/evidence/tree.ts'
import { pageBefore } from '../../sw/core/listing.ts'
import type { Listed } from '../../sw/core/record.ts'
import type { GroupId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import { hex, sha256 } from './bytes.ts'
import { takesWhole } from '../test-size.ts'

// Promise 9 of docs/guarantees.md. What docs/decisions/0024 says that pages cost at the store.

const CHUNKS = takesWhole() ? 10_000 : 2_000
const GROUP = {
  id: `0x${'1'.repeat(64)}` as GroupId,
  tag: '2'.repeat(64) as Sha256Hex,
  sealedKey: '3'.repeat(160),
}

const digest = () => hex(randomBytes(32)) as Sha256Hex

const session = () =>
  serialiseSession({
    startedAtMs: 1_770_000_000_000,
    publicKey: '4'.repeat(128),
    sealingKey: '5'.repeat(64),
    mimeType: 'video/webm;codecs=vp8,opus',
    groups: [GROUP],
  })
const chunk = (index: number) =>
  serialiseChunk({
    index,
    capturedAtMs: 1_770_000_000_000 + 3_000 * index,
    durationMs: 3_000,
    sizeBytes: 1_000_000,
    plaintextHash: digest(),
    encryptedHash: digest(),
    iv: '6'.repeat(24),
    chunkKey: '7'.repeat(160),
    cid: pageCid(digest()),
  })

it('10,000 chunks for one group, each with a page of its own, publish 900 bytes each at most, and the last small page no more than twice the eleventh', async () => {
  const log = [session()]
  const small: number[] = []
  const full: number[] = []
  let read = 0
  let listed: Listed = { tree: EMPTY_TREE, pages: EMPTY_CHAIN }
  for (let index = 0; index <= CHUNKS; index++) {
    log.push(chunk(index))
    const { tree, pages: chain, full: before } = pageBefore(listed, log.length)
    const entries = log.slice(tree.size)
    read += entries.length
    const page = serialisePage({
      name: '8'.repeat(64) as SessionName,
      number: chain.number + 1,
      from: tree.size,
      frontier: tree.frontier,
      links: linksOf(chain),
      entries,
    })
    ;(before ? small : full).push(page.length)
    const pages = withPage(chain, hex(sha256(page)) as Sha256Hex)
    listed = { tree: await appendEntries(tree, entries), pages, full: before }
  }
  const sum = [...small, ...full].reduce((all, size) => all + size, 0)
  const perChunk = sum / CHUNKS
  const [eleventh = 0, last = 0] = [small[10], small.at(-1)]
  const found = listed.pages.number
  console.log(
    `Published: ${perChunk.toFixed(0)} bytes a chunk; small page 11 ${eleventh}, the last ${last}; ` +
      `${full.length} full pages, the last of ${full.at(-1)}; ${found} pages list all; ${(read / CHUNKS).toFixed(2)} entries read for each`,
  )
  expect(perChunk).toBeLessThanOrEqual(900)
  expect(last).toBeLessThanOrEqual(2 * eleventh)
  expect(found).toBeLessThanOrEqual(360)
  // What a page of another 2 s would be, at 1 Mbit/s.
  expect(full.at(-1)).toBeLessThanOrEqual(25_000)
  // The entry itself, and once more in a full page.
  expect(read).toBeLessThanOrEqual(2 * (CHUNKS + 2))
})
