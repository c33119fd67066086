/**
 * What the engine does about a failure:
 * - `transient`: waits and tries again
 * - `conflict`: asks the server what it has, then resumes or starts over
 * - `blocked`: keeps the bytes, parks the item until the app has signed in again
 * - `refused`: keeps the bytes, parks the item, tells the app
 * - `defect`: a broken invariant; keeps the bytes, parks the item, reports
 */
export type ErrorClass = 'transient' | 'conflict' | 'blocked' | 'refused' | 'defect'

/** Each code with its class. What a person can do about it: `adviceFor` in `advice.ts`; what it means: docs/errors.md. */
export const ERRORS = {
  'bad-message': 'refused',
  'unknown-session': 'refused',
  'session-exists': 'refused',
  'session-ended': 'refused',
  'index-taken': 'refused',
  'chunk-too-large': 'refused',
  'hash-mismatch': 'conflict',
  'not-confirmed': 'refused',
  'bad-input': 'refused',
  'no-service-worker': 'refused',
  'worker-timeout': 'transient',
  'protocol-mismatch': 'transient',
  'storage-full': 'transient',
  'storage-failed': 'transient',
  'payload-unreadable': 'defect',
  'payload-corrupt': 'defect',
  unreachable: 'transient',
  timeout: 'transient',
  'server-error': 'transient',
  throttled: 'transient',
  'sign-in-needed': 'blocked',
  'address-mismatch': 'conflict',
  'bad-answer': 'conflict',
  'rejected-by-store': 'refused',
  'copies-missing': 'transient',
  'anchor-rejected': 'refused',
  'anchor-unseen': 'transient',
  'wrong-chain': 'transient',
  'nodes-disagree': 'transient',
  aborted: 'transient',
  defect: 'defect',
} as const satisfies Record<string, ErrorClass>

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

/** The one error that this library throws. `code` says what happened, `class` what the engine does about it. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly retryAfterMs: number

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details)
    this.code = code
    this.retryAfterMs = details.retryAfterMs ?? 0
  }

  get class(): ErrorClass {
    return ERRORS[this.code]
  }

  toWire(): WireError {
    return { code: this.code, message: this.message }
  }

  /** Any thrown value as a `HoldfastError`; what we did not foresee is a `defect`. */
  static from(thrown: unknown): HoldfastError {
    if (thrown instanceof HoldfastError) return thrown
    return new HoldfastError('defect', thrown instanceof Error ? thrown.message : String(thrown), {
      cause: thrown,
    })
  }
}

/** The error that the other side put on the wire; a code that this version does not know is a `defect`. */
export const fromWire = ({ code, message }: WireError): HoldfastError =>
  new HoldfastError(Object.hasOwn(ERRORS, code) ? code : 'defect', message)
