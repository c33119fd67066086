import type { Capabilities } from './capabilities.ts'
import type { Note } from './evidence/note-seal.ts'
import type { HoldfastError } from './protocol/errors.ts'
import type { ChunkId, SessionId, SessionName, Sha256Hex } from './protocol/ids.ts'
import type { Labels } from './protocol/labels.ts'
import type {
  ChunkView,
  LogLine,
  Policy,
  PolicyView,
  SessionSnapshot,
  Snapshot,
} from './protocol/snapshot.ts'

/**
 * A group that may open a recording. Whoever records needs its public key alone: `newGroup()` of `holdfast/group` makes
 * both keys, and the private one belongs to those who read.
 */
export interface Group {
  /** X25519: 32 bytes in hex. It never leaves the device as it is; who knows it can find the group's recordings. */
  readonly publicKey: string
}

/** What everything that waits takes. */
export interface WaitOptions {
  /**
   * Ends the waiting, and nothing else: the call rejects with the signal's reason, as `fetch` does. Aborted before the
   * call, it keeps the call from doing anything; later, what the worker was asked is done all the same, unless the
   * method says otherwise.
   */
  readonly signal?: AbortSignal | undefined
}

export interface WatchOptions extends WaitOptions {
  /**
   * Told once each time that the worker has refused to tell the state for a second or two, for a reason that may pass, such as
   * `storage-failed`, `storage-full` or `worker-timeout`: nothing is known, or what was known is old. It is asked again by
   * itself, and then the state comes, though it may be the same.
   */
  readonly onStalled?: ((error: HoldfastError) => void) | undefined
}

export interface ConnectOptions extends WaitOptions {
  /** The app's worker, built around `install()` of `holdfast/sw`. */
  readonly scriptUrl: string
  /** Default `module`; `classic` for a worker that was bundled as one script. */
  readonly type?: WorkerType | undefined
  /** Registration scope; default: the script's folder. */
  readonly scope?: string | undefined
  /**
   * Told, by `connect()` on and until `close()`, once of each newer worker that is installed and waits: the app asks the
   * person, and then has it take over, as the guide shows (updates of the worker). Nothing of ours makes it.
   */
  readonly onUpdate?: ((waiting: ServiceWorker) => void) | undefined
  /**
   * How long one request may wait for the worker's answer, in ms, more than 0. Default 10,000. A chunk is given a second
   * more for each MB.
   */
  readonly timeoutMs?: number | undefined
}

export interface SessionOptions extends WaitOptions {
  /** Who may open the recording: 1 to 16 groups, each once. Fixed for the session. */
  readonly groups: readonly Group[]
  /** Of the whole recording, as MediaRecorder names it: 1 to 255 bytes. */
  readonly mimeType: string
  /** ms since the epoch; default now. */
  readonly startedAtMs?: number | undefined
  /**
   * Who encrypts. `page` (default): only ciphertext ever reaches the disk. `worker`: the page is free sooner,
   * but raw bytes are on disk until the worker has sealed the chunk.
   */
  readonly seal?: 'page' | 'worker' | undefined
  /**
   * Which of the worker's stores get a copy, by name, in the order in which they are tried: 1 to 8, each once. Default:
   * all that the worker has. Fixed for the session; a worker that does not know one refuses with `bad-input`.
   */
  readonly stores?: readonly string[] | undefined
  /** Proved copies after which a chunk counts as uploaded, from 1. Default: one in each of the stores. */
  readonly atLeast?: number | undefined
  /**
   * Data of the app's own, for readers: a JSON object of at most 60,000 bytes, sealed before it leaves the page, as it is
   * when it is given. What JSON would leave out or change without a word, such as a `Map` or `NaN`, is `bad-input`.
   */
  readonly metadata?: Note | undefined
  /**
   * What the stores are told with each object, in clear: names of 1 to 64 letters, digits, `_`, `.` and `-`, each with a
   * text; as JSON at most 1,024 characters. In `Upload-Metadata` of tus, in what `grant` of `presignedPut`
   * gets, in what `labelHeaders` of `resumable` makes of them, and in `keyvalues` of Pinata.
   */
  readonly labels?: Labels | undefined
  /** By which the app knows again what is recorded: a SHA-256. It stays on the device, and is in snapshots. */
  readonly fingerprint?: Sha256Hex | undefined
}

