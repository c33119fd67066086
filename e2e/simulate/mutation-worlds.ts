import type { Happening } from './history.ts'

// What happens besides, in each history, where it would be rare that a broken engine shows.

const SLOW_DISK: Happening = { atMs: 0, what: { kind: 'disk-slow', forMs: 60_000 } }

/** Two drains at once, again and again, on a disk that gives each time to be late. */
export const TWO_DRAINS: readonly Happening[] = [
  SLOW_DISK,
  ...[1_500, 3_000, 4_500, 6_000, 9_000, 12_000].flatMap((atMs): Happening[] => [
    { atMs, what: { kind: 'lock-stolen' } },
    { atMs: atMs + 10, what: { kind: 'page-opened' } },
  ]),
]

/** Bytes rot again and again while they wait to be sealed. */
export const MUCH_ROT: readonly Happening[] = [
  SLOW_DISK,
  ...Array.from({ length: 30 }, (_none, at): Happening => ({
    atMs: 200 * at,
    what: { kind: 'bit-rot', of: at % 3, lost: false },
  })),
]

/** Whoever has the session's key signs another continuation, early and late. */
export const THIEVES: readonly Happening[] = [2_000, 4_000, 8_000].flatMap((atMs) =>
  [0, 1].map((of): Happening => ({
    atMs,
    what: { kind: 'other-writer', of, who: 'thief', larger: 1, end: false },
  })),
)

/** A store that forgets while no head comes to the chain. */
export const FORGETFUL: readonly Happening[] = [
  { atMs: 0, what: { kind: 'relays-sit', forMs: 2_000_000 } },
  ...[5, 10, 20, 30, 40, 50].map((atS): Happening => ({
    atMs: 1_000 * atS,
    what: { kind: 'store-forgets' },
  })),
]

/** So often that one comes while a request is under way. */
export const MANY_POWER_LOSSES: readonly Happening[] = Array.from({ length: 40 }, (_none, at) => ({
  atMs: 997 * at,
  what: { kind: 'power-lost' },
}))

/** The app is set up anew, early, and back, and anew. */
export const MOVED: readonly Happening[] = [700, 2_500, 6_000].map((atMs) => ({
  atMs,
  what: { kind: 'moved' },
}))

/** Servers that ask for minutes, early and again. */
export const BUSY: readonly Happening[] = [2_000, 30_000].map((atMs) => ({
  atMs,
  what: { kind: 'busy', forMs: 230_000 },
}))

/** The same while the clock is a day ahead. */
export const BUSY_AHEAD: readonly Happening[] = [
  { atMs: 0, what: { kind: 'clock-set', byMs: 86_400_000 } },
  ...BUSY,
  { atMs: 200_000, what: { kind: 'clock-set', byMs: -86_400_000 } },
]

/** Somebody has the drain's lock before anybody else, and keeps it. */
export const LOCK_KEPT: readonly Happening[] = [{ atMs: 0, what: { kind: 'lock-kept', forMs: 2_000_000 } }]

export const SEALER_HANGS: readonly Happening[] = [{ atMs: 0, what: { kind: 'sealer-hangs', forMs: 60_000 } }]

export const STORE_HANGS: readonly Happening[] = [{ atMs: 0, what: { kind: 'store-hangs', forMs: 260_000 } }]

export const CHAIN_HANGS: readonly Happening[] = [{ atMs: 0, what: { kind: 'chain-hangs', forMs: 260_000 } }]
