import { adviceFor } from '../protocol/advice.ts'
import { HoldfastError } from '../protocol/errors.ts'
import { button, h } from './dom.ts'

/** What happened and what to do next: both, always. */
export interface Explanation {
  readonly what: string
  readonly next: string
}

/** Any thrown value in words; `next` is for what the engine did not foresee. */
export function explain(thrown: unknown, next = 'Reload the page and try again.'): Explanation {
  if (thrown instanceof HoldfastError) return { what: thrown.message, next: adviceFor(thrown.code) }
  return { what: thrown instanceof Error ? thrown.message : String(thrown), next }
}

/** Shows an explanation in a notice with a way to put it away; `undefined` hides the notice. */
export function showNotice(notice: HTMLElement, explanation: Explanation | undefined): void {
  notice.hidden = explanation === undefined
  if (!explanation) return notice.replaceChildren()
  notice.replaceChildren(
    h('p', {}, h('strong', {}, explanation.what), ` ${explanation.next}`),
    button('Dismiss', () => showNotice(notice, undefined), { class: 'plain' }),
  )
}
