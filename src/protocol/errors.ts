/**
 * What the engine does about a failure:
 * - `transient`: waits and tries again
 * - `conflict`: asks the server what it has, then resumes or starts over
 * - `blocked`: keeps the bytes and waits for the app (sign-in, space)
 * - `refused`: keeps the bytes, sets the item aside, tells the app
 * - `defect`: a broken invariant; stops that item, keeps the bytes, reports
 */
export type ErrorClass = 'transient' | 'conflict' | 'blocked' | 'refused' | 'defect'

/** Each code: its class, and what whoever reads it can do next. */
export const ERRORS = {
  // Hand-off and requests
  'bad-message': { class: 'refused', next: 'Send a message that this protocol version defines.' },
  'unknown-session': { class: 'refused', next: 'Start the session before adding chunks to it.' },
  'session-exists': { class: 'refused', next: 'Start a session under a new id.' },
  'session-ended': { class: 'refused', next: 'Start a new session for further recording.' },
  'index-taken': { class: 'refused', next: 'Give the chunk an index of its own; the stored bytes stay.' },
  'chunk-too-large': { class: 'refused', next: 'Cut the recording into chunks of at most 64 MiB.' },
  'hash-mismatch': { class: 'conflict', next: 'Hand the chunk over again.' },
  'not-confirmed': {
    class: 'refused',
    next: "Pass confirm: 'discard-unconfirmed' to lose unconfirmed evidence.",
  },
  'bad-input': { class: 'refused', next: 'Correct the argument that the message names.' },
  // Page and worker
  'no-service-worker': {
    class: 'refused',
    next: 'Serve the page over https (or localhost) to a browser with service workers.',
  },
  'worker-timeout': { class: 'transient', next: 'Try again; the worker did not answer in time.' },
  'protocol-mismatch': {
    class: 'transient',
    next: 'Reload the page so that page and worker are of one version.',
  },
  // Storage
  'storage-full': {
    class: 'blocked',
    next: 'Free space on the device; the page keeps the chunk and tries again.',
  },
  'storage-failed': { class: 'transient', next: 'Try again; the database did not answer.' },
  'payload-unreadable': {
    class: 'defect',
    next: 'Keep the device: the stored bytes of this chunk cannot be read.',
  },
  'payload-corrupt': {
    class: 'defect',
    next: 'Keep the device: the stored bytes no longer match their hash.',
  },
  // Transport
  unreachable: { class: 'transient', next: 'Wait for a network; this costs no attempt.' },
  timeout: { class: 'transient', next: 'Wait; the server took too long.' },
  'server-error': { class: 'transient', next: 'Wait; the server failed.' },
  throttled: { class: 'transient', next: 'Wait as long as the server asked.' },
  'sign-in-needed': { class: 'blocked', next: 'Sign in again, then resume the session.' },
  'address-mismatch': {
    class: 'conflict',
    next: 'Check the store: it answered with another content address than ours.',
  },
  'bad-answer': { class: 'conflict', next: 'Check the store: its answer could not be understood.' },
  'rejected-by-store': {
    class: 'refused',
    next: 'Check why the store refuses this upload, then resume the session.',
  },
  // Anchor
  'anchor-rejected': {
    class: 'refused',
    next: 'Check why the registry refuses this anchor, then resume the session.',
  },
  'anchor-pending': { class: 'transient', next: 'Wait for the chain.' },
  aborted: { class: 'transient', next: 'Nothing: the run ended before the work did.' },
  // Everything that we did not foresee
  defect: { class: 'defect', next: 'Report this with its cause; nothing was deleted.' },
} as const satisfies Record<string, { class: ErrorClass; next: string }>

export type ErrorCode = keyof typeof ERRORS

/** An error as it crosses from worker to page or into the store: structured clone would drop the class. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
}

export interface ErrorDetails {
  cause?: unknown
  /** The server's `Retry-After` in ms (RFC 9110 §10.2.3). */
  retryAfterMs?: number
}

/** The one error that this library throws. `code` says what happened, `next` what to do about it. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly retryAfterMs: number

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryAfterMs = details.retryAfterMs ?? 0
  }

  get class(): ErrorClass {
    return ERRORS[this.code].class
  }

  get next(): string {
    return ERRORS[this.code].next
  }

  toWire(): WireError {
    return { code: this.code, message: this.message }
  }

  static fromWire(wire: WireError): HoldfastError {
    return new HoldfastError(wire.code in ERRORS ? wire.code : 'defect', wire.message)
  }

  /** Any thrown value as a `HoldfastError`; what we did not foresee is a `defect`. */
  static from(thrown: unknown): HoldfastError {
    if (thrown instanceof HoldfastError) return thrown
    return new HoldfastError('defect', thrown instanceof Error ? thrown.message : String(thrown), {
      cause: thrown,
    })
  }
}
