import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SessionId } from '../../src/protocol/ids.ts'
import { CHUNK_STATUSES } from '../../src/protocol/snapshot.ts'
import { isParked, NEW_EFFORT } from './effort.ts'
import { SEAL_FIRST } from './limits.ts'
import type { ChunkRecord, ChunkState, Effort, SessionRecord } from './record.ts'
import {
  dueAtMs,
  dueKey,
  isSettled,
  pendingChunks,
  rawChunks,
  withMarks,
  recount,
  statusOf,
  withOpenMarker,
  uploadOf,
  totalChunks,
} from './session.ts'
import { aChunk, aSession, anchoredAt, listedUpTo, SEAL as seal, SESSION_ID } from '../testing/records.ts'

const STARTED_MS = 1_000
const fresh = aSession(STARTED_MS)

const STORED_STATUSES = CHUNK_STATUSES.filter((status) => status !== 'manifesting' && status !== 'anchoring')

function stateOf(status: ChunkState['status']): ChunkState {
  if (status === 'captured' || status === 'hashing' || status === 'encrypting') return { status }
  if (status === 'uploading') return { status, seal }
  if (status === 'confirmed') return { status, seal, uploadedAtMs: 1, confirmedAtMs: 2 }
  return { status, seal, uploadedAtMs: 1 }
}

const waiting = (notBeforeMs: number): Effort => ({ ...NEW_EFFORT, notBeforeMs })
const anyEffort = fc.oneof(fc.nat(), fc.constant(Infinity)).map(waiting)
/** Where a chunk is, and how that stands. */
const anyState = fc.tuple(fc.constantFrom(...STORED_STATUSES), anyEffort).map(([status, effort]) => {
  const state = stateOf(status)
  return { state, effort: state.uploadedAtMs === undefined ? effort : undefined }
})

const withTally = (
  tally: Partial<SessionRecord['tally']>,
  rest: Partial<SessionRecord> = {},
): SessionRecord => ({
  ...fresh,
  ...rest,
  tally: { ...fresh.tally, ...tally },
})

describe('recount', () => {
  const anySteps = fc.array(fc.record({ index: fc.nat(8), at: anyState, sizeBytes: fc.nat(1_000) }), {
    maxLength: 50,
  })

  it('always equals a count from scratch, whatever is added or changed', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const present = new Map<number, ChunkRecord>()
        let session = aSession(STARTED_MS, { size: 9 })
        for (const { index, at, sizeBytes } of steps) {
          const durationMs = 3 * sizeBytes + 1
          const after = aChunk(index, at.state, { effort: at.effort, sizeBytes, durationMs })
          session = recount(session, present.get(index), after)
          present.set(index, after)
        }
        const all = [...present.values()]
        for (const status of CHUNK_STATUSES)
          expect(session.tally[status]).toBe(all.filter(({ state }) => state.status === status).length)
        expect(session.parked).toBe(all.filter(({ effort }) => isParked(effort)).length)
        expect(session.localBytes).toBe(
          all
            .filter(({ state }) => state.status !== 'confirmed')
            .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        )
        const bytesOf = (chunks: readonly ChunkRecord[]) =>
          chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        expect(session.totalBytes).toBe(bytesOf(all))
        expect(session.storedBytes).toBe(bytesOf(all.filter(({ state }) => state.uploadedAtMs !== undefined)))
        const msOf = (chunks: readonly ChunkRecord[]) =>
          chunks.reduce((sum, { durationMs }) => sum + durationMs, 0)
        expect(session.totalMs).toBe(msOf(all))
        expect(session.storedMs).toBe(msOf(all.filter(({ state }) => state.uploadedAtMs !== undefined)))
        expect(totalChunks(session)).toBe(all.length)
        expect(rawChunks(session)).toBe(all.filter(({ state }) => state.seal === undefined).length)
        expect(pendingChunks(session)).toBe(all.filter(({ effort }) => effort !== undefined).length)
      }),
    )
  })
})