export interface AppendOptions extends WaitOptions {
  /** When the chunk's first sample was taken, ms since the epoch; default now. */
  readonly capturedAtMs?: number | undefined
  /** Length of the chunk, ms, below 2^32; default 0 (unknown). */
  readonly durationMs?: number | undefined
  /**
   * Told each time the worker does not take the chunk for a reason that may pass: `storage-full`, `storage-failed`,
   * `worker-timeout`, `hash-mismatch`, `protocol-mismatch`, `no-service-worker`, `defect`. The page keeps the bytes and
   * sends them again by itself; a caller that can should produce less, and say so. Also where they cannot be read
   * (`payload-unreadable`) or sealed (`defect`) at once, which is tried for some seconds.
   */
  readonly onStalled?: ((error: HoldfastError) => void) | undefined
}

export interface EndOptions extends WaitOptions {
  /**
   * `interrupted`: the page knows that something of the recording is not there, such as a camera that was lost. That
   * stays so, whatever a later `end` says.
   */
  readonly how?: 'interrupted' | undefined
}

export interface NoteOptions extends WaitOptions {
  /** Of what the note tells, ms since the epoch; default now. */
  readonly atMs?: number | undefined
}

export interface DiscardOptions extends WaitOptions {
  readonly confirm?: 'discard-unconfirmed' | undefined
}

/** One recording being made by this page. */
export interface RecordingSession {
  readonly id: SessionId
  /** What a reader asks for: it belongs into links. */
  readonly name: SessionName
  /** Chunks and notes that this page still holds, because the worker has not acknowledged them yet. */
  readonly waiting: number
  /** Why the oldest of them that the worker refused still waits in this page; undefined while none is refused. */
  readonly stalledBy: HoldfastError | undefined
  /**
   * Seals the bytes and hands them to the worker; resolves when they are durable there.
   * Indexes follow the order of the calls. Until it resolves the page keeps the bytes and sends them again
   * after a silence, a new worker, or a refusal that can pass (`storage-full`, `hash-mismatch`): see `onStalled`.
   * A few are sealed and handed over at a time, the others wait in order.
   *
   * An abort gives the chunk up: it is not handed over again, and its index stays empty unless the worker has it by
   * then. What was acknowledged stays, and the session goes on.
   *
   * @throws HoldfastError `bad-input` for what is no Blob, `chunk-too-large`, `payload-unreadable`, `defect` (this device
   *   cannot seal it), `session-ended`, `unknown-session`, `index-taken`; the signal's reason
   */
  append(bytes: Blob, options?: AppendOptions): Promise<{ id: ChunkId; index: number }>
  /**
   * Writes a note into the recording, for its readers: a JSON object of at most 60,000 bytes, sealed before it leaves the
   * page, as it is when it is given. Resolves when it is durable in the worker; it is published and signed like a chunk, among the chunks in the
   * order in which the worker took them. It is handed over again as a chunk is; those of a session go one after the
   * other. A session has at most 1,000, of a megabyte in all. `record()` of `holdfast/capture` writes some by itself: see the guide.
   *
   * An abort gives the note up: it is not handed over again, though the worker may have it by then.
   *
   * @throws HoldfastError `bad-input` for what JSON does not keep, is too large or one too many, `session-ended`,
   *   `unknown-session`, `defect` where the code of it does not load; `bad-message` from a worker of an older version;
   *   the signal's reason
   */
  note(value: Note, options?: NoteOptions): Promise<void>
  /**
   * Waits for every `append` and `note`, then tells the worker that the recording is over, and how many chunks it had. Only where
   * the worker has all of them, and the page says nothing else, it is `complete`; otherwise `interrupted`, with those that are `missing`. From the call on
   * nothing can be appended. An abort stops the waiting alone: the page goes on to hand over what it holds, and to end the session;
   * a later `end` waits for the same.
   *
   * @throws HoldfastError a refusal that cannot pass, such as `unknown-session`; the signal's reason
   */
  end(options?: EndOptions): Promise<SessionSnapshot>
  /**
   * After `unknown-session`, which tells that the worker has lost this one (somebody cleared the site's data): begins
   * another for the same groups, which names this one in `continues`. Waits until the worker takes it. Chunks that were
   * not acknowledged can be appended there, or in the one after it: `record()` does so by itself.
   */
  restart(): Promise<RecordingSession>
}

