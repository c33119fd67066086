import { VerificationError } from '../verify/index.ts'
import type { GroupId } from '../protocol/ids.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { button, h, setAttributes, setText } from './dom.ts'
import { explain } from './explain.ts'
import { count } from './format.ts'
import { groupWithKey, knownGroups } from './group-store.ts'
import { icon, setIcon } from './icon.ts'
import { groupWithKeyOrAsk } from './key-dialogs.ts'
import { player } from './player.ts'
import { readSession } from './read-session.ts'

/** The place where one session is verified and played; `run` starts, or starts again. */
export function verifyPanel(sessionNow: () => SessionSnapshot) {
  const element = h('div', { class: 'verify', 'data-testid': 'verify-panel', hidden: true })
  let running: AbortController | undefined
  let release = () => {}
  const close = () => {
    running?.abort()
    release()
    release = () => {}
    element.replaceChildren()
    element.hidden = true
  }
  return {
    element,
    async run(from: HTMLButtonElement): Promise<void> {
      const session = sessionNow()
      const group = await keyFor(session.groupIds)
      if (!group) return
      close()
      const run = new AbortController()
      running = run
      const steps = stepList()
      element.replaceChildren(steps.element)
      element.hidden = false
      setAttributes(element, { 'data-state': 'running' })
      announce('Verifying')
      try {
        const { id: sessionId, mimeType } = session
        const { signal } = run
        const recording = await readSession({ sessionId, group, mimeType, signal, onChunk: steps.onChunk })
        if (signal.aborted) return
        steps.done()
        const shown = player(recording, session)
        release = shown.release
        element.append(shown.element)
        setAttributes(element, { 'data-state': 'verified' })
        announce('Verified. Ready to play.')
      } catch (thrown) {
        if (run.signal.aborted) return
        element.append(failure(thrown))
        steps.failed()
        setAttributes(element, { 'data-state': 'failed' })
        announce('Verification failed')
      }
      element.append(button('Close', () => (close(), from.focus()), { class: 'plain' }))
    },
  }
}

function keyFor(groupIds: readonly GroupId[]) {
  const here = groupIds.map(groupWithKey).find((group) => group !== undefined)
  if (here) return Promise.resolve(here)
  const known = knownGroups().find(({ id }) => groupIds.includes(id))
  const id = known?.id ?? groupIds[0]
  if (id === undefined) return Promise.resolve(undefined)
  const wanted = { id, name: known?.name ?? `the group ${id.slice(2, 8)}` }
  return groupWithKeyOrAsk(wanted, 'The recording is encrypted for this group. Only its key opens it.')
}

/** The two steps of a verification, with how far each is. */
function stepList() {
  const anchor = step('Reading the anchor from the chain and checking the manifest against it')
  const chunks = step('Fetching, checking and opening each chunk')
  let current = anchor
  anchor.set('running')
  return {
    element: h('ol', { class: 'steps' }, anchor.element, chunks.element),
    onChunk(opened: number, total: number): void {
      anchor.set('done', 'The chain’s anchor and the manifest agree')
      current = chunks
      chunks.set('running', `Checked and opened ${opened} of ${count(total, 'chunk')}`)
    },
    done: () => current.set('done'),
    failed: () => current.set('failed'),
  }
}

function step(first: string) {
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

function failure(thrown: unknown): HTMLElement {
  const named = thrown instanceof VerificationError
  const { what, next } = explain(thrown, nextAfter(thrown))
  const where = named ? `Failed check: ${checkName(thrown)}. ` : ''
  return h(
    'p',
    {
      class: 'notice notice-alert',
      'data-testid': 'verify-error',
      'data-code': named ? thrown.code : undefined,
      'data-step': named ? thrown.step : undefined,
    },
    h('strong', {}, `${where}${what}`),
    ` ${next}`,
  )
}

const checkName = ({ step, index }: VerificationError) =>
  index === undefined ? step : `${step}, chunk ${index}`

const nextAfter = (thrown: unknown) =>
  thrown instanceof VerificationError
    ? 'Do not rely on this copy; try again, and keep the device if it fails again.'
    : 'Check the network and try again.'
