import type { WireError } from './errors.ts'
import type { GroupId, SessionId, SessionName, Sha256Hex } from './ids.ts'
import type { Labels } from './labels.ts'
import type { ChunkView, LogLine, Policy, PolicyView, SessionSnapshot } from './snapshot.ts'

/** Raised when a page and a worker of different versions could misread each other. */
export const PROTOCOL_VERSION = 5

/** What sealing adds to a chunk: the tag of AES-GCM, so the least that a ciphertext has, in bytes (NIST SP 800-38D). */
export const TAG_BYTES = 16

/** Largest chunk that the worker takes, in ciphertext (or raw) bytes. */
export const MAX_CHUNK_BYTES = 64 * 1024 * 1024

/** Largest time in ms that a Date holds (ECMA-262 §21.4.1.1). */
export const MAX_TIME_MS = 8.64e15
/** Longest chunk, ms: 49 days, what the log has room for. */
export const MAX_DURATION_MS = 0xffff_ffff
/** Most indexes of a session: one more says in the log that their number is not known. */
export const MAX_INDEXES = 0xffff_fffe

// What follows are bases of names, which `nameFor` makes one registration's.

/** The worker's database. What evidence format 1 left lies in `holdfast`, where `holdfast/format-1` reads it. */
export const DATABASE = 'holdfast-2'

/** The `BroadcastChannel` on which the worker tells its pages of a changed session. */
export const SNAPSHOT_CHANNEL = 'holdfast'

/** The Web Lock that a page holds while it records: its release is how the worker learns of a death. */
export const recordingLockName = (id: SessionId) => `holdfast-recording:${id}`

/** A group that may read a session. */
export interface Member {
  readonly id: GroupId
  /** HMAC of the session's name under the group's public key: 32 bytes, hex. */
  readonly tag: Sha256Hex
  /** The session's private X25519 key, sealed to the group: 80 bytes, hex. */
  readonly sealedKey: string
}

export interface SessionStart {
  readonly sessionId: SessionId
  /** P-256 key that signs the session's heads: x and y, 64 bytes, hex. */
  readonly publicKey: string
  /** Its private key, PKCS#8. The worker keeps it in a form that gives nothing away, where the browser can. */
  readonly signingKey: ArrayBuffer
  /** X25519 key to which chunk keys are sealed: 32 bytes, hex. */
  readonly sealingKey: string
  readonly mimeType: string
  readonly startedAtMs: number
  /** 1 to 16, by ascending id, each once. */
  readonly access: readonly Member[]
  /** Names of the worker's stores, 1 to 8, each once; default: all that it has. */
  readonly stores?: readonly string[] | undefined
  /** Copies that must be proved, 1 to the number of stores; default: all of them. */
  readonly atLeast?: number | undefined
  /** The session that the worker did not know any more, and whose recording this one goes on with. */
  readonly continues?: SessionName | undefined
  /** Who encrypts. */
  readonly seal: 'page' | 'worker'
  /** The app's own data, sealed to the session's key: hex. */
  readonly metadata?: string | undefined
  readonly labels?: Labels | undefined
  /** By which a later page knows again what is recorded. */
  readonly fingerprint?: Sha256Hex | undefined
}

/** What sealing adds to a chunk. */
export interface Seal {
  readonly encryptedHash: Sha256Hex
  /** 12 bytes, hex. */
  readonly iv: string
  /** The chunk's key, sealed to the session's public key: 80 bytes, hex. */
  readonly chunkKey: string
}

/** A chunk as its page hands it over. */
export interface HandedChunk {
  readonly sessionId: SessionId
  readonly index: number
  readonly plaintextHash: Sha256Hex
  readonly capturedAtMs: number
  readonly durationMs: number
  /** Its ciphertext; without a seal the recording itself, for the worker to seal. */
  readonly payload: Blob
  /** Where the page sealed it. */
  readonly seal?: Seal | undefined
}

/** A chunk that the page sealed. */
export interface SealedChunk extends HandedChunk {
  readonly seal: Seal
}

/** Of the app's own data, sealed: what the log has room for (`src/evidence/note-seal.ts`), and what sealing adds. */
export const MAX_METADATA_BYTES = 60_048

/** Notes of one session, and notes and metadata alike in what they may weigh. */
export const MAX_NOTES = 1_000

/** What a page says of its recording, sealed to the session's key. */
export interface HandedNote {
  /** How many this page has handed over before: by it a repetition is known. Below `MAX_NOTES`. */
  readonly index: number
  readonly atMs: number
  /** Hex. */
  readonly sealed: string
}

/** The word that a caller must say to lose evidence that the chain does not hold yet. */
export const DISCARD_CONFIRMATION = 'discard-unconfirmed'

/** What a page may ask; each is answered once on the port that came with it. */
export type Request =
  /** `again`: the page keeps the worker awake; without it somebody has arrived, or the network came back. */
  | { readonly type: 'hello'; readonly again?: boolean }
  | { readonly type: 'session-start'; readonly session: SessionStart }
  | { readonly type: 'chunk'; readonly chunk: HandedChunk }
  | ({ readonly type: 'note'; readonly sessionId: SessionId } & HandedNote)
  /** `indexes`: how many chunks the page has cut; absent: as many as the worker has. `how`: absent, if all is well. */
  | {
      readonly type: 'session-end'
      readonly sessionId: SessionId
      readonly indexes?: number
      readonly how?: 'interrupted' | undefined
    }
  | { readonly type: 'sessions' }
  | { readonly type: 'chunks'; readonly sessionId: SessionId }
  /** Of one chunk, what is still on the device. */
  | { readonly type: 'bytes'; readonly sessionId: SessionId; readonly index: number }
  | { readonly type: 'log'; readonly sessionId: SessionId }
  | { readonly type: 'pause'; readonly sessionId: SessionId }
  | { readonly type: 'resume'; readonly sessionId: SessionId }
  /** Has a session go where this worker goes. */
  | { readonly type: 'adopt'; readonly sessionId: SessionId }
  /** Sets the policy, where it brings one. */
  | { readonly type: 'policy'; readonly policy?: Policy }
  | { readonly type: 'discard'; readonly sessionId: SessionId; readonly confirm?: string | undefined }

export type RequestType = Request['type']

/** What each request is answered with. */
export interface Answers {
  /** `workRemains`: the page should say hello again soon, so that the worker stays awake. */
  hello: { readonly protocol: number; readonly workRemains: boolean }
  'session-start': SessionSnapshot
  chunk: { readonly acknowledged: string }
  note: SessionSnapshot
  'session-end': SessionSnapshot
  sessions: readonly SessionSnapshot[]
  chunks: readonly ChunkView[]
  bytes: Blob
  log: readonly LogLine[]
  pause: SessionSnapshot
  resume: SessionSnapshot
  adopt: SessionSnapshot
  policy: PolicyView
  discard: { readonly discarded: SessionId }
}

/** A request as it is posted: `holdfast` is the protocol version and marks the message as ours. */
export type Envelope = Request & { readonly holdfast: number }

export type Reply<Type extends RequestType = RequestType> =
  { readonly ok: true; readonly value: Answers[Type] } | { readonly ok: false; readonly error: WireError }

/** What the worker broadcasts, at most a few times a second for each session. */
export type Broadcast =
  | { readonly type: 'changed'; readonly session: SessionSnapshot }
  | { readonly type: 'discarded'; readonly sessionId: SessionId }
