import { focusAfter } from './focus.ts'

/** What a dialog does while it is open. */
export interface DialogHandlers {
  /** A submit button was pressed; `false` keeps the dialog open with all that was typed. Must not reject. */
  readonly accept?: () => Promise<boolean>
  /** Something was typed or ticked; also called once at the start. */
  readonly onInput?: () => void
  /** Buttons that do not close the dialog, by id. */
  readonly clicks?: Readonly<Record<string, (button: HTMLElement) => void>>
}

/**
 * Opens a modal dialog.
 *
 * @returns the value of the button that closed it; empty when it was cancelled
 */
export function openDialog(dialog: HTMLDialogElement, handlers: DialogHandlers = {}): Promise<string> {
  const open = new AbortController()
  const { signal } = open
  dialog.returnValue = ''
  handlers.onInput?.()
  dialog.addEventListener('input', () => handlers.onInput?.(), { signal })
  dialog.addEventListener('click', ({ target }) => handleClick(dialog, target, handlers), { signal })
  dialog.addEventListener('submit', (event) => void closeIfAccepted(dialog, event, handlers), { signal })
  const opener = document.activeElement
  return new Promise((resolve) => {
    const settle = () => {
      open.abort()
      // What opened it has gone meanwhile.
      if (document.activeElement === document.body && opener instanceof HTMLElement) focusAfter(opener)
      resolve(dialog.returnValue)
    }
    dialog.addEventListener('close', settle, { signal })
    dialog.showModal()
  })
}

async function closeIfAccepted(dialog: HTMLDialogElement, event: SubmitEvent, { accept }: DialogHandlers) {
  if (!accept) return
  event.preventDefault()
  const pressed = event.submitter instanceof HTMLButtonElement ? event.submitter.value : ''
  // Cancelled meanwhile, it is closed already, and closing it again changes nothing.
  if (await accept()) dialog.close(pressed)
}

function handleClick(
  dialog: HTMLDialogElement,
  target: EventTarget | null,
  { clicks }: DialogHandlers,
): void {
  const button = target instanceof Element ? target.closest('button') : null
  if (!button) return
  if ('close' in button.dataset) dialog.close('')
  clicks?.[button.id]?.(button)
}
