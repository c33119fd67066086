import { expect, it } from 'vitest'
import { UNIXFS_V1_2025 } from '../evidence/cid.ts'
import type { ChunkEntry } from '../evidence/entry.ts'
import { platformX25519 } from '../evidence/x25519.ts'
import type { Cid, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { readChunk } from './chunk.ts'
import { VerificationError } from './error.ts'
import type { Objects, Wanted } from './objects.ts'
import { oneAtATime } from './one-at-a-time.ts'

const MAX_BYTES = 64 * 1024 * 1024
const listed = (index: number): ChunkEntry => ({
  kind: 'chunk',
  index,
  capturedAtMs: 0,
  durationMs: 0,
  sizeBytes: 1_000,
  plaintextHash: '00'.repeat(32) as Sha256Hex,
  encryptedHash: '00'.repeat(32) as Sha256Hex,
  iv: '',
  chunkKey: '',
  cid: `b${index}` as Cid,
})

/** Sources that send more than is asked for, whatever that is. @returns what was asked, and how much of it at a time */
function endless() {
  const asked: Wanted[] = []
  let underWay = 0
  let mostBytes = 0
  const objects: Objects = {
    silences: 0,
    async fetch(wanted) {
      asked.push(wanted)
      underWay += wanted.maxBytes
      mostBytes = Math.max(mostBytes, underWay)
      await new Promise((resolve) => setImmediate(resolve))
      underWay -= wanted.maxBytes
      const error = new VerificationError('chunk-address', 'checking a chunk', 'too long')
      return { kind: 'failed', error, isTooLong: true }
    },
  }
  return { objects, asked, mostBytes: () => mostBytes }
}

it('reads no more of an answer than is listed, and of longer ones one at a time', async () => {
  const { objects, asked, mostBytes } = endless()
  const source = {
    objects,
    profile: UNIXFS_V1_2025,
    name: '11'.repeat(32) as SessionName,
    sessionKey: '22'.repeat(32),
    sealingKey: '33'.repeat(32),
    x25519: platformX25519,
    alone: oneAtATime(),
  }
  const reading = Array.from({ length: 16 }, (_, index) => readChunk(source, listed(index)))
  for (const one of reading) await expect(one).rejects.toMatchObject({ code: 'chunk-address' })
  expect(asked).toHaveLength(32)
  expect(asked.slice(0, 16).every(({ maxBytes }) => maxBytes === 1_000)).toBe(true)
  expect(mostBytes()).toBeLessThan(MAX_BYTES + 16 * 1_000)
})
