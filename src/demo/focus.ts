const FOCUSABLE = 'button, select, input, textarea, summary, a[href], video[controls], [tabindex="0"]'

/** Hides or shows; what had the focus does not take it along: it goes to what follows. */
export function setHidden(element: HTMLElement, isHidden: boolean): void {
  const hadFocus = isHidden && element.contains(document.activeElement)
  element.hidden = isHidden
  if (hadFocus) focusAfter(element)
}

/** Focuses what follows something that is gone, or is going, in the order of the page or of its dialog. */
export function focusAfter(gone: HTMLElement): void {
  const within = gone.closest('dialog') ?? document.body
  const all = [...within.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((one) => canFocus(one, gone))
  const isAfter = (one: HTMLElement) =>
    (gone.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0
  const next = all.find(isAfter) ?? all.at(-1)
  next?.focus()
}

const canFocus = (one: HTMLElement, gone: HTMLElement) =>
  !gone.contains(one) && one.getClientRects().length > 0 && !one.matches(':disabled')
