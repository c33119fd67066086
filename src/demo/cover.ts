import { openDialog } from './dialog.ts'
import { byId, setText } from './dom.ts'
import { texts } from './texts.ts'

const TICK_MS = 1_000

/** Hides the page in one tap behind a clock; Escape or the button brings it back. What is recorded goes on. */
export function showCover(): void {
  const cover = byId('cover', HTMLDialogElement)
  const clock = byId('cover-clock', HTMLElement)
  const format = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' })
  byId('cover-back', HTMLElement).addEventListener('click', () => cover.close())
  byId('hide', HTMLElement).addEventListener('click', async () => {
    const { title } = document
    const tick = () => setText(clock, format.format(Date.now()))
    tick()
    const timer = setInterval(tick, TICK_MS)
    document.title = texts.cover.title
    await openDialog(cover)
    document.title = title
    clearInterval(timer)
  })
}
