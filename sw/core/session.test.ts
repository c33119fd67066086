import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkIdOf, type Cid, type SessionId, type Sha256Hex } from '../../src/protocol/ids.ts'
import { CHUNK_STATUSES, type ChunkStatus } from '../../src/protocol/snapshot.ts'
import { waitOf } from './chunk-machine.ts'
import type { ChunkRecord, ChunkState, SessionRecord, Wait } from './record.ts'
import {
  dueKey,
  isSettled,
  newSession,
  pendingChunks,
  placeInQueue,
  recount,
  SEAL_FIRST,
  withOpenMarker,
  uploadOf,
  totalChunks,
} from './session.ts'

const sessionId = '00000000-0000-4000-8000-000000000001' as SessionId
const STARTED_MS = 1_000
const fresh = newSession({ sessionId, mimeType: 'video/webm', startedAtMs: STARTED_MS, access: [] })
const seal = { encryptedHash: 'e'.repeat(64) as Sha256Hex, iv: 'A'.repeat(16), cid: 'bcid' as Cid }
const anchored = {
  merkleRoot: 'c'.repeat(64) as Sha256Hex,
  manifestCid: 'bmanifest' as Cid,
  chunkCount: 1,
  blockNumber: 7,
  confirmedAtMs: 9,
}

function stateOf(status: ChunkStatus, wait: Wait): ChunkState {
  if (status === 'captured') return { status, wait }
  if (status === 'hashing' || status === 'encrypting') return { status }
  if (status === 'uploading') return { status, wait, sent: false, seal }
  if (status === 'confirmed') return { status, seal, uploadedAtMs: 1, confirmedAtMs: 2 }
  return { status, seal, uploadedAtMs: 1 }
}

const aChunk = (index: number, state: ChunkState, sizeBytes = 10): ChunkRecord => ({
  id: chunkIdOf(sessionId, index),
  sessionId,
  index,
  plaintextHash: 'a'.repeat(64) as Sha256Hex,
  capturedAt: 1,
  durationMs: 1,
  sizeBytes,
  state,
  retryCount: 0,
  failures: 0,
})

const anyWait: fc.Arbitrary<Wait> = fc.oneof(
  fc.record({ kind: fc.constant('due' as const), notBeforeMs: fc.nat() }),
  fc.constant({ kind: 'parked' } as const),
)
const anyState = fc
  .tuple(fc.constantFrom(...CHUNK_STATUSES), anyWait)
  .map(([status, wait]) => stateOf(status, wait))

const withTally = (
  tally: Partial<SessionRecord['tally']>,
  rest: Partial<SessionRecord> = {},
): SessionRecord => ({
  ...fresh,
  ...rest,
  tally: { ...fresh.tally, ...tally },
})

describe('recount', () => {
  const anySteps = fc.array(
    fc.record({ index: fc.nat(8), state: fc.option(anyState), sizeBytes: fc.nat(1_000) }),
    { maxLength: 50 },
  )

  it('always equals a count from scratch, whatever is added, changed or removed', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const present = new Map<number, ChunkRecord>()
        let session = fresh
        for (const { index, state, sizeBytes } of steps) {
          const after = state === null ? undefined : aChunk(index, state, sizeBytes)
          session = recount(session, present.get(index), after)
          if (after === undefined) present.delete(index)
          else present.set(index, after)
        }
        const all = [...present.values()]
        for (const status of CHUNK_STATUSES)
          expect(session.tally[status]).toBe(all.filter(({ state }) => state.status === status).length)
        expect(session.parked).toBe(all.filter(({ state }) => waitOf(state)?.kind === 'parked').length)
        expect(session.localBytes).toBe(
          all
            .filter(({ state }) => state.status !== 'confirmed')
            .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        )
        const bytesOf = (chunks: readonly ChunkRecord[]) =>
          chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        expect(session.totalBytes).toBe(bytesOf(all))
        expect(session.storedBytes).toBe(bytesOf(all.filter(({ state }) => 'uploadedAtMs' in state)))
        expect(totalChunks(session)).toBe(all.length)
        expect(pendingChunks(session)).toBe(all.filter(({ state }) => waitOf(state) !== undefined).length)
      }),
    )
  })
})

describe('unpublishedSinceMs', () => {
  const uploaded = (index: number, uploadedAtMs: number) =>
    aChunk(index, { status: 'uploaded', seal, uploadedAtMs })

  it('is when the first verified chunk came that no publication covers', () => {
    const one = recount(fresh, undefined, uploaded(0, 100))
    const two = recount(one, undefined, uploaded(1, 900))
    expect(two.unpublishedSinceMs).toBe(100)
    const covered = (index: number) => aChunk(index, { status: 'manifesting', seal, uploadedAtMs: 1 })
    const none = recount(recount(two, uploaded(0, 100), covered(0)), uploaded(1, 900), covered(1))
    expect(none).not.toHaveProperty('unpublishedSinceMs')
    expect(recount(none, undefined, uploaded(2, 2_000)).unpublishedSinceMs).toBe(2_000)
  })
})