describe('isSettled', () => {
  const whole = { ending: 'complete', size: 4, logEnd: 'complete', anchored: anchoredAt(4) } as const
  const { logEnd: _none, ...endless } = whole
  const { anchored: _neither, ...unseen } = whole

  it.each([
    { what: 'a recording without chunks', session: fresh, settled: false },
    { what: 'an ended one without chunks', session: withTally({}, { ending: 'complete' }), settled: true },
    { what: 'all confirmed, the end too', session: withTally({ confirmed: 2 }, whole), settled: true },
    {
      what: 'an interrupted one, of which the chain holds that',
      session: withTally({ confirmed: 2 }, { ...whole, ending: 'interrupted', logEnd: 'interrupted' }),
      settled: true,
    },
    {
      what: 'a recording, though the chain holds its whole log',
      session: withTally({ confirmed: 2 }, { ...endless, ending: 'recording' }),
      settled: false,
    },
    { what: 'without an end in the log', session: withTally({ confirmed: 2 }, endless), settled: false },
    {
      what: 'complete after all, with a log that says interrupted',
      session: withTally({ confirmed: 2 }, { ...whole, logEnd: 'interrupted' }),
      settled: false,
    },
    {
      what: 'the end not on the chain',
      session: withTally({ confirmed: 2 }, { ...whole, anchored: anchoredAt(3) }),
      settled: false,
    },
    { what: 'nothing on the chain', session: withTally({ confirmed: 2 }, unseen), settled: false },
    {
      what: 'one chunk not confirmed',
      session: withTally({ confirmed: 2, anchoring: 1 }, whole),
      settled: false,
    },
  ])('$what: $settled', ({ session, settled }) => {
    expect(isSettled(session)).toBe(settled)
    expect(withOpenMarker({ ...session, open: 5 }).open).toBe(settled ? undefined : STARTED_MS)
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

  it('is confirmed once the chain holds the whole log, whatever that says of the end, and not while it is recorded', () => {
    const whole = { size: 4, anchored: anchoredAt(4) }
    for (const ending of ['complete', 'interrupted'] as const) {
      expect(uploadOf(withTally({ confirmed: 2 }, { ...whole, ending, logEnd: ending })), ending).toBe(
        'confirmed',
      )
      expect(uploadOf(withTally({ confirmed: 2 }, { ...whole, ending })), ending).toBe('publishing')
    }
    expect(uploadOf(withTally({ confirmed: 2 }, { ...whole, ending: 'recording' }))).toBe('publishing')
  })

  it('is confirmed for an empty recording once it has ended', () => {
    expect(endings.map((ending) => uploadOf(withTally({}, { ending })))).toEqual([
      'publishing',
      'confirmed',
      'confirmed',
    ])
  })
})

describe('withMarks', () => {
  const queued50 = aChunk(3, stateOf('uploading'), { effort: waiting(50) })

  /** With a fraction of its own. */
  const AT = expect.closeTo(STARTED_MS, 0) as number

  it('orders by time, then by the age of the session, then by index', () => {
    expect(dueKey(queued50, fresh)).toEqual([50, AT, 3])
  })

  it('gives each session of one millisecond a place of its own, before those of the next', () => {
    const atMs = Date.UTC(2026, 0, 1)
    const placeOf = (end: string, startedAtMs: number) =>
      dueKey(
        { ...queued50, sessionId: `${SESSION_ID.slice(0, -3)}${end}` as SessionId },
        aSession(startedAtMs),
      )![1]
    const places = ['000', '001', 'fff'].map((end) => placeOf(end, atMs))
    expect(new Set(places).size).toBe(3)
    expect(places.map(Math.floor)).toEqual([atMs, atMs, atMs])
    expect(Math.max(...places)).toBeLessThan(placeOf('000', atMs + 1))
  })

  it('puts raw chunks before all others, since they wait for no network', () => {
    const raw = stateOf('captured')
    expect(dueKey(aChunk(3, raw), fresh)).toEqual([SEAL_FIRST, 0, AT, 3])
    expect(dueKey(aChunk(3, stateOf('hashing')), fresh)).toEqual([SEAL_FIRST, 0, AT, 3])
    expect(dueKey(aChunk(3, raw, { effort: waiting(50) }), fresh)).toEqual([SEAL_FIRST, 50, AT, 3])
  })

  it('tells when a chunk is due, also one that an older version put there', () => {
    const raw = aChunk(3, stateOf('captured'), { effort: waiting(50) })
    for (const chunk of [raw, queued50]) expect(dueAtMs(withMarks(chunk, fresh))).toBe(50)
    expect(dueAtMs({ ...raw, due: [SEAL_FIRST, STARTED_MS, 3] })).toBeLessThanOrEqual(0)
    expect(dueAtMs(raw)).toBe(Infinity)
    expect(dueAtMs(undefined)).toBe(Infinity)
  })

  it('takes a chunk out of the queue when it is parked, verified, or its session paused', () => {
    const queued = withMarks(queued50, fresh)
    expect(queued.due).toBeDefined()
    expect(withMarks(queued, { ...fresh, paused: true }).due).toBeUndefined()
    const parked = { ...queued, effort: waiting(Infinity) }
    expect(withMarks(parked, fresh).due).toBeUndefined()
    expect(withMarks({ ...queued, state: stateOf('uploaded'), effort: undefined }, fresh).due).toBeUndefined()
  })

  it('queues a chunk exactly while it waits for a lane and its session is not paused', () => {
    fc.assert(
      fc.property(anyState, fc.boolean(), ({ state, effort }, paused) => {
        const { due } = withMarks({ ...aChunk(1, state), effort, due: [9, 9, 9] }, { ...fresh, paused })
        expect(due !== undefined).toBe(!paused && effort !== undefined && !isParked(effort))
      }),
    )
  })

  it('marks a chunk as proved, by its place in the log, exactly while its bytes are proved and not confirmed', () => {
    fc.assert(
      fc.property(
        anyState,
        fc.boolean(),
        fc.option(fc.nat(9), { nil: undefined }),
        ({ state }, paused, position) => {
          const before = {
            ...aChunk(1, state),
            ...(position !== undefined && { position }),
            proved: [SESSION_ID, 99],
          } as const
          const { proved } = withMarks(before, { ...fresh, paused })
          const isProved = state.status === 'uploaded'
          expect(proved).toEqual(isProved && position !== undefined ? [SESSION_ID, position] : undefined)
        },
      ),
    )
  })

  it('where its place in the log is lost it is as far as the last entry', () => {
    const session = aSession(STARTED_MS, { size: 100, listed: listedUpTo(99) })
    expect(statusOf(aChunk(1, stateOf('uploaded')), session)).toBe('uploaded')
    expect(statusOf(aChunk(1, stateOf('uploaded')), { ...session, size: 99 })).toBe('anchoring')
    expect(statusOf(aChunk(1, stateOf('uploaded'), { position: 98 }), session)).toBe('anchoring')
  })

  it('keeps a place in the log', () => {
    expect(withMarks(aChunk(1, queued50.state, { position: 5 }), fresh).position).toBe(5)
  })
})
