import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '../../src/protocol/errors.ts'
import { CHUNK_STATUSES } from '../../src/protocol/snapshot.ts'
import { chunkAfter, type ChunkEvent } from './chunk-machine.ts'
import { isParked, NEW_EFFORT } from './effort.ts'
import type { ChunkRecord, ChunkState } from './record.ts'
import { waitAfter, type Failure, type Now } from './retry-policy.ts'
import { sessionTransition } from './session-machine.ts'
import { recount } from './session.ts'
import { aChunk, aSession, SEAL as seal } from '../testing/records.ts'

const NOW_MS = 1_800_000_000_000
const moment = { nowMs: NOW_MS, random: 0.5 }

type StoredStatus = ChunkState['status']

const STATES: { readonly [Status in StoredStatus]: ChunkState & { readonly status: Status } } = {
  captured: { status: 'captured' },
  hashing: { status: 'hashing' },
  encrypting: { status: 'encrypting' },
  uploading: { status: 'uploading', seal },
  uploaded: { status: 'uploaded', seal, uploadedAtMs: NOW_MS - 5 },
  confirmed: { status: 'confirmed', seal, uploadedAtMs: NOW_MS - 5, confirmedAtMs: NOW_MS - 1 },
}

const failure = (code: ErrorCode, retryAfterMs = 0): Failure => ({ code, message: 'why', retryAfterMs })

const EVENTS: { readonly [Type in ChunkEvent['type']]: Extract<ChunkEvent, { type: Type }> } = {
  'hash-began': { type: 'hash-began' },
  'encrypt-began': { type: 'encrypt-began' },
  sealed: { type: 'sealed', seal, bytes: new ArrayBuffer(116) },
  'send-began': { type: 'send-began' },
  'resume-token-saved': { type: 'resume-token-saved', resumeToken: 'https://store.example/uploads/7' },
  stored: { type: 'stored' },
  'anchor-confirmed': { type: 'anchor-confirmed' },
  'proof-expired': { type: 'proof-expired' },
  failed: { type: 'failed', failure: failure('server-error') },
  resumed: { type: 'resumed' },
}

const chunkIn = (state: ChunkState, rest: Partial<ChunkRecord> = {}): ChunkRecord =>
  aChunk(7, state, { capturedAtMs: NOW_MS - 10, durationMs: 3_000, sizeBytes: 100, ...rest })

const _ = 'ignored'

/** Every event in every state: where it leads, or that nothing changes. The type leaves no cell out. */
const TABLE: Readonly<Record<StoredStatus, Readonly<Record<ChunkEvent['type'], StoredStatus | typeof _>>>> = {
  captured: {
    'hash-began': 'hashing',
    'encrypt-began': _,
    sealed: _,
    'send-began': _,
    'resume-token-saved': _,
    stored: _,
    'anchor-confirmed': _,
    'proof-expired': _,
    failed: 'captured',
    resumed: _,
  },
  hashing: {
    'hash-began': 'hashing',
    'encrypt-began': 'encrypting',
    sealed: _,
    'send-began': _,
    'resume-token-saved': _,
    stored: _,
    'anchor-confirmed': _,
    'proof-expired': _,
    failed: 'captured',
    resumed: _,
  },
  encrypting: {
    'hash-began': 'hashing',
    'encrypt-began': _,
    sealed: 'uploading',
    'send-began': _,
    'resume-token-saved': _,
    stored: _,
    'anchor-confirmed': _,
    'proof-expired': _,
    failed: 'captured',
    resumed: _,
  },
  uploading: {
    'hash-began': _,
    'encrypt-began': _,
    sealed: _,
    'send-began': 'uploading',
    'resume-token-saved': 'uploading',
    stored: 'uploaded',
    'anchor-confirmed': _,
    'proof-expired': 'uploading',
    failed: 'uploading',
    resumed: _,
  },
  uploaded: {
    'hash-began': _,
    'encrypt-began': _,
    sealed: _,
    'send-began': _,
    'resume-token-saved': _,
    stored: _,
    'anchor-confirmed': 'confirmed',
    'proof-expired': 'uploading',
    failed: _,
    resumed: _,
  },
  confirmed: {
    'hash-began': _,
    'encrypt-began': _,
    sealed: _,
    'send-began': _,
    'resume-token-saved': _,
    stored: _,
    'anchor-confirmed': _,
    'proof-expired': _,
    failed: _,
    resumed: _,
  },
}

