import { seededRandom } from '../../sw/testing/quick-crypto.ts'
import { virtualClock, type VirtualClock } from '../../sw/testing/virtual-clock.ts'
import { letterOf, type History, type RequestFault } from './history.ts'
import { lastingFaults, type LastingFaults } from './lasting-faults.ts'

/** What everything in one run shares: its time, its chance, its faults, and what was seen to go wrong. */
export interface Scene {
  readonly history: History
  readonly clock: VirtualClock
  /** The readable history; empty unless it was asked for. */
  readonly lines: string[]
  /** The first broken promise ends the run. */
  failure: string | undefined
  /** From here on nothing goes wrong any more. */
  healing: boolean
  readonly faults: LastingFaults
  /** The policy on the disk, and since when it is there, ms since the epoch. */
  policy: { readonly value: unknown; readonly sinceMs: number }
  /** Until then a transaction hangs, and holds the others up, ms since the epoch. */
  diskHangsUntilMs: number
  /** How often the chain took its newest blocks back. */
  reorganisations: number
  /** How often the power was lost. */
  powerLosses: number
  /** Whom workers that start now bring things to: the same servers, under one name or another. */
  place: 'home' | 'away'
  /** How often that has changed. */
  moves: number
  /** How often the drain's lock was taken from who held it: two drains may run at once since. */
  thefts: number
  /** How often a drain took it from one that had kept it for too long. */
  takeovers: number
  kills: number
  /** How far the device's clock is from true time, ms. */
  clockErrorMs: number
  random(): number
  /** A time that something takes, ms: about this much, or exactly where the history has no jitter. */
  about(ms: number): number
  trace(line: () => string): void
  fail(what: string): void
  /** The fault of the request that leaves now. */
  nextRequestFault(): RequestFault['fault'] | undefined
  sleep(ms: number): Promise<void>
}

export const START_MS = Date.UTC(2026, 0, 1)

/** @param traced whether to keep readable lines */
export function createScene(history: History, traced: boolean): Scene {
  const random = seededRandom(history.jitter)
  const clock = virtualClock(START_MS, 1 + history.jitter, false)
  let requests = 0
  const scene: Scene = {
    history,
    clock,
    lines: [],
    failure: undefined,
    healing: false,
    faults: lastingFaults(clock.now),
    policy: { value: undefined, sinceMs: 0 },
    diskHangsUntilMs: 0,
    reorganisations: 0,
    powerLosses: 0,
    thefts: 0,
    takeovers: 0,
    place: 'home',
    moves: 0,
    kills: 0,
    clockErrorMs: 0,
    random,
    about: (ms) => (history.jitter === 0 ? ms : Math.round(ms * 3 * random() ** 2)),
    trace(line) {
      if (!traced) return
      const seconds = ((clock.now() - START_MS) / 1_000).toFixed(3)
      scene.lines.push(`${seconds.padStart(9)}  ${readable(line())}`)
    },
    fail(what) {
      scene.trace(() => `BROKEN: ${what}`)
      scene.failure ??= readable(what)
    },
    nextRequestFault() {
      requests++
      if (scene.healing) return undefined
      return history.requestFaults.find(({ nth }) => nth === requests)?.fault
    },
    sleep: clock.after,
  }
  return scene
}

/** Ids and names of sessions as letters: `00000000-0000-4000-8000-000000000002/1` becomes `B/1`. */
const readable = (line: string) =>
  line.replaceAll(
    /00000000-0000-4000-8000-([0-9a-f]{12})|00000000000040008000([0-9a-f]{12})[0-9a-f]{32}/g,
    (_found, id?: string, name?: string) => letterOf(parseInt(id ?? name ?? '', 16) - 1),
  )