/**
 * The page's side of the engine. Each call rejects with a HoldfastError, of `bad-input` where an argument or an option is
 * not as it is here, of `worker-timeout` where the worker has not answered in time, or with the reason of its signal.
 */
export interface Holdfast {
  /** Of the worker's registration, an absolute URL: what belongs to this app alone, of all of its origin, is named by it. */
  readonly scope: string
  /**
   * Opens a recording, which this page then makes.
   *
   * Where it is given up before the worker has answered, by an abort or by `worker-timeout`, the page takes it back in
   * the background: if the worker has it by then it is discarded, empty as it is. Only a page that dies over that leaves
   * an empty recording, which shows as interrupted until it is discarded. Once the session is there, the signal means
   * nothing to it.
   *
   * @throws HoldfastError `bad-input`, `unsupported-browser`, `storage-full`, `storage-failed`, `worker-timeout`; the signal's reason
   */
  startSession(options: SessionOptions): Promise<RecordingSession>
  /** Every session that the device still knows, newest first. */
  sessions(options?: WaitOptions): Promise<readonly SessionSnapshot[]>
  /** The chunks of one session, by index. */
  chunks(id: SessionId, options?: WaitOptions): Promise<readonly ChunkView[]>
  /**
   * What this device still has of one chunk: its ciphertext, or what the camera gave where the worker is yet to seal it.
   * For an app that saves what goes nowhere any more, such as the chunks of a session whose record is damaged, before
   * it discards that. What is confirmed is not here any more.
   *
   * @param index of the chunk
   * @throws HoldfastError `payload-unreadable` where its bytes are not here, `storage-failed` where they cannot be read
   */
  bytes(id: SessionId, index: number, options?: WaitOptions): Promise<Blob>
  /**
   * What happened to one session on this device, oldest first: the worker keeps the lines of about the last 2,500
   * transactions of all sessions, also of those that were discarded before they were confirmed. None where it knows
   * nothing of it.
   */
  log(id: SessionId, options?: WaitOptions): Promise<readonly LogLine[]>
  /**
   * The state now, then again after each change, until the loop ends, the signal aborts or `close` is called. These are
   * how a watch ends, and no failure: the loop is over, and nothing is thrown. Where the state does not come, `onStalled`
   * tells why.
   */
  watch(options?: WatchOptions): AsyncIterable<Snapshot>
  /** Stops uploads of one session; its bytes stay. */
  pause(id: SessionId, options?: WaitOptions): Promise<SessionSnapshot>
  /** Goes on after `pause`, and tries whatever is parked (sign-in, refusal) at once. */
  resume(id: SessionId, options?: WaitOptions): Promise<SessionSnapshot>
  /**
   * Has a session go where this worker brings things, after `other-destination`, which tells that it is bound to another
   * place. What is confirmed stays there; all else goes up again from this device, and is anchored anew. A session of
   * this place, or one that is `confirmed`, stays as it is.
   *
   * @throws HoldfastError `unknown-session`
   */
  adopt(id: SessionId, options?: WaitOptions): Promise<SessionSnapshot>
  /** The policy in force, and whether the network is metered: so whether uploads are suspended now. */
  policy(options?: WaitOptions): Promise<PolicyView>
  /**
   * When bytes may leave the device, for all sessions, until it is set again; kept on the device, `always` at first.
   * What is under way is stopped where the policy forbids it; chunks are still taken, and sealed.
   *
   * @throws HoldfastError `bad-input` where it is none of them
   */
  setPolicy(policy: Policy, options?: WaitOptions): Promise<PolicyView>
  /**
   * Forgets a session on this device. One that the chain has confirmed goes at once; to lose unconfirmed
   * evidence pass `{ confirm: 'discard-unconfirmed' }`. One that the device does not know is forgotten already.
   *
   * @throws HoldfastError `not-confirmed`
   */
  discard(id: SessionId, options?: DiscardOptions): Promise<void>
  /**
   * What this browser can promise for this origin right now; ask again after a permission was asked for. It leaves
   * nothing behind: a database, `holdfast-probe`, is there while it asks. Its code is loaded at the first call; the call
   * rejects where it does not load, or with the signal's reason.
   */
  capabilities(options?: WaitOptions): Promise<Capabilities>
  /** Ends this page's watching; the worker goes on. */
  close(): void
}
