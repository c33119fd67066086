import type { VerificationProgress } from '../verify/index.ts'
import { h, setText } from './dom.ts'
import { texts } from './texts.ts'
import { icon, setIcon } from './icon.ts'

/** The two stages of a verification, with where each is. */
export function verificationSteps() {
  const log = stage(texts.check.reading)
  const chunks = stage(texts.check.pieces)
  let current = log
  log.set('running')
  return {
    element: h('ol', { class: 'steps' }, log.element, chunks.element),
    update({ chunksVerified, chunksTotal }: VerificationProgress): void {
      if (chunksTotal === 0) return log.set('running')
      log.set('done', texts.check.found)
      current = chunks
      chunks.set('running', texts.check.checked(chunksVerified, chunksTotal))
    },
    finish: (state: 'done' | 'failed') => current.set(state),
  }
}

function stage(first: string) {
  const symbol = icon('dot')
  const words = h('span', {}, first)
  const element = h('li', { 'data-state': 'waiting' }, symbol, words)
  return {
    element,
    set(state: 'running' | 'done' | 'failed', text?: string): void {
      element.dataset['state'] = state
      setIcon(symbol, state === 'done' ? 'check' : state === 'failed' ? 'cross' : 'dot')
      if (text !== undefined) setText(words, text)
    },
  }
}
