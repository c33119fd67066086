import { VerificationError } from '../verify/index.ts'
import { h } from './dom.ts'
import { texts } from './texts.ts'

/** A notice that says what was found and what to do; which check that was is below, for whoever looks into it. */
export function verificationFailure(thrown: unknown): HTMLElement {
  const known = thrown instanceof VerificationError ? thrown : undefined
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const { codes, failed, network, ofPiece } = texts.check
  const [what, next] = known ? codes[known.code] : [`${failed}.`, network]
  const where = known?.index === undefined ? '' : ofPiece(known.index)
  return h(
    'div',
    {
      class: 'notice notice-alert verify-error',
      'data-testid': 'verify-error',
      'data-code': known?.code,
      'data-step': known?.step,
      'data-index': known?.index,
    },
    h('strong', {}, what),
    ` ${next}`,
    h('small', {}, `${where}${known ? texts.report.check(known.code, message) : message}`),
  )
}
