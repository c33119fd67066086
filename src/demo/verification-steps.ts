import type { VerificationProgress } from '../verify/index.ts'
import { h, setText } from './dom.ts'
import { capital, count } from './format.ts'
import { icon, setIcon } from './icon.ts'

/** The two stages of a verification, with where each is. */
export function verificationSteps() {
  const log = stage('Reading the registry')
  const chunks = stage('Checking and opening each chunk')
  let current = log
  log.set('running')
  return {
    element: h('ol', { class: 'steps' }, log.element, chunks.element),
    update({ step, chunksVerified, chunksTotal }: VerificationProgress): void {
      if (!step.endsWith('a chunk')) return log.set('running', capital(step))
      log.set('done', 'Heads, log and key checked')
      current = chunks
      chunks.set('running', `Checked ${chunksVerified} of ${count(chunksTotal, 'chunk')}`)
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
