import { connect } from '../client.ts'
import { feedOf, type Seen } from '../elements/feed.ts'
import { defineElements, HoldfastRecorder, HoldfastRecovery } from '../elements/index.ts'
import { showBadge } from './app-badge.ts'
import { showCover } from './cover.ts'
import { button, byId } from './dom.ts'
import { saveUnsaved } from './export-file.ts'
import { dismissButton, explain, hideNotice, showNotice, type Explanation } from './explain.ts'
import { focusAfter } from './focus.ts'
import { freeSpaceDialog } from './free-space.ts'
import { showFinishedNotice } from './finished-notice.ts'
import { loadKeys } from './group-store.ts'
import { groupsToRecordFor, showGroupPicker } from './group-picker.ts'
import { offerInstall } from './install-offer.ts'
import { showPolicyPicker } from './policy-picker.ts'
import { showPromise } from './promise-view.ts'
import { askToKeep, lookWhetherKept } from './protection.ts'
import { discarding } from './session-actions.ts'
import { showSessions } from './sessions-view.ts'
import { readSettings } from './settings.ts'
import { signIn } from './sign-in.ts'
import { openSource } from './source.ts'
import { showStorage } from './storage-notice.ts'
import { texts } from './texts.ts'
import { showTraces } from './traces.ts'
import { watchForUpdate } from './update-notice.ts'

/** Vite serves the worker unbundled while developing, so it is a module there and one classic script once built. */
const WORKER = import.meta.env.DEV
  ? ({ scriptUrl: '/dev-sw.js?dev-sw', type: 'module', scope: '/' } as const)
  : ({ scriptUrl: '/sw.js', type: 'classic', scope: '/' } as const)

async function start(): Promise<void> {
  defineElements(texts)
  showCover()
  void Promise.all([loadKeys(), lookWhetherKept()]).then(showGroupPicker)
  offerInstall()
  const recovery = byId('recovery', HoldfastRecovery)
  const storage = showStorage()
  const holdfast = await connect(WORKER)
  const recorder = byId('recorder', HoldfastRecorder)
  const { timesliceMs, chunkMs, forceTestPicture, seal, atLeast } = readSettings(location.search)
  recorder.groups = groupsToRecordFor
  recorder.openSource = (isAgain) => openSource(forceTestPicture, isAgain)
  recorder.recordOptions = { timesliceMs, chunkMs }
  recorder.saveUnsaved = saveUnsaved
  recorder.sessionOptions = { seal, atLeast }
  recorder.addEventListener('holdfast-recording', () => void askToKeep())
  recorder.holdfast = holdfast
  recovery.signIn = signIn
  recovery.holdfast = holdfast
  const discard = discarding(holdfast, showFailure)
  const drawSessions = showSessions(holdfast, discard)
  const space = freeSpaceDialog(holdfast, discard, () => byId('traces', HTMLElement).click())
  storage.offer(space.open)
  const drawPolicy = showPolicyPicker(holdfast, showFailure)
  showPromise(holdfast)
  showFinishedNotice()
  const drawTraces = showTraces(holdfast, showFailure)
  watchForUpdate(recorder)
  feedOf(holdfast).subscribe({
    see(seen: Seen) {
      drawPolicy(seen.policy)
      drawSessions(seen)
      space.update(seen)
      drawTraces(seen.snapshot)
      showBadge(seen.snapshot)
      storage.update(seen.snapshot)
    },
  })
}

function showFailure(explanation: Explanation): void {
  const notice = byId('failure', HTMLElement)
  const dismiss = () => {
    hideNotice(notice)
    focusAfter(notice)
  }
  showNotice(notice, explanation, dismissButton(dismiss))
  notice.scrollIntoView({ block: 'nearest' })
}

/** Nothing goes on in this page. */
function showEnd(thrown: unknown): void {
  // It would go on to say that it looks.
  byId('recovery', HTMLElement).hidden = true
  const reload = button(texts.page.reload, () => location.reload())
  showNotice(byId('failure', HTMLElement), explain(thrown, texts.notice.next), reload)
}

start().catch(showEnd)
