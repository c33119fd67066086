/**
 * Opens a modal dialog whose form may refuse to close.
 *
 * @param accept called when a submit button is pressed; `false` keeps the dialog open with all that was typed
 * @returns the value of the button that closed it; empty when it was cancelled
 */
export function openDialog(dialog: HTMLDialogElement, accept: () => boolean = () => true): Promise<string> {
  const listening = new AbortController()
  const { signal } = listening
  dialog.returnValue = ''
  const close = () => dialog.close('')
  for (const button of dialog.querySelectorAll('[data-close]'))
    button.addEventListener('click', close, { signal })
  dialog.addEventListener(
    'submit',
    (event) => {
      if (!accept()) event.preventDefault()
    },
    { signal },
  )
  return new Promise((resolve) => {
    const settle = () => {
      listening.abort()
      resolve(dialog.returnValue)
    }
    dialog.addEventListener('close', settle, { signal })
    dialog.showModal()
  })
}
