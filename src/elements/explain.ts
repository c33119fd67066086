import { isHoldfastError, type ErrorCode } from '../protocol/errors.ts'
import { button, h } from './dom.ts'
import { icon } from './icon.ts'
import { texts } from './texts.ts'

/** What happened and what to do next: both, always. */
export interface Explanation {
  readonly what: string
  readonly next: string
}

/** What the library tries again by itself, unless a person asked for it. */
const TRIED_AGAIN = /^(worker-timeout|storage-failed)$/

/**
 * Any thrown value in words.
 *
 * @param next what helps where a person asked for it, and for what the engine did not foresee, or another version of it did
 */
export function explain(thrown: unknown, next?: string): Explanation {
  const known = isHoldfastError<ErrorCode>(thrown) && texts.errors[thrown.code]
  if (!known)
    return {
      what: thrown instanceof Error ? thrown.message : String(thrown),
      next: next ?? texts.notice.next,
    }
  const [what, advice] = known
  return { what, next: next && TRIED_AGAIN.test(thrown.code) ? next : advice }
}

/** Shows an explanation with one thing to press. */
export function showNotice(notice: HTMLElement, { what, next }: Explanation, action: HTMLElement): void {
  notice.replaceChildren(h('p', {}, h('strong', {}, what), ` ${next}`), action)
  notice.hidden = false
}

/** Puts a notice away. */
export function hideNotice(notice: HTMLElement): void {
  notice.hidden = true
  notice.replaceChildren()
}

/** A cross that puts something away, itself too: the focus is to go where the person goes on. */
export function dismissButton(onDismiss: () => void): HTMLButtonElement {
  const element = button('', onDismiss, {
    class: 'plain icon-button',
    'aria-label': texts.notice.dismiss,
  })
  element.append(icon('cross'))
  return element
}
