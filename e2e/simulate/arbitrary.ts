import fc from 'fast-check'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { DiskFault, Happening, History } from './history.ts'

const CODES: readonly ErrorCode[] = [
  'unreachable',
  'unreachable',
  'timeout',
  'server-error',
  'throttled',
  'sign-in-needed',
  'address-mismatch',
  'bad-answer',
  'rejected-by-store',
  'anchor-rejected',
]

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** A time zone by hand, a battery that ran empty, and the network's time after that. */
const JUMPS_MS = [
  -20 * MINUTE_MS,
  HOUR_MS,
  5 * HOUR_MS,
  -5 * HOUR_MS,
  DAY_MS,
  -DAY_MS,
  365 * DAY_MS,
  -365 * DAY_MS,
]

const ms = (max: number) => fc.integer({ min: 0, max })

const fault = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fails' as const),
      code: fc.constantFrom(...CODES),
      after: fc.boolean(),
      retryAfterMs: fc.constantFrom(0, 0, 0, 1_000, 90_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(2_000, 20_000, 200_000) }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'lies' as const }) },
)

const of = fc.nat({ max: 2 })

const what = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('worker-killed' as const, 'worker-updated' as const) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'page-opened' as const,
        'sync' as const,
        'store-forgets' as const,
        'power-lost' as const,
        'lock-stolen' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'tab-killed' as const,
        'paused' as const,
        'resumed' as const,
        'other-content' as const,
      ),
      of,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('discarded' as const), of, confirmed: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'offline' as const,
        'disk-full' as const,
        'disk-fails' as const,
        'disk-slow' as const,
        'signed-out' as const,
      ),
      forMs: fc.constantFrom(1_000, 20_000, 60_000, 400_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      forMs: fc.constantFrom(20_000, 60_000, 400_000),
      kind: fc.constantFrom('relay-sits' as const, 'relays-sit' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('nodes-lag' as const),
      forMs: fc.constantFrom(5_000, 60_000, 400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('policy' as const),
      policy: fc.constantFrom('unmetered' as const, 'paused' as const, 'always' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('metered' as const),
      forMs: fc.constantFrom(5_000, 60_000, 400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('reorganised' as const),
      vanish: fc.boolean(),
      deeper: fc.constantFrom(0, 0, 1, 3, 20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('carried' as const), of }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('other-writer' as const),
      of,
      who: fc.constantFrom('stranger' as const, 'thief' as const),
      larger: fc.constantFrom(0, 1, 99),
      end: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('bit-rot' as const), of, lost: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('clock-set' as const), byMs: fc.constantFrom(...JUMPS_MS) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unreadable' as const), forMs: ms(20_000) }) },
)

/**
 * What came late to this world happens in some histories besides, by a choice that was there before: so the others are what
 * they were, and a seed still shows what it has shown.
 */
const BESIDES: readonly { readonly of: number; readonly what: Happening['what'] }[] = [
  { of: 3, what: { kind: 'lock-kept', forMs: 300_000 } },
  { of: 11, what: { kind: 'lock-kept', forMs: 40_000 } },
  { of: 7, what: { kind: 'sealer-hangs', forMs: 200_000 } },
  { of: 13, what: { kind: 'store-hangs', forMs: 200_000 } },
  { of: 6, what: { kind: 'app-hangs', forMs: 200_000 } },
  { of: 1, what: { kind: 'moved' } },
  { of: 9, what: { kind: 'busy', forMs: 60_000 } },
  { of: 2, what: { kind: 'chain-hangs', forMs: 200_000 } },
]

/** What comes and goes does so this often, each time after so long, ms. */
const TIMES = 4
const APART_MS = 20_000
const againAndAgain = (happenings: readonly Happening[]): Happening[] =>
  happenings.flatMap(({ atMs, what }) =>
    Array.from({ length: TIMES }, (_none, nth) => ({ atMs: atMs + nth * APART_MS, what })),
  )

/** A write that is told as failed commits all the same. */
const thatCommits = (fault: DiskFault): DiskFault =>
  fault.of === 'write' ? { of: 'write', nth: fault.nth, how: 'commits', code: 'storage-failed' } : fault

const withBesides = (history: History): History => {
  const { jitter, happenings, diskFaults } = history
  const besides = BESIDES.filter(({ of }) => jitter % 16 === of)
  return {
    ...history,
    diskFaults: jitter % 16 === 5 ? diskFaults.map(thatCommits) : diskFaults,
    happenings: [
      ...(jitter % 16 === 15 ? againAndAgain(happenings) : happenings),
      ...besides.map(({ what }) => ({ atMs: jitter % 9_001, what })),
    ],
  }
}

/** Histories that chance makes, and that shrink towards nothing going wrong. */
export const histories: fc.Arbitrary<History> = fc
  .record({
    jitter: fc.nat({ max: 1_000_000 }),
    depth: fc.constantFrom(2 as const, 3 as const),
    lastsMs: fc.constantFrom(0, 0, 0, 0, 60_000, 900_000),
    afterwards: fc.constantFrom('visited' as const, 'open' as const),
    recordings: fc.array(
      fc.record({
        seal: fc.constantFrom('page' as const, 'page' as const, 'page' as const, 'worker' as const),
        chunks: fc.integer({ min: 0, max: 4 }),
        gapMs: fc.constantFrom(0, 200, 3_000, 20_000),
        beginsAtMs: ms(5_000),
        ending: fc.constantFrom('ends' as const, 'ends' as const, 'dies' as const, 'forgets' as const),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    lives: fc.array(
      fc.record({
        diesAt: fc.integer({ min: 1, max: 90 }),
        laterMs: fc.constantFrom(undefined, undefined, 10, 1_000, 30_000, 120_000),
      }),
      { maxLength: 6 },
    ),
    requestFaults: fc.array(fc.record({ nth: fc.integer({ min: 1, max: 40 }), fault }), { maxLength: 10 }),
    diskFaults: fc.array(
      fc.record({
        of: fc.constantFrom('read' as const, 'write' as const),
        nth: fc.integer({ min: 1, max: 80 }),
        how: fc.constantFrom('fails' as const, 'fails' as const, 'hangs' as const),
        code: fc.constantFrom('storage-full' as const, 'storage-failed' as const),
      }),
      { maxLength: 3 },
    ),
    happenings: fc.array(fc.record({ atMs: ms(60_000), what }), { maxLength: 5 }),
    anchored: fc.constantFrom(true, true, true, false),
    // Last, so that what else happens in a history of some number is what it was before there were notes.
    notes: fc.constantFrom(0, 0, 0, 1, 2),
  })
  .map(withBesides)
