import type { GroupId } from '../protocol/ids.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { announce } from './announce.ts'
import { button, h, setAttributes } from './dom.ts'
import { exportedFile } from './export-file.ts'
import { findingsView } from './findings-view.ts'
import { groupWithKey, knownGroups } from './group-store.ts'
import { groupWithKeyOrAsk } from './key-dialogs.ts'
import { player } from './player.ts'
import { readSession } from './read-session.ts'
import { texts } from './texts.ts'
import { extentOf, findingsOf } from './reading-report.ts'
import { verificationFailure } from './verification-failure.ts'
import { verificationSteps } from './verification-steps.ts'

/** The place where one session is verified and played; `run` starts, or starts again. */
export function verifyPanel(sessionNow: () => SessionSnapshot) {
  const element = h('div', { class: 'verify', 'data-testid': 'verify-panel', hidden: true })
  let running = new AbortController()
  let release = () => {}

  const close = () => {
    running.abort()
    release()
    release = () => {}
    element.replaceChildren()
    element.hidden = true
  }
  const show = (
    state: 'running' | 'verified' | 'partial' | 'failed',
    words: string,
    ...parts: HTMLElement[]
  ) => {
    setAttributes(element, { 'data-state': state })
    element.append(...parts)
    announce(words)
  }

  return {
    element,
    async run(from: HTMLButtonElement): Promise<void> {
      const session = sessionNow()
      const keys = await keyFor(session.groupIds)
      if (!keys) return
      close()
      running = new AbortController()
      const { signal } = running
      const steps = verificationSteps()
      const closeButton = button(texts.check.close, () => {
        close()
        from.focus()
      })
      element.hidden = false
      show('running', texts.check.verifying, steps.element)
      try {
        const { name } = session
        const read = await readSession({ name, keys, signal, onProgress: steps.update })
        if (signal.aborted) return
        steps.finish('done')
        const findings = findingsOf(read)
        const extent = extentOf(read)
        const list = findingsView(findings)
        if (extent === 'nothing') {
          show('failed', findings[0]?.words ?? '', list, closeButton)
          return
        }
        const { mimeType } = read.session
        const { file } = await exportedFile(read.runs, mimeType, undefined, signal)
        if (signal.aborted) return
        const shown = player(file, { session, isWhole: extent === 'whole' }, closeButton)
        release = shown.release
        const state = extent === 'whole' ? 'verified' : 'partial'
        show(state, texts.check.ready(findings[0]?.words ?? ''), list, shown.element)
      } catch (thrown) {
        if (signal.aborted) return
        steps.finish('failed')
        show('failed', texts.check.failed, verificationFailure(thrown), closeButton)
      }
    },
  }
}

function keyFor(groupIds: readonly GroupId[]) {
  const here = groupIds.map(groupWithKey).find((group) => group !== undefined)
  if (here) return Promise.resolve(here)
  const known = knownGroups().find(({ id }) => groupIds.includes(id))
  const id = known?.id ?? groupIds[0]
  if (id === undefined) return Promise.resolve(undefined)
  const wanted = { id, name: known?.name ?? texts.keys.unnamed(id.slice(2, 8)) }
  return groupWithKeyOrAsk(wanted, texts.keys.toOpen)
}
