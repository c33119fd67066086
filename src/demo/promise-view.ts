import type { Holdfast } from '../api.ts'
import { byId, h } from './dom.ts'

/** Says what this browser can promise right now; again on each return to the page, since permissions change. */
export function showPromise(holdfast: Holdfast): void {
  const list = byId('promise', HTMLUListElement)
  const draw = async () => {
    const { words, backgroundWakes } = await holdfast.capabilities()
    list.dataset['wakes'] = backgroundWakes.kind
    list.replaceChildren(...words.map((sentence) => h('li', {}, sentence)))
  }
  // Where its code does not load, the list stays as it is until the next return.
  const tryToDraw = () => void draw().catch(() => undefined)
  document.addEventListener('visibilitychange', tryToDraw)
  tryToDraw()
}
