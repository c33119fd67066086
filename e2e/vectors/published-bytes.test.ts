import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { serialiseChunk, serialiseSession } from '../../src/evidence/entry.ts'
import { EMPTY_CHAIN, linksOf, withPage } from '../../src/evidence/page-chain.ts'
import { pageCid, serialisePage } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE } from '../../src/evidence/tree.ts'
import type { GroupId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import { hex, sha256 } from './bytes.ts'

// Promise 9 of docs/guarantees.md. What docs/decisions/0024 says that pages cost at the store.

const CHUNKS = 10_000
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

it('10,000 chunks for one group, each with a page of its own, publish 900 bytes each at most, and the last no more than twice the eleventh', async () => {
  const sizes: number[] = []
  let [tree, chain] = [EMPTY_TREE, EMPTY_CHAIN]
  for (let index = 0; index <= CHUNKS; index++) {
    const entries = index === 0 ? [session(), chunk(0)] : [chunk(index)]
    const page = serialisePage({
      name: '8'.repeat(64) as SessionName,
      number: chain.number + 1,
      from: tree.size,
      frontier: tree.frontier,
      links: linksOf(chain),
      entries,
    })
    sizes.push(page.length)
    chain = withPage(chain, hex(sha256(page)) as Sha256Hex)
    tree = await appendEntries(tree, entries)
  }
  const perChunk = sizes.slice(0, CHUNKS).reduce((sum, size) => sum + size, 0) / CHUNKS
  const [eleventh = 0, last = 0] = [sizes[10], sizes[CHUNKS]]
  console.log(`Published: ${perChunk.toFixed(0)} bytes a chunk; page 11 ${eleventh}, page 10,001 ${last}`)
  expect(perChunk).toBeLessThanOrEqual(900)
  expect(last).toBeLessThanOrEqual(2 * eleventh)
})