describe('isSettled', () => {
  const ended = { ending: 'complete' } as const

  it.each([
    { what: 'a recording without chunks', session: fresh, settled: false },
    { what: 'an ended one without chunks', session: withTally({}, ended), settled: true },
    {
      what: 'all confirmed, under the final manifest',
      session: withTally({ confirmed: 2 }, { ...ended, anchored: { ...anchored, ending: 'complete' } }),
      settled: true,
    },
    {
      what: 'all confirmed, under a manifest that says recording',
      session: withTally({ confirmed: 2 }, { ...ended, anchored: { ...anchored, ending: 'recording' } }),
      settled: false,
    },
    {
      what: 'ended after all, under a manifest that says interrupted',
      session: withTally({ confirmed: 2 }, { ...ended, anchored: { ...anchored, ending: 'interrupted' } }),
      settled: false,
    },
    {
      what: 'one chunk not confirmed',
      session: withTally(
        { confirmed: 2, uploading: 1 },
        { ...ended, anchored: { ...anchored, ending: 'complete' } },
      ),
      settled: false,
    },
  ])('$what: $settled', ({ session, settled }) => {
    expect(isSettled(session)).toBe(settled)
    expect(withOpenMarker(session).open).toBe(settled ? undefined : STARTED_MS)
  })

  it('waits for a publication that is in flight', () => {
    const publication = {
      stage: 'manifesting',
      ending: 'complete',
      lastUpdatedMs: 1,
      merkleRoot: anchored.merkleRoot,
      chunkCount: 1,
      sent: false,
      failures: 0,
      wait: { kind: 'due', notBeforeMs: 0 },
    } as const
    expect(isSettled(withTally({}, { ...ended, publication }))).toBe(false)
  })
})

describe('uploadOf', () => {
  const endings = ['recording', 'complete', 'interrupted'] as const

  it.each(endings)('%s: uploads while a chunk is not proved, then publishes', (ending) => {
    for (const status of ['captured', 'hashing', 'encrypting', 'uploading'] as const)
      expect(uploadOf(withTally({ [status]: 1, confirmed: 1 }, { ending })), status).toBe('uploading')
    for (const status of ['uploaded', 'manifesting', 'anchoring'] as const)
      expect(uploadOf(withTally({ [status]: 1, confirmed: 1 }, { ending })), status).toBe('publishing')
  })

  it('is confirmed with the final manifest, whatever that says of the ending, and not while it is recorded', () => {
    for (const ending of endings)
      expect(
        uploadOf(withTally({ confirmed: 2 }, { ending, anchored: { ...anchored, ending } })),
        ending,
      ).toBe(ending === 'recording' ? 'publishing' : 'confirmed')
    const late = { ending: 'complete', anchored: { ...anchored, ending: 'interrupted' } } as const
    expect(uploadOf(withTally({ confirmed: 2 }, late))).toBe('publishing')
  })

  it('is confirmed for an empty recording once it has ended', () => {
    expect(endings.map((ending) => uploadOf(withTally({}, { ending })))).toEqual([
      'publishing',
      'confirmed',
      'confirmed',
    ])
  })
})

describe('placeInQueue', () => {
  const waiting = aChunk(3, stateOf('uploading', { kind: 'due', notBeforeMs: 50 }))

  it('orders by time, then by the age of the session, then by index', () => {
    expect(dueKey(waiting, fresh)).toEqual([50, STARTED_MS, 3])
  })

  it('puts raw chunks before all others, since they wait for no network', () => {
    const raw = stateOf('captured', { kind: 'due', notBeforeMs: 0 })
    expect(dueKey(aChunk(3, raw), fresh)).toEqual([SEAL_FIRST, STARTED_MS, 3])
    expect(dueKey(aChunk(3, stateOf('hashing', { kind: 'parked' })), fresh)).toEqual([
      SEAL_FIRST,
      STARTED_MS,
      3,
    ])
    const later = stateOf('captured', { kind: 'due', notBeforeMs: 50 })
    expect(dueKey(aChunk(3, later), fresh)).toEqual([50, STARTED_MS, 3])
  })

  it('takes a chunk out of the queue when it is parked, verified, or its session paused', () => {
    const queued = placeInQueue(waiting, fresh)
    expect(queued.due).toBeDefined()
    expect(placeInQueue(queued, { ...fresh, paused: true })).not.toHaveProperty('due')
    const parked = { ...queued, state: stateOf('uploading', { kind: 'parked' }) }
    expect(placeInQueue(parked, fresh)).not.toHaveProperty('due')
    expect(
      placeInQueue({ ...queued, state: stateOf('uploaded', { kind: 'parked' }) }, fresh),
    ).not.toHaveProperty('due')
  })

  it('queues a chunk exactly while it waits for a lane and its session is not paused', () => {
    fc.assert(
      fc.property(anyState, fc.boolean(), (state, paused) => {
        const { due } = placeInQueue({ ...aChunk(1, state), due: [9, 9, 9] }, { ...fresh, paused })
        expect(due !== undefined).toBe(!paused && waitOf(state)?.kind === 'due')
      }),
    )
  })
})
