import { VerificationError, type VerificationCode } from '../verify/index.ts'
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
    ` ${message}. ${known ? adviceAfter(known.code) : 'Check the network and try again.'}`.replace('..', '.'),
  )
}

const checkOf = ({ code, index }: VerificationError) =>
  index === undefined ? `check: ${code}` : `chunk ${index}, check: ${code}`

function adviceAfter(code: VerificationCode): string {
  switch (code) {
    case 'chain-unreachable':
    case 'gateway-unreachable':
      return 'This says nothing about the recording: check the network and try again.'
    case 'manifest-missing':
    case 'chunk-missing':
      return 'The store does not have it now: try again later or with another gateway.'
    case 'group':
    case 'key':
      return 'Try again with the key of a group that the recording was made for.'
    case 'bad-input':
    case 'not-registered':
    case 'chain-answer':
      return 'Check that this page was built for the right chain and registry.'
    default:
      return 'Do not rely on what was served: it is not what was anchored. Try another gateway.'
  }
}