const CELLS = (Object.keys(STATES) as StoredStatus[]).flatMap((status) =>
  Object.values(EVENTS).map((event) => ({
    status,
    event,
    type: event.type,
    next: TABLE[status][event.type],
  })),
)

/** What an event makes of a chunk, which stays as it is where the event is late; and of its bytes, in its session. */
function transition(before: ChunkRecord, event: ChunkEvent, now: Now) {
  const after = chunkAfter(before, event, now)
  const session = recount(aSession(1, { size: 1 }), undefined, before)
  const { effects = [] } =
    sessionTransition(session, [before], { type: 'chunk', id: before.id, event }, now) ?? {}
  return {
    chunk: after ?? before,
    effects: effects.map(([call]) => call).filter((call) => call.endsWith('Payload')),
    accepted: after !== undefined,
  }
}

describe('state × event', () => {
  it.each(CELLS)('$status × $type → $next', ({ status, event, next }) => {
    const before = chunkIn(STATES[status])
    const { chunk, effects, accepted } = transition(before, event, moment)
    if (next === 'ignored') {
      expect(accepted).toBe(false)
      expect(chunk).toBe(before)
      expect(effects).toEqual([])
    } else {
      expect(accepted).toBe(true)
      expect(chunk.state.status).toBe(next)
    }
  })

  // Promise 3 of docs/guarantees.md.
  it('touches the bytes in two cells only: sealing replaces them, confirmation deletes them', () => {
    const touching = CELLS.flatMap(({ status, event }) =>
      transition(chunkIn(STATES[status]), event, moment).effects.map(
        (effect) => `${status} ${event.type} ${effect}`,
      ),
    )
    expect(touching).toEqual(['encrypting sealed putPayload', 'uploaded anchor-confirmed deletePayload'])
  })

  it('keeps the seal and the times from one status to the next', () => {
    const run = (['send-began', 'stored', 'anchor-confirmed'] as const).reduce(
      (chunk, type, at) => transition(chunk, EVENTS[type], { nowMs: NOW_MS + at, random: 0 }).chunk,
      chunkIn(STATES.uploading),
    )
    expect(run.state).toEqual({
      status: 'confirmed',
      seal,
      uploadedAtMs: NOW_MS + 1,
      confirmedAtMs: NOW_MS + 2,
    })
  })

  it('asks the store again, without a failure, for what it was proved to have too long ago', () => {
    const proved = transition(chunkIn(STATES.uploading), EVENTS.stored, moment).chunk
    const { chunk } = transition(proved, EVENTS['proof-expired'], moment)
    expect(chunk).toEqual({
      ...proved,
      state: { status: 'uploading', seal },
      effort: { ...NEW_EFFORT, sent: true },
    })
  })

  it('takes the size of the ciphertext with the seal', () => {
    expect(transition(chunkIn(STATES.encrypting), EVENTS.sealed, moment).chunk).toMatchObject({
      sizeBytes: 116,
      state: { status: 'uploading', seal },
      effort: NEW_EFFORT,
    })
  })

  it('remembers that a request has left, through every failure', () => {
    const sent = transition(chunkIn(STATES.uploading), EVENTS['send-began'], moment).chunk
    const failed = transition(sent, EVENTS.failed, moment).chunk
    expect(transition(failed, EVENTS.resumed, moment).chunk.effort).toMatchObject({ sent: true })
  })
})

