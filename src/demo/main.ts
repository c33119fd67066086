import { connect } from '../client.ts'
import type { PolicyView, Snapshot } from '../protocol/snapshot.ts'
import { button, byId } from './dom.ts'
import { explain, showNotice, type Explanation } from './explain.ts'
import { showGroupPicker } from './group-picker.ts'
import { showLost } from './lost-notice.ts'
import { showPolicyPicker } from './policy-picker.ts'
import { showRecorder } from './recorder-view.ts'
import { showPromise } from './promise-view.ts'
import { showRecovery } from './recovery-view.ts'
import { actionsOf } from './session-actions.ts'
import { showSessions } from './sessions-view.ts'
import { readSettings } from './settings.ts'
import { showStorage } from './storage-notice.ts'
import { watchForUpdate } from './update-notice.ts'

/** Vite serves the worker unbundled while developing, so it is a module there and one classic script once built. */
const WORKER = import.meta.env.DEV
  ? ({ scriptUrl: '/dev-sw.js?dev-sw', type: 'module', scope: '/' } as const)
  : ({ scriptUrl: '/sw.js', type: 'classic', scope: '/' } as const)

async function start(): Promise<void> {
  showGroupPicker()
  const storage = showStorage()
  const holdfast = await connect(WORKER)
  showLost(holdfast)
  const actions = actionsOf(holdfast, showFailure)
  const drawSessions = showSessions(holdfast, actions)
  let snapshot: Snapshot | undefined
  let policy: PolicyView = { policy: 'always', metered: false }
  const draw = () => {
    if (!snapshot) return
    recovery.update(snapshot, policy)
    drawSessions(snapshot, policy)
  }
  const picker = showPolicyPicker(holdfast, showFailure, (view) => {
    policy = view
    draw()
  })
  const recovery = showRecovery(actions, () => picker.set('always'))
  showRecorder({
    holdfast,
    settings: readSettings(location.search),
    onStart: () => void storage.protect(),
  })
  showPromise(holdfast, recovery.setWakes)
  watchForUpdate()
  for await (snapshot of holdfast.watch()) {
    draw()
    storage.update(snapshot)
  }
}

function showFailure(explanation: Explanation): void {
  const notice = byId('failure', HTMLElement)
  showNotice(notice, explanation)
  notice.scrollIntoView({ block: 'nearest' })
}

start().catch((thrown: unknown) => {
  const reload = button('Reload', () => location.reload())
  showNotice(byId('failure', HTMLElement), explain(thrown), reload)
})
