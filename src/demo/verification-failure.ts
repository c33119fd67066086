import { adviceFor } from '../protocol/advice.ts'
import { VerificationError } from '../verify/index.ts'
import { h } from './dom.ts'
import { capital } from './format.ts'

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
    h('strong', {}, known ? `${capital(known.step)} failed (${checkOf(known)}).` : 'Verification failed.'),
    ` ${message}. ${known ? adviceFor(known.code) : 'Check the network and try again.'}`.replace('..', '.'),
  )
}

const checkOf = ({ code, index }: VerificationError) =>
  index === undefined ? `check: ${code}` : `chunk ${index}, check: ${code}`
