import { HoldfastError, type ErrorClass } from '../protocol/errors.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'

/** Where the verifier is, in words that can be shown. */
export type VerificationStep =
  | 'checking the arguments'
  | 'reading the registry'
  | 'fetching the pages'
  | 'checking the log'
  | 'checking the group'
  | 'opening the session key'
  | 'fetching a chunk'
  | 'checking a chunk'
  | 'opening a chunk'

interface VerificationDetails {
  /** The chunk's index, where the failure is about one chunk. */
  readonly index?: number
  readonly cause?: unknown
}

/** The first thing found wrong: `code` for programs, `message` says where and what was expected and found. */
export class VerificationError extends HoldfastError<VerificationCode> {
  override readonly name = 'VerificationError'
  readonly step: VerificationStep
  readonly index: number | undefined

  constructor(
    code: VerificationCode,
    step: VerificationStep,
    message: string,
    details: VerificationDetails = {},
  ) {
    super(code, message, details)
    this.step = step
    this.index = details.index
  }

  /** `transient` where nobody was heard, so that nothing is said about the evidence; else `refused`. */
  override get class(): ErrorClass {
    return this.code === 'chain-unreachable' || this.code === 'gateway-unreachable' ? 'transient' : 'refused'
  }
}