describe('failures', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[]
  const uploading = chunkIn(STATES.uploading)

  it.each(codes)('%s: its class decides between waiting and parking', (code) => {
    const { effort } = transition(uploading, { type: 'failed', failure: failure(code) }, moment).chunk
    const waits = ['transient', 'conflict'].includes(ERRORS[code]) || code.startsWith('payload-')
    expect(isParked(effort)).toBe(!waits)
  })

  it.each(['payload-unreadable', 'payload-corrupt'] as const)(
    'of bytes (%s) are tried a few times, then park their chunk',
    (code) => {
      let chunk = uploading
      for (const parks of [false, false, false, true]) {
        chunk = transition(chunk, { type: 'failed', failure: failure(code) }, moment).chunk
        expect(isParked(chunk.effort)).toBe(parks)
      }
    },
  )

  it('of what was only asked park for the sixth time in a row, at once for want of a sign-in or on trial', () => {
    const isOfRead = true
    for (const [code, parksAt] of [
      ['rejected-by-store', 6],
      ['bad-answer', 6],
      ['sign-in-needed', 1],
      ['timeout', Infinity],
    ] as const) {
      let chunk = uploading
      for (let times = 1; times <= 9; times++) {
        chunk = transition(chunk, { type: 'failed', failure: { ...failure(code), isOfRead } }, moment).chunk
        expect(isParked(chunk.effort), `${code}, ${times}`).toBe(times >= parksAt)
      }
    }
    const onTrial = transition(uploading, { type: 'resumed', onTrial: true }, moment).chunk
    const again = { ...failure('rejected-by-store'), isOfRead }
    expect(isParked(transition(onTrial, { type: 'failed', failure: again }, moment).chunk.effort)).toBe(true)
    // What passes is no answer to the trial, which goes on.
    const passing = transition(onTrial, { type: 'failed', failure: failure('unreachable') }, moment).chunk
    expect(passing.effort?.onTrial).toBe(true)
  })

  // Promise 6 of docs/guarantees.md.
  it.each(codes)('%s: only a missing network and our own stop cost no attempt', (code) => {
    const { chunk } = transition(uploading, { type: 'failed', failure: failure(code) }, moment)
    const spent = code === 'unreachable' || code === 'aborted' ? 0 : 1
    expect(chunk).toMatchObject({ retryCount: spent, effort: { failures: spent } })
    if (code !== 'aborted') expect(chunk.effort?.lastError?.code).toBe(code)
  })

  it.each(['address-mismatch', 'bad-answer'] as const)(
    '%s waits five times in a row, then parks; on trial it parks at once',
    (code) => {
      const conflict = { type: 'failed', failure: failure(code) } as const
      let chunk = uploading
      for (let tries = 5; tries > 0; tries--) {
        chunk = transition(chunk, conflict, moment).chunk
        expect(isParked(chunk.effort)).toBe(false)
      }
      chunk = transition(chunk, conflict, moment).chunk
      expect(isParked(chunk.effort)).toBe(true)
      const onTrial = transition(chunk, { type: 'resumed', onTrial: true }, moment).chunk
      expect(isParked(transition(onTrial, conflict, moment).chunk.effort)).toBe(true)
      const resumed = transition(chunk, { type: 'resumed' }, moment).chunk
      expect(isParked(transition(resumed, conflict, moment).chunk.effort)).toBe(false)
    },
  )

  it.each([
    { of: 'an ASCII message', message: 'x'.repeat(90), kept: 80 },
    { of: 'one of two bytes a character', message: 'é'.repeat(90), kept: 40 },
    { of: 'one of three', message: '字'.repeat(90), kept: 26 },
    { of: 'one of four, no half of one', message: '😀'.repeat(90), kept: 40 },
    { of: 'a short one', message: 'why', kept: 3 },
  ])('keep 80 bytes of $of', ({ message, kept }) => {
    const failed = { type: 'failed', failure: { ...failure('server-error'), message } } as const
    expect(transition(uploading, failed, moment).chunk.effort?.lastError?.message).toBe(
      message.slice(0, kept),
    )
  })

  it('tell of no stop of our own, and still of what had failed before it', () => {
    const stopped = { type: 'failed', failure: failure('aborted') } as const
    expect(transition(uploading, stopped, moment).chunk.effort?.lastError).toBeUndefined()
    const failed = transition(uploading, EVENTS.failed, moment).chunk
    expect(transition(failed, stopped, moment).chunk.effort?.lastError).toEqual(failed.effort?.lastError)
  })

  it('waits longer with each failure in a row, by full jitter', () => {
    let chunk = uploading
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => {
      chunk = transition(chunk, EVENTS.failed, { nowMs: NOW_MS, random: 1 - Number.EPSILON }).chunk
      return (chunk.effort?.notBeforeMs ?? NaN) - NOW_MS
    })
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('waits at least as long as the server asked', () => {
    expect(waitAfter(failure('throttled', 90_000), 1, moment)).toBe(NOW_MS + 90_000)
    expect(waitAfter(failure('unreachable', 7_000), 0, moment)).toBe(NOW_MS + 7_000)
  })

  it('is due at once after a missing network: the destination as a whole waits instead', () => {
    expect(waitAfter(failure('unreachable'), 0, moment)).toBe(NOW_MS)
  })

  it('is forgiven by progress, but counted for good', () => {
    const twice = transition(transition(uploading, EVENTS.failed, moment).chunk, EVENTS.failed, moment).chunk
    expect(twice).toMatchObject({ effort: { failures: 2 }, retryCount: 2 })
    const { chunk } = transition(twice, EVENTS.stored, moment)
    expect(chunk.retryCount).toBe(2)
    expect(chunk.effort).toBeUndefined()
  })

  it('is not forgiven by an attempt that has only begun', () => {
    const failed = transition(uploading, EVENTS.failed, moment).chunk
    expect(transition(failed, EVENTS['send-began'], moment).chunk).toMatchObject({
      effort: { failures: 1, lastError: { code: 'server-error' } },
    })
  })

  it.each(['captured', 'hashing', 'encrypting'] as const)(
    'in %s leaves the raw bytes to be sealed again',
    (status) => {
      const parked = transition(
        chunkIn(STATES[status]),
        { type: 'failed', failure: failure('defect') },
        moment,
      )
      expect(parked.effects).toEqual([])
      expect(parked.chunk.state).toEqual(STATES.captured)
      expect(isParked(parked.chunk.effort)).toBe(true)
      expect(transition(parked.chunk, EVENTS.resumed, moment).chunk).toMatchObject({
        state: STATES.captured,
        effort: NEW_EFFORT,
      })
    },
  )

  it('parks until somebody asks for another try, which starts afresh', () => {
    const parked = transition(uploading, { type: 'failed', failure: failure('sign-in-needed') }, moment).chunk
    const resumed = transition(parked, EVENTS.resumed, moment).chunk
    expect(resumed).toMatchObject({ effort: NEW_EFFORT, retryCount: 1 })
  })
})

