import type { VerificationCode } from './verification-code.ts'

// First in the file: so bundlers write it where it is used.
/** No server, and no app, is heeded that asks for a longer wait, ms. */
const LONGEST_RETRY_AFTER_MS = 3_600_000

/**
 * What the engine does about a failure:
 * - `transient`: waits and tries again
 * - `conflict`: asks the server what it has, then resumes or starts over
 * - `blocked`: keeps the bytes, parks the item, tries it again by itself, tells the app
 * - `refused`: the same, with a longer back-off
 * - `defect`: a broken invariant; keeps the bytes, parks the item, reports
 */
export type ErrorClass = 'transient' | 'conflict' | 'blocked' | 'refused' | 'defect'

/** Codes of what is refused. */
const REFUSED = {
  'bad-message': 'refused',
  'unknown-session': 'refused',
  'session-exists': 'refused',
  'session-ended': 'refused',
  'index-taken': 'refused',
  'chunk-too-large': 'refused',
  'not-confirmed': 'refused',
  'bad-input': 'refused',
  'no-service-worker': 'refused',
  'unsupported-browser': 'refused',
  'recorder-failed': 'refused',
  'rejected-by-store': 'refused',
  'anchor-rejected': 'refused',
  forked: 'refused',
} as const

/** All other codes, with their classes: all that the worker needs of the table. */
const NOT_REFUSED = {
  'worker-timeout': 'transient',
  'protocol-mismatch': 'transient',
  'storage-full': 'transient',
  'storage-failed': 'transient',
  unreachable: 'transient',
  timeout: 'transient',
  'server-error': 'transient',
  throttled: 'transient',
  'copies-missing': 'transient',
  'completion-failed': 'transient',
  'anchor-unseen': 'transient',
  'wrong-chain': 'transient',
  'nodes-disagree': 'transient',
  aborted: 'transient',
  'sign-in-needed': 'blocked',
  'other-destination': 'blocked',
  'hash-mismatch': 'conflict',
  'address-mismatch': 'conflict',
  'bad-answer': 'conflict',
  'payload-unreadable': 'defect',
  'payload-corrupt': 'defect',
  defect: 'defect',
} as const satisfies Record<string, ErrorClass>

/** Each code with its class. What a person can do about it: `adviceFor` in `advice.ts`; what it means: docs/errors.md. */
export const ERRORS = /* @__PURE__ */ Object.assign({}, REFUSED, NOT_REFUSED)

/** The class of a code: one that this version does not know is a refusal. */
export const classOf = (code: string): ErrorClass =>
  (NOT_REFUSED as Readonly<Record<string, ErrorClass>>)[code] ?? 'refused'

export type ErrorCode = keyof typeof ERRORS

/** An error as it crosses from worker to page or into the store: structured clone would drop the class. */
export interface WireError<Code extends string = ErrorCode> {
  readonly code: Code
  readonly message: string
}

export interface ErrorDetails {
  cause?: unknown
  /** The server's `Retry-After` in ms (RFC 9110 §10.2.3); an hour counts, whatever is asked beyond it. */
  retryAfterMs?: number | undefined
}

/**
 * What every error of this library is. `code` says what happened, `class` what the engine does about it. The reader's
 * `VerificationError` is one too, with codes of its own. To ask whether a value is one: `isHoldfastError`.
 */
export class HoldfastError<Code extends string = ErrorCode> extends Error {
  override readonly name: 'HoldfastError' | 'VerificationError' = 'HoldfastError'
  // Declared, as the constructor writes them.
  declare readonly code: Code
  declare readonly retryAfterMs: number

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, details)
    this.retryAfterMs = Math.min(details.retryAfterMs || 0, LONGEST_RETRY_AFTER_MS)
    this.code = code
  }

  get class(): ErrorClass {
    return classOf(this.code)
  }

  /** Any thrown value as a `HoldfastError`, one of another copy of the library too; what we did not foresee is a `defect`. */
  static from(thrown: unknown): HoldfastError {
    if (Object(thrown).name === 'HoldfastError') return thrown as HoldfastError
    return new HoldfastError('defect', String((thrown as Error | null)?.message ?? thrown), {
      cause: thrown,
    })
  }
}

/**
 * Whether a thrown value is an error of this library: of another copy of it too, which `instanceof` does not know.
 *
 * @param code and has this code
 */
export function isHoldfastError<Code extends ErrorCode | VerificationCode = ErrorCode | VerificationCode>(
  value: unknown,
  code?: Code,
): value is HoldfastError<Code> {
  return (
    value instanceof Error &&
    /^(Holdfast|Verification)Error$/.test(value.name) &&
    'code' in value &&
    (code ?? value.code) === value.code
  )
}

/** Makes an error of ours of what was thrown; where the signal has aborted, its reason, whatever failed since. */
export const asOurs = (signal?: AbortSignal) => (thrown: unknown) => {
  throw signal?.aborted ? signal.reason : HoldfastError.from(thrown)
}

/** The error that the other side put on the wire; a code that this version does not know is a `defect`. */
export const fromWire = ({ code, message }: WireError): HoldfastError =>
  new HoldfastError(Object.hasOwn(ERRORS, code) ? code : 'defect', message)
