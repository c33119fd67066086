import { gate, type Gate } from './gate.ts'
import { checkRule, matches, type FaultRule, type HoldRule, type Seen } from './fault-rule.ts'
import type { ServiceName } from './service-name.ts'

/** A rule in force. */
export interface FaultHandle {
  readonly id: number
  /** How many requests it has acted on. */
  readonly hits: number
  /** End the rule: held requests go on, stalled ones are cut. */
  remove(): void
}

/** A `hold` in force. */
export interface HoldHandle extends FaultHandle {
  /** Resolves once a request is being held. */
  readonly arrived: Promise<void>
  /** Let every held request go on, and end the rule. */
  release(): void
}

/** Switches for real broken behaviour. Of several rules that match, the oldest acts. */
export interface Faults {
  add(rule: HoldRule): HoldHandle
  add(rule: FaultRule): FaultHandle
  /** End all rules. */
  clear(): void
  /** Rules in force. */
  list(): { id: number; hits: number; rule: FaultRule }[]
}

/** A fault about to act on one request. */
export interface ActiveFault {
  readonly rule: FaultRule
  /** The request is held. */
  arrived(): void
  /** Settles when the rule ends. */
  readonly over: Promise<void>
}

interface Placed {
  readonly id: number
  readonly rule: FaultRule
  readonly arrival: Gate
  readonly end: Gate
  hits: number
  skipped: number
}

/** The rules in force, and which of them acts on a request. */
export class FaultBoard implements Faults {
  readonly #placed = new Map<number, Placed>()
  #lastId = 0

  add(rule: HoldRule): HoldHandle
  add(rule: FaultRule): FaultHandle
  add(rule: FaultRule): FaultHandle {
    checkRule(rule)
    const id = (this.#lastId += 1)
    const placed: Placed = { id, rule, arrival: gate(), end: gate(), hits: 0, skipped: 0 }
    this.#placed.set(placed.id, placed)
    const remove = () => this.#end(placed)
    const handle: HoldHandle = {
      id: placed.id,
      get hits() {
        return placed.hits
      },
      arrived: placed.arrival.opened,
      remove,
      release: remove,
    }
    return handle
  }

  clear(): void {
    for (const placed of this.#placed.values()) this.#end(placed)
  }

  /** End one rule; false if there is none of that id. */
  remove(id: number): boolean {
    const placed = this.#placed.get(id)
    if (placed !== undefined) this.#end(placed)
    return placed !== undefined
  }

  list(): { id: number; hits: number; rule: FaultRule }[] {
    return [...this.#placed.values()].map(({ id, hits, rule }) => ({ id, hits, rule }))
  }

  /** Whether a rule looks into bodies, so that they have to be read before one acts. */
  readsBodies(service: ServiceName): boolean {
    return [...this.#placed.values()].some(
      ({ rule }) => rule.service === service && rule.content !== undefined,
    )
  }

  /** The fault that acts on this request, counted as used. */
  take(seen: Seen): ActiveFault | undefined {
    for (const placed of this.#placed.values()) {
      const { rule } = placed
      if (placed.hits >= (rule.times ?? Infinity) || !matches(rule, seen)) continue
      if (placed.skipped < (rule.skip ?? 0)) {
        placed.skipped += 1
        continue
      }
      placed.hits += 1
      return { rule, arrived: placed.arrival.open, over: placed.end.opened }
    }
    return undefined
  }

  #end(placed: Placed): void {
    this.#placed.delete(placed.id)
    placed.end.open()
  }
}
