import type { Capabilities } from './capabilities.ts'
import type { HoldfastError } from './protocol/errors.ts'
import type { ChunkId, GroupId, SessionId } from './protocol/ids.ts'
import type { ChunkView, Policy, PolicyView, SessionSnapshot, Snapshot } from './protocol/snapshot.ts'

/** A group that may open a recording: make one with `newGroup()` or `groupOf(secret)` of `holdfast/group`. */
export interface Group {
  /** `keccak256(secret)`; public, it goes on the chain. */
  readonly id: GroupId
  /** 32 bytes; never leaves the page. */
  readonly secret: Uint8Array<ArrayBuffer>
}

export interface ConnectOptions {
  /** The app's worker, built around `install()` of `holdfast/sw`. */
  readonly scriptUrl: string
  /** Default `module`; `classic` for a worker that was bundled as one script. */
  readonly type?: WorkerType
  /** Registration scope; default: the script's folder. */
  readonly scope?: string
  /** How long one request may wait for the worker's answer, in ms. Default 10,000. */
  readonly timeoutMs?: number
}

export interface SessionOptions {
  /** Who may open the recording: at least one group, each once. Fixed for the session. */
  readonly groups: readonly Group[]
  /** Of the whole recording, as MediaRecorder names it. */
  readonly mimeType: string
  /** ms since the epoch; default now. */
  readonly startedAtMs?: number
  /**
   * Who encrypts. `page` (default): only ciphertext ever reaches the disk. `worker`: the page is free sooner,
   * but raw bytes and a non-extractable session key are on disk until the worker has sealed the chunk.
   */
  readonly seal?: 'page' | 'worker'
  /**
   * Which of the worker's stores get a copy, by name, in the order in which they are tried: 1 to 8, each once. Default:
   * all that the worker has. Fixed for the session; a worker that does not know one refuses with `bad-input`.
   */
  readonly stores?: readonly string[]
  /** Proved copies after which a chunk counts as uploaded, from 1. Default: one in each of the stores. */
  readonly atLeast?: number
}

export interface AppendOptions {
  /** When the chunk's first sample was taken, ms since the epoch; default now. */
  readonly capturedAt?: number
  /** Length of the chunk, ms; default 0 (unknown). */
  readonly durationMs?: number
  /** Gives the chunk up: `append` rejects with `aborted` unless the worker has acknowledged it by then. */
  readonly signal?: AbortSignal
  /**
   * Told each time the worker does not take the chunk for a reason that may pass: `storage-full`, `storage-failed`,
   * `worker-timeout`, `hash-mismatch`, `protocol-mismatch`, `no-service-worker`, `defect`. The page keeps the bytes and
   * sends them again by itself; a caller that can should produce less, and say so.
   */
  readonly onStalled?: (error: HoldfastError) => void
}

/** One recording being made by this page. */
export interface RecordingSession {
  readonly id: SessionId
  /** Chunks that this page still holds, because the worker has not acknowledged them yet. */
  readonly waiting: number
  /** Why the oldest chunk that the worker refused still waits in this page; undefined while none is refused. */
  readonly stalledBy: HoldfastError | undefined
  /**
   * Seals the bytes and hands them to the worker; resolves when they are durable there.
   * Indexes follow the order of the calls. Until it resolves the page keeps the bytes and sends them again
   * after a silence, a new worker, or a refusal that can pass (`storage-full`, `hash-mismatch`): see `onStalled`.
   * A few are sealed and handed over at a time, the others wait in order.
   *
   * @throws HoldfastError `chunk-too-large`, `session-ended`, `unknown-session`, `index-taken`, `aborted`
   */
  append(bytes: Blob, options?: AppendOptions): Promise<{ id: ChunkId; index: number }>
  /** Waits for every `append`, then tells the worker that the recording is whole. */
  end(): Promise<SessionSnapshot>
}

/** The page's side of the engine. */
export interface Holdfast {
  startSession(options: SessionOptions): Promise<RecordingSession>
  /** Every session that the device still knows, newest first. */
  sessions(): Promise<readonly SessionSnapshot[]>
  /** The chunks of one session, by index. */
  chunks(id: SessionId): Promise<readonly ChunkView[]>
  /** The state now, then again after each change, until the signal aborts or the loop ends. */
  watch(signal?: AbortSignal): AsyncIterable<Snapshot>
  /** Stops uploads of one session; its bytes stay. */
  pause(id: SessionId): Promise<SessionSnapshot>
  /** Goes on after `pause`, and tries whatever is parked (sign-in, refusal) at once. */
  resume(id: SessionId): Promise<SessionSnapshot>
  /** The policy in force, and whether the network is metered: so whether uploads are suspended now. */
  policy(): Promise<PolicyView>
  /**
   * When bytes may leave the device, for all sessions, until it is set again; kept on the device, `always` at first.
   * What is under way is stopped where the policy forbids it; chunks are still taken, and sealed.
   *
   * @throws HoldfastError `bad-message` where it is none of them
   */
  setPolicy(policy: Policy): Promise<PolicyView>
  /**
   * Forgets a session on this device. One that the chain has confirmed needs no word; to lose unconfirmed
   * evidence pass `{ confirm: 'discard-unconfirmed' }`.
   *
   * @throws HoldfastError `not-confirmed`, `unknown-session`
   */
  discard(id: SessionId, options?: { confirm?: 'discard-unconfirmed' }): Promise<void>
  /**
   * What this browser can promise for this origin right now; ask again after a permission was asked for. It changes
   * nothing. Its code is loaded at the first call, and the call rejects only where that cannot be had.
   */
  capabilities(): Promise<Capabilities>
  /** Ends this page's watching; the worker goes on. */
  close(): void
}
