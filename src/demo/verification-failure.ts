import { adviceFor } from '../protocol/advice.ts'
import { VerificationError } from '../verify/index.ts'
import { h } from './dom.ts'
import { capital } from './format.ts'
import { texts } from './texts.ts'

/** A notice that says precisely which check failed, and what to do about it. */
export function verificationFailure(thrown: unknown): HTMLElement {
  const known = thrown instanceof VerificationError ? thrown : undefined
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return h(
    'p',
    {
      class: 'notice notice-alert verify-error',
      'data-testid': 'verify-error',
      'data-code': known?.code,
      'data-step': known?.step,
      'data-index': known?.index,
    },
    h(
      'strong',
      {},
      known ? texts.check.stepFailed(capital(known.step), checkOf(known)) : `${texts.check.failed}.`,
    ),
    ` ${message}. ${known ? adviceFor(known.code) : texts.check.network}`.replace('..', '.'),
  )
}

const checkOf = ({ code, index }: VerificationError) =>
  index === undefined ? texts.check.named(code) : texts.check.ofPiece(index, code)
