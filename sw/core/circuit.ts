import { classOf, type ErrorCode } from '../../src/protocol/errors.ts'
import { askedMs, circuitDelayMs, isAhead, tellsOfDestination } from './retry-policy.ts'

/**
 * A destination's health, stored, so that 500 waiting chunks do not knock on a dead server 500 times.
 * Open until `notBeforeMs`; then one upload at a time until one succeeds.
 */
export interface Circuit {
  readonly failures: number
  readonly notBeforeMs: number
  /** The server itself asked not to be asked before this time (`Retry-After`), ms since the epoch; 0: it did not. */
  readonly floorMs: number
  /** When it last failed, ms since the epoch; absent in one that has not, or of an older version. */
  readonly failedAtMs?: number | undefined
  /** How that was. */
  readonly code?: ErrorCode | undefined
}

export const CLOSED: Circuit = { failures: 0, notBeforeMs: 0, floorMs: 0 }

/** The circuit after a failure of one of the destination's requests. */
export function trip(
  circuit: Circuit,
  code: ErrorCode,
  floorMs: number,
  nowMs: number,
  random: number,
): Circuit {
  // Whatever a server refuses, or says that we do not understand: a wait that it asks for with that is one for all.
  const isAsked = floorMs > 0 && classOf(code) !== 'transient'
  if (!isAsked && !tellsOfDestination(code)) return circuit
  const failures = circuit.failures + 1
  const delayMs = circuitDelayMs(failures, random)
  // How long it was left alone because it had asked for that: not at all by a request of the same moment.
  const waitedMs = Math.min(nowMs, circuit.floorMs) - (circuit.failedAtMs ?? 0)
  // What the server asked for is a promise: a later failure that asks for less does not take it back.
  const asked = Math.max(circuit.floorMs, floorMs && nowMs + askedMs(floorMs, waitedMs))
  return { failures, notBeforeMs: Math.max(nowMs + delayMs, asked), floorMs: asked, failedAtMs: nowMs, code }
}

/** The circuit when a request went well: closed, but not before the time that the server asked for has come. */
export const close = (circuit: Circuit, nowMs: number): Circuit =>
  circuit.floorMs > nowMs ? { ...circuit, failures: 0, notBeforeMs: circuit.floorMs } : CLOSED

/** The stored circuit as far as it can be true: no clock that was ahead makes anything wait, whoever asked for that. */
export const believable = (circuit: Circuit, nowMs: number): Circuit =>
  isAhead(circuit.failedAtMs, nowMs) ? { ...circuit, notBeforeMs: 0, floorMs: 0 } : circuit

/** The circuit when a person arrives or the network comes back: asked again now, unless the server forbade it. */
export const reconsider = (circuit: Circuit): Circuit => ({ ...circuit, notBeforeMs: circuit.floorMs })

/** How many requests may be under way: none while open, one on trial, then all lanes. */
export function concurrencyAllowed(circuit: Circuit, lanes: number, nowMs: number): number {
  if (nowMs < circuit.notBeforeMs) return 0
  return circuit.failures > 0 ? 1 : lanes
}
