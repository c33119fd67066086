import type { SessionId } from '../../src/protocol/ids.ts'
import { MAX_CHUNK_BYTES } from '../../src/protocol/messages.ts'
import type { Now } from '../core/retry-policy.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import type { Queued } from '../core/session.ts'
import type { Anchor } from '../ports/anchor.ts'
import type { SessionSnapshot } from '../../src/protocol/snapshot.ts'
import type { Clock, Lock, Wake } from '../ports/platform.ts'
import type { Store } from '../ports/store.ts'
import { byteSemaphore, type ByteSemaphore } from './byte-semaphore.ts'
import type { Progress } from './progress.ts'
import type { Delivering } from './silence.ts'
import type { Transport } from '../ports/transport.ts'

/** What every step of the engine works with. */
export interface Context {
  readonly store: Store
  readonly transport: Transport
  /** Absent: a head counts once the store was proved to have it. */
  readonly anchor?: Anchor | undefined
  /** Whom this worker brings things to: sessions are bound to it. */
  readonly identity: string
  readonly lock: Lock
  readonly wake: Wake
  /** Absent where this worker takes sealed chunks only. */
  readonly sealer?: Sealer | undefined
  /** Called when a tag's last attempt ends with work left. */
  readonly lastChance?: LastChance | undefined
  /** Looks whether the chain still holds what has settled. */
  readonly watch?: Watch | undefined
  /** Told of each session that is settled, until it has resolved. */
  readonly onSettled?: OnSettled | undefined
  readonly clock: Clock
  /** Whether the browser tells that data costs money or is to be saved. */
  readonly metered: () => boolean
  readonly progress: Progress
  /** Destinations that have failed, as far as this worker knows: of the others an answer is no news. */
  readonly ailing: Set<string>
  /** What keeps chunks from their turn, as the last look found it or this worker was told since; of a discarded session, too. */
  readonly known: Map<SessionId, Queued & Partial<Pick<SessionRecord, 'listed'>>>
  /** Requests to the store that are under way, as each look sees which of them are silent. */
  readonly delivering: Set<Delivering>
  /** When a page last arrived, by `Clock.ticks`. */
  visitedAtMs?: number
  /** For the bytes of chunks that are being taken in: the rest waits in its messages. */
  readonly room: ByteSemaphore
  /** Tells the pages that a session changed. */
  readonly announce: (id: SessionId) => void
}

/** What an engine with an anchor works with. */
export interface AnchoredContext extends Context {
  readonly anchor: Anchor
}

/** Brings the newest head of a session to whoever witnesses it, or sees that it is there. */
export type WitnessStep = (
  context: AnchoredContext,
  session: SessionRecord,
  signal: AbortSignal,
) => Promise<void>

/** What comes of a tag whose last attempt has ended with work left: `atLast`, which a worker that tells nobody does not carry. */
export type LastChance = (context: Context, tag: string) => Promise<void>

export type Watch = (context: Context, signal: AbortSignal) => Promise<void>

/** A session of which everything is confirmed. */
export interface Settled {
  /** The same each time that the same is told; another one if more was recorded since. */
  readonly key: string
  readonly session: SessionSnapshot
  /** Ends the call; it comes again later. */
  readonly signal: AbortSignal
}

/**
 * Called for each settled session, again after a rejection or a death, until it has resolved once: it may hear of the
 * same more than once.
 */
export type OnSettled = (settled: Settled) => Promise<unknown>

/** Seals a chunk that was handed over raw. */
export interface Sealer {
  (context: Context, chunk: ChunkRecord): Promise<void>
  /** Whether this browser lets it, asked before a session begins; left out: it does. */
  readonly canSeal?: () => Promise<boolean>
}

/** Two of the largest chunks at a time, or eight small ones. */
export const admissionRoom = () => byteSemaphore(2 * MAX_CHUNK_BYTES, MAX_CHUNK_BYTES / 4)

export const nowOf = (clock: Clock): Now => ({ nowMs: clock.now(), random: clock.random() })
