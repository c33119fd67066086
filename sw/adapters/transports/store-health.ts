import { HoldfastError } from '../../../src/protocol/errors.ts'
import { close, CLOSED, concurrencyAllowed, reconsider, trip, type Circuit } from '../../core/circuit.ts'
import { isAhead } from '../../core/retry-policy.ts'
import type { Clock } from '../../ports/platform.ts'
import type { Floors, RemoteState, Transport } from '../../ports/transport.ts'

/**
 * One of several stores, with its health as this worker has seen it: a cache, so a new worker asks each to find out. Only
 * what a store itself asked for is kept beyond that.
 */
export interface Child {
  readonly store: Transport
  circuit: Circuit
  /** Whether what was kept of it has been read. */
  known: boolean
  /** Why it failed last. */
  lastError: HoldfastError | undefined
  /** Requests under way. */
  asking: number
  /** When the next object that lacks a copy may come back to look, ms since the epoch. */
  nextLookMs: number
}

export const newChild = (store: Transport): Child => ({
  store,
  circuit: CLOSED,
  known: false,
  lastError: undefined,
  asking: 0,
  nextLookMs: 0,
})

export interface Failed {
  readonly kind: 'failed'
  readonly child: Child
  readonly error: HoldfastError
  /** Until it is asked again, ms. */
  readonly waitMs: number
}

/** Objects that wait for a store come back one after the other, this far apart: each look is a write, ms. */
const LOOK_EVERY_MS = 1_000

/** What says nothing of a store. */
const NOT_THEIRS = /aborted|storage/

type Time = Pick<Clock, 'now' | 'random'>

/**
 * Asks a store, unless it is left alone, and learns from its answer how it is.
 *
 * @param tryNow it is asked though it failed a moment ago
 * @returns what came of its turn; what is not its own failure is thrown
 */
export async function ask(
  child: Child,
  clock: Time,
  tryNow: boolean,
  floors: Floors | undefined,
  work: () => Promise<RemoteState>,
): Promise<RemoteState | Failed> {
  if (!child.known) {
    const { name } = child.store
    const retryAfterMs = ((await floors?.floorMs(name)) ?? 0) - clock.now()
    child.known = true
    if (retryAfterMs > 0)
      note(child, clock, new HoldfastError('throttled', `${name} asked to wait.`, { retryAfterMs }))
  }
  // The clock was set back since it failed: nothing waits for that.
  if (isAhead(child.circuit.failedAtMs, clock.now())) child.circuit = CLOSED
  const { circuit, lastError } = child
  const lanes = concurrencyAllowed(tryNow ? reconsider(circuit) : circuit, Infinity, clock.now())
  if (lastError !== undefined && child.asking >= lanes) return failed(child, clock, lastError)
  child.asking += 1
  try {
    const held = await work()
    child.circuit = close(child.circuit, clock.now())
    return held
  } catch (thrown) {
    const error = HoldfastError.from(thrown)
    if (NOT_THEIRS.test(error.code)) throw error
    note(child, clock, error)
    if (error.retryAfterMs > 0) await floors?.keep(child.store.name, error)
    return failed(child, clock, error)
  } finally {
    child.asking -= 1
  }
}

/** Takes a store's failure into its health. */
function note(child: Child, clock: Time, error: HoldfastError): void {
  const { code, retryAfterMs } = error
  const nowMs = clock.now()
  const tripped = trip(child.circuit, code, retryAfterMs, nowMs, clock.random())
  if (child.circuit.failures === 0) child.nextLookMs = 0
  // Any other failure is an answer.
  child.circuit = tripped === child.circuit ? close(tripped, nowMs) : tripped
  child.lastError = error
}

export const failed = (
  child: Child,
  clock: Time,
  error: HoldfastError,
  untilMs = child.circuit.notBeforeMs,
): Failed => ({ kind: 'failed', child, error, waitMs: Math.max(0, untilMs - clock.now()) })

/** @returns how long an object waits until it comes back for the store that it lacks, ms */
export function turnOf({ child, waitMs }: Failed, nowMs: number): number {
  const turnMs = Math.max(nowMs + waitMs, child.nextLookMs)
  child.nextLookMs = turnMs + LOOK_EVERY_MS
  return turnMs - nowMs
}
