import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { Policy } from '../../src/protocol/snapshot.ts'
import type { LastingFault } from './lasting-faults.ts'
import type { Afterwards } from './liveness.ts'

/** What goes wrong with one request of a worker, by its number since the beginning of the history. */
export interface RequestFault {
  readonly nth: number
  readonly fault:
    | {
        readonly kind: 'fails'
        readonly code: ErrorCode
        readonly after: boolean
        readonly retryAfterMs: number
      }
    | { readonly kind: 'slow'; readonly ms: number }
    /** The other side answers what is not so; what that is depends on the request. */
    | { readonly kind: 'lies' }
}

/** What goes wrong with one transaction of the disk, by its number among those of its kind. */
export interface DiskFault {
  readonly of: 'read' | 'write'
  readonly nth: number
  /** `hangs`: until its deadline, and holds the others up meanwhile; `commits`: though it is told as failed. */
  readonly how: 'fails' | 'hangs' | 'commits'
  readonly code: 'storage-full' | 'storage-failed'
}

/** One recording: a tab, what it records, and how that ends. */
export interface Recording {
  readonly seal: 'page' | 'worker'
  readonly chunks: number
  readonly gapMs: number
  readonly beginsAtMs: number
  /** `forgets`: the tab stays, but nobody ends the recording before it is closed. */
  readonly ending: 'ends' | 'dies' | 'forgets'
}

/** How one worker's life ends, if no happening ends it first; later workers live on. */
export interface LifePlan {
  /** The moment at which it dies, from 1. */
  readonly diesAt: number
  /** What is under way then takes effect after this time, ms; undefined: never. */
  readonly laterMs: number | undefined
}

/** Something that happens at a time, whatever the engine is doing. */
export interface Happening {
  readonly atMs: number
  readonly what:
    | {
        readonly kind:
          | 'worker-killed'
          | 'worker-updated'
          | 'page-opened'
          | 'sync'
          | 'store-forgets'
          /** The app is set up anew: workers from now on go elsewhere, or back home. */
          | 'moved'
          /** Workers and tabs die at once, and with them every transaction that was not durable. */
          | 'power-lost'
          /** Another script of the origin takes the drain's lock from its holder, who goes on. */
          | 'lock-stolen'
          /** Nothing happens: it is looked whether the chain holds what has settled, and whatever was told confirmed. */
          | 'anchors-judged'
      }
    | { readonly kind: 'tab-killed' | 'paused' | 'resumed' | 'other-content'; readonly of: number }
    | { readonly kind: 'discarded'; readonly of: number; readonly confirmed: boolean }
    | { readonly kind: LastingFault; readonly forMs: number }
    | { readonly kind: 'policy'; readonly policy: Policy }
    /** `deeper`: so many blocks that had the wanted depth become others too. */
    | { readonly kind: 'reorganised'; readonly vanish: boolean; readonly deeper: number }
    /** Somebody else hands over the newest head that a relay was given. */
    | { readonly kind: 'carried'; readonly of: number }
    /**
     * Somebody else hands over a head that says otherwise. A stranger has signed it with another key; a thief with the
     * session's. It is so much larger than what the chain holds.
     */
    | {
        readonly kind: 'other-writer'
        readonly of: number
        readonly who: 'stranger' | 'thief'
        readonly larger: number
        readonly end: boolean
      }
    /** Stored bytes of a session change, or are gone. */
    | { readonly kind: 'bit-rot'; readonly of: number; readonly lost: boolean }
    /** The device's clock is set; timers go on as they were. */
    | { readonly kind: 'clock-set'; readonly byMs: number }
}

/** Everything that chance decides in one history. The same history runs the same way, always. */
export interface History {
  /** Seeds latencies and full jitter; 0: every latency is the same. */
  readonly jitter: number
  readonly depth: 2 | 3
  /** Whether there is a chain; without one a head counts once the store has it. */
  readonly anchored: boolean
  /** Nothing is healed before this time, ms: budgets end, and workers are stopped for having nothing to do. */
  readonly lastsMs: number
  /** What follows once everything is healed. */
  readonly afterwards: Afterwards
  readonly recordings: readonly Recording[]
  /** Notes that the page of each recording writes, one with each of its first chunks. */
  readonly notes: number
  readonly lives: readonly LifePlan[]
  readonly requestFaults: readonly RequestFault[]
  readonly diskFaults: readonly DiskFault[]
  readonly happenings: readonly Happening[]
}

/** The history in lines that a person can read. */
export function describeHistory(history: History): string[] {
  const {
    jitter,
    depth,
    anchored,
    lastsMs,
    afterwards,
    recordings,
    notes,
    lives,
    requestFaults,
    diskFaults,
    happenings,
  } = history
  return [
    `jitter ${jitter}, ${anchored ? `depth ${depth}` : 'no chain'}, healed after ${lastsMs} ms at the earliest, then ${afterwards === 'open' ? 'a page is open' : 'a person comes by'}`,
    ...recordings.map(
      ({ seal, chunks, gapMs, beginsAtMs, ending }, at) =>
        `recording ${letterOf(at)}: ${chunks} chunks, one each ${gapMs} ms from ${beginsAtMs} ms on, sealed by the ${seal}; its tab ${ending}`,
    ),
    `${notes} notes of each`,
    ...lives.map(
      ({ diesAt, laterMs }, at) =>
        `worker ${at + 1} dies at moment ${diesAt}; what is under way ${laterMs === undefined ? 'is lost' : `arrives ${laterMs} ms later`}`,
    ),
    ...requestFaults.map(({ nth, fault }) => `request ${nth}: ${JSON.stringify(fault)}`),
    ...diskFaults.map(({ of, nth, how, code }) => `${of} ${nth} of the disk ${how}: ${code}`),
    ...happenings.map(({ atMs, what }) => `at ${atMs} ms: ${JSON.stringify(what)}`),
  ]
}

/** Recordings are named A, B, C in what people read. */
export const letterOf = (at: number) => String.fromCharCode(65 + at)
