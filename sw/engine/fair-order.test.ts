import { describe, expect, it } from 'vitest'
import {
  chunkIdOf,
  type ChunkId,
  type Cid,
  type SessionName,
  type Sha256Hex,
} from '../../src/protocol/ids.ts'
import type { ChunkRecord } from '../core/record.ts'
import { newSession, withMarks } from '../core/session.ts'
import { memoryStore } from '../testing/fake-disk.ts'
import { fairOrder } from './fair-order.ts'
import { aStart } from '../testing/world.ts'

/** Letters are sessions, oldest first; `failed` chunks of it have failed once. The first that waits is `from`. */
async function order(
  backlog: Readonly<Record<string, { fresh: number; failed?: number; from?: number }>>,
  count: number,
  apartMs = 1_000,
) {
  const store = memoryStore()
  await store.write(async (tx) => {
    for (const [at, [, { fresh, failed = 0, from = 0 }]] of Object.entries(backlog).entries()) {
      const session = newSession(aStart(at + 1, 1_000 + at * apartMs), '6'.repeat(64) as SessionName)
      for (let index = from; index < from + fresh + failed; index++) {
        const chunk: ChunkRecord = {
          id: chunkIdOf(session.id, index),
          sessionId: session.id,
          index,
          plaintextHash: 'a'.repeat(64) as Sha256Hex,
          capturedAtMs: 1,
          durationMs: 2,
          sizeBytes: 3,
          state: {
            status: 'uploading',
            seal: {
              encryptedHash: 'e'.repeat(64) as Sha256Hex,
              iv: 'a'.repeat(24),
              chunkKey: 'b'.repeat(160),
              cid: 'bcid' as Cid,
            },
          },
          effort: { failures: 0, notBeforeMs: index < from + failed ? 5 : 0 },
          retryCount: 0,
        }
        await tx.putChunk(withMarks(chunk, session))
      }
    }
  })
  const takeNext = fairOrder()
  const names = Object.keys(backlog)
  const gone = new Set<ChunkId>()
  let taken = ''
  // One lane: each chunk is taken alone.
  for (let turn = 0; turn < count; turn++) {
    const chunk = await store.read((tx) => takeNext(tx, 1_000, gone, []))
    if (chunk === undefined) break
    gone.add(chunk.id)
    const name = names[Number(chunk.sessionId.at(-1)) - 1] ?? '?'
    taken += (chunk.due?.[0] ?? 0) > 0 ? name.toLowerCase() : name
  }
  return taken
}

describe('fairOrder', () => {
  it('keeps the order of the queue where there is one session', async () => {
    expect(await order({ A: { fresh: 9 } }, 20)).toBe('AAAAAAAAA')
  })

  // Promise 5 of docs/guarantees.md.
  it('gives every fourth chunk to another session, each in its turn', async () => {
    expect(await order({ A: { fresh: 99 }, B: { fresh: 2 }, C: { fresh: 99 } }, 26)).toBe(
      'AAABAAACAAAABAAACAAAACAAAA',
    )
  })

  // Promise 5 of docs/guarantees.md.
  it('gives one of them in each round to what has failed, of the oldest session too', async () => {
    expect(await order({ A: { fresh: 99, failed: 2 }, B: { fresh: 9, failed: 1 } }, 28)).toBe(
      'AAABAAAaAAABAAAaAAABAAAbAAAB',
    )
  })

  // As where the first was paused for a while.
  it('gives turns to one that began in the same millisecond, and is further', async () => {
    expect(await order({ A: { fresh: 99 }, B: { fresh: 9, from: 100 } }, 12, 0)).toBe('AAABAAAABAAA')
  })

  it('takes everything once', async () => {
    const taken = await order({ A: { fresh: 7, failed: 2 }, B: { fresh: 3, failed: 1 }, C: { fresh: 5 } }, 99)
    expect([...taken].toSorted().join('')).toBe('AAAAAAABBBCCCCCaab')
  })
})
