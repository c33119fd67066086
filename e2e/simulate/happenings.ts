import { DISCARD_CONFIRMATION } from '../../src/protocol/messages.ts'
import { sessionIdOf } from '../../sw/testing/world.ts'
import { DRAIN_LOCK } from '../../sw/engine/drain.ts'
import type { Device } from './device.ts'
import type { Happening } from './history.ts'
import { recordedChunk } from './recorded.ts'
import type { Scene } from './simulated-scene.ts'
import { askUntilAnswered, openTab, type Tab } from './tab.ts'

/** Lets one thing happen, whatever the engine is doing. */
export function happen(scene: Scene, device: Device, tabs: Tab[], what: Happening['what']): void {
  scene.trace(() => `${what.kind}: ${JSON.stringify(what)}`)
  /** A page of its own: whoever asks need not be who records. */
  const opened = () => {
    const tab = openTab(scene, device, 'another tab')
    tabs.push(tab)
    return tab
  }
  switch (what.kind) {
    case 'worker-killed':
      return device.killWorker()
    case 'worker-updated':
      return device.update()
    case 'moved':
      scene.moves++
      scene.place = scene.place === 'home' ? 'away' : 'home'
      return device.update()
    case 'power-lost':
      device.losePower()
      for (const tab of tabs.filter(Boolean)) tab.close()
      return
    case 'sync':
      return device.sync()
    case 'lock-stolen':
      scene.thefts++
      return device.locks.steal(DRAIN_LOCK)
    case 'lock-kept': {
      const release = device.locks.hold(DRAIN_LOCK)
      void scene.sleep(what.forMs).then(release)
      break
    }
    case 'anchors-judged':
      return device.oracle.onAnchorsJudged(device.disk.state)
    case 'store-forgets':
      return device.server.forget()
    case 'reorganised':
      scene.reorganisations++
      return device.chain.reorganise(what.vanish, what.deeper)
    case 'page-opened':
      return void opened()
    case 'tab-killed':
      return tabs[what.of]?.close()
    case 'policy':
      return void askUntilAnswered(opened(), { type: 'policy', policy: what.policy })
    case 'clock-set':
      scene.clockErrorMs += what.byMs
      return
  }
  if ('forMs' in what) return scene.faults.begin(what.kind, what.forMs)
  const recording = scene.history.recordings[what.of]
  if (recording === undefined) return
  const sessionId = sessionIdOf(what.of + 1)
  switch (what.kind) {
    case 'carried':
      return device.chain.carry(sessionId)
    case 'other-writer':
      return void device.chain.anchorByOther(sessionId, what.who, what.larger, what.end)
    case 'bit-rot':
      return device.rot(sessionId, what.lost)
    case 'paused':
      return void askUntilAnswered(opened(), { type: 'pause', sessionId })
    case 'resumed':
      return void askUntilAnswered(opened(), { type: 'resume', sessionId })
    case 'discarded':
      if (what.confirmed) device.oracle.discarding(sessionId)
      return void askUntilAnswered(opened(), {
        type: 'discard',
        sessionId,
        ...(what.confirmed && { confirm: DISCARD_CONFIRMATION }),
      })
    case 'other-content':
      return void askUntilAnswered(opened(), {
        type: 'chunk',
        chunk: recordedChunk(sessionId, 0, recording.seal, 1),
      })
  }
}
