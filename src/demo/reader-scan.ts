import { whyNoCamera } from '../elements/camera.ts'
import { byId, setText } from './dom.ts'
import { canScan, scanCode } from './scan-code.ts'
import { texts } from './texts.ts'

/**
 * Offers to read a code with the camera, where the browser can.
 *
 * @param isKey whether this text is a key, or a link with one
 * @param onFound is given the first that is
 * @returns ends a look, where the key has come another way
 */
export function offerScan(isKey: (text: string) => boolean, onFound: (text: string) => void): () => void {
  const toggle = byId('scan', HTMLButtonElement)
  const view = byId('scan-view', HTMLElement)
  const words = byId('scan-words', HTMLElement)
  const { scan, scanStop, scanning, scanOther } = texts.reader
  let looking: AbortController | undefined

  const draw = () => {
    view.hidden = looking === undefined
    setText(toggle, looking ? scanStop : scan)
  }
  const look = async () => {
    const { signal } = (looking = new AbortController())
    draw()
    setText(words, scanning)
    const willDo = (text: string) => {
      if (isKey(text)) return true
      setText(words, scanOther)
      return false
    }
    try {
      onFound(await scanCode(byId('scan-video', HTMLVideoElement), willDo, signal))
    } catch (thrown) {
      if (!signal.aborted) setText(byId('reader-error', HTMLElement), whyNoCamera(thrown))
    }
    // Pressed again meanwhile, another look has begun.
    if (looking?.signal === signal) looking = undefined
    draw()
  }
  const stop = () => {
    looking?.abort()
    looking = undefined
    draw()
  }
  toggle.addEventListener('click', () => {
    setText(byId('reader-error', HTMLElement), '')
    if (looking) stop()
    else void look()
  })
  void canScan().then((can) => (toggle.hidden = !can))
  return stop
}