describe('any sequence of events, with a death between any two', () => {
  const anyFailure = fc.record({
    code: fc.constantFrom(...(Object.keys(ERRORS) as ErrorCode[])),
    message: fc.string({ maxLength: 2_000, unit: 'grapheme', size: 'max' }),
    retryAfterMs: fc.nat(86_400_000),
  })
  const anyEvent: fc.Arbitrary<ChunkEvent> = fc.oneof(
    fc.constantFrom(...Object.values(EVENTS)),
    anyFailure.map((failure): ChunkEvent => ({ type: 'failed', failure })),
  )
  const anyRun = fc.array(
    fc.record({
      event: anyEvent,
      crash: fc.boolean(),
      nowMs: fc.integer({ min: NOW_MS, max: NOW_MS + 1e9 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    }),
    { maxLength: 60 },
  )
  const anyStart = fc.constantFrom(chunkIn(STATES.captured), chunkIn(STATES.uploading))
  const rank = (chunk: ChunkRecord) => CHUNK_STATUSES.indexOf(chunk.state.status)

  const walk = (
    start: ChunkRecord,
    run: typeof anyRun extends fc.Arbitrary<infer Run> ? Run : never,
    check: (before: ChunkRecord, event: ChunkEvent, after: ChunkRecord, effects: readonly string[]) => void,
  ) =>
    run.reduce((before, { event, crash, ...moment }) => {
      // Frozen: a transition that changed what it was given would throw.
      const { chunk, effects } = transition(
        deepFreeze(crash ? structuredClone(before) : before),
        event,
        moment,
      )
      check(before, event, chunk, effects)
      return chunk
    }, start)

  it('has an effort exactly while its bytes are not proved', () => {
    fc.assert(
      fc.property(anyStart, anyRun, (start, run) => {
        walk(start, run, (_before, _event, { state, effort }) => {
          expect(effort === undefined).toBe(state.uploadedAtMs !== undefined)
        })
      }),
    )
  })

  it('never goes back, except to seal again, or to ask the store again', () => {
    fc.assert(
      fc.property(anyStart, anyRun, (start, run) => {
        walk(start, run, (before, event, after) => {
          if (rank(after) >= rank(before)) return
          if (event.type === 'proof-expired') {
            expect(after).toMatchObject({ state: { status: 'uploading' }, effort: { sent: true } })
            return
          }
          expect(['hash-began', 'failed']).toContain(event.type)
          expect(['hashing', 'encrypting']).toContain(before.state.status)
          expect(after.state.status).toBe(event.type === 'failed' ? 'captured' : 'hashing')
        })
      }),
    )
  })

  // Promise 3 of docs/guarantees.md.
  it('deletes the bytes only with the confirmation, and once', () => {
    fc.assert(
      fc.property(anyStart, anyRun, (start, run) => {
        let deleted = 0
        const end = walk(start, run, (_before, event, after, effects) => {
          if (!effects.includes('deletePayload')) return
          expect(event.type).toBe('anchor-confirmed')
          expect(after.state.status).toBe('confirmed')
          deleted++
        })
        expect(deleted).toBe(end.state.status === 'confirmed' ? 1 : 0)
      }),
    )
  })

  it('is not written again for a person who asks again', () => {
    const failed = transition(aChunk(0, { status: 'captured' }), EVENTS.failed, moment).chunk
    const asked = transition(failed, { type: 'resumed' }, moment)
    expect(asked.chunk.effort).toEqual(NEW_EFFORT)
    expect(chunkAfter(asked.chunk, { type: 'resumed' }, moment)).toBeUndefined()
  })

  // Promise 5 of docs/guarantees.md.
  it('always has a way to the end', () => {
    const course = [
      'resumed',
      'hash-began',
      'encrypt-began',
      'sealed',
      'send-began',
      'stored',
      'anchor-confirmed',
    ] as const
    fc.assert(
      fc.property(anyStart, anyRun, (start, run) => {
        const end = course.reduce(
          (chunk, type) => transition(chunk, EVENTS[type], moment).chunk,
          walk(start, run, () => undefined),
        )
        expect(end.state.status).toBe('confirmed')
      }),
    )
  })

  it('spends attempts one at a time, and never gives one back', () => {
    fc.assert(
      fc.property(anyStart, anyRun, (start, run) => {
        walk(start, run, (before, _event, after) => {
          expect(after.retryCount - before.retryCount).toBeOneOf([0, 1])
          expect(after.effort?.failures ?? 0).toBeLessThanOrEqual(after.retryCount)
        })
      }),
    )
  })

  // Promise 9 of docs/guarantees.md.
  it('stays under 1 kB as JSON, whatever a server says', () => {
    const longest = chunkIn(STATES.uploading, {
      index: 0xffff_ffff,
      position: 0xffff_ffff,
      due: [9e15, 9e15, 0xffff_ffff],
    })
    fc.assert(
      fc.property(anyRun, (run) => {
        walk(longest, run, (_before, _event, after) => {
          expect(new TextEncoder().encode(JSON.stringify(after)).length).toBeLessThan(1_024)
        })
      }),
    )
  })
})

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
