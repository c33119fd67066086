import { DISCARD_CONFIRMATION } from '../../src/protocol/messages.ts'
import { QuickAbortController } from '../../sw/testing/quick-abort.ts'
import { reseedCrypto, useQuickCrypto } from '../../sw/testing/quick-crypto.ts'
import { sessionIdOf } from '../../sw/testing/world.ts'
import { createDevice, type Device } from './device.ts'
import type { Happening, History } from './history.ts'
import { NONE, type Mutation } from './mutation.ts'
import { remains } from './oracle.ts'
import { recordedChunk } from './recorded.ts'
import { createScene, START_MS, type Scene } from './scene.ts'
import { askUntilAnswered, openTab, record, type Tab } from './tab.ts'

useQuickCrypto()

/** How one history went. */
export interface Ran {
  /** The first promise that was broken. */
  readonly failure: string | undefined
  /** Moments at which a worker could have died. */
  readonly steps: number
  readonly kills: number
  /** Moments of each worker's life. */
  readonly moments: readonly number[]
  /** What happened, in lines, where it was asked for. */
  readonly lines: readonly string[]
}

/** Nobody waits longer for the tabs of a history, ms. */
const LONGEST_MS = 150_000
/** Healed, everything must come to rest within this many greetings of a page: a sign-in is tried after an hour at most. */
const GREETINGS = 400

/** Runs one history, then heals everything and looks whether every promise was kept. */
export async function runHistory(
  history: History,
  { mutation = NONE, traced = false }: { mutation?: Mutation; traced?: boolean } = {},
): Promise<Ran> {
  reseedCrypto(history.jitter + 1)
  const scene = createScene(history, traced)
  const device = createDevice(scene, mutation)
  const giveBack = takeOver({
    // The page's hand-off waits by the global timer.
    setTimeout: (work: () => void, ms: number) => void scene.sleep(ms).then(work),
    AbortController: QuickAbortController,
    BroadcastChannel: SilentChannel,
  })
  try {
    await scene.clock.runUntil(live(scene, device), () => scene.failure !== undefined)
  } catch (error) {
    scene.fail(`the run itself ended with ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    giveBack()
  }
  return {
    failure: scene.failure,
    steps: device.moments(),
    kills: scene.kills,
    moments: device.workers.map(({ life }) => life.moments),
    lines: scene.lines,
  }
}

/** A channel on which nobody tells anything. */
class SilentChannel {
  addEventListener(): void {}
  close(): void {}
}

/** Puts these in the place of globals; returns a way to undo it. */
function takeOver(globals: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(globals).map((name): [string, unknown] => [name, Reflect.get(globalThis, name)])
  for (const [name, value] of Object.entries(globals)) Reflect.set(globalThis, name, value)
  return () => {
    for (const [name, value] of before) Reflect.set(globalThis, name, value)
  }
}

async function live(scene: Scene, device: Device): Promise<void> {
  const { history } = scene
  const tabs: Tab[] = []
  const recordings = history.recordings.map(async (plan, at) => {
    await scene.sleep(plan.beginsAtMs)
    const tab = openTab(scene, device, `tab ${at + 1}`)
    tabs[at] = tab
    const over = new Promise<void>((resolve) => tab.life.onDeath(resolve))
    await Promise.race([record(scene, device, tab, at, plan), over])
  })
  const happenings = history.happenings.map(async ({ atMs, what }) => {
    await scene.sleep(atMs)
    happen(scene, device, tabs, what)
  })
  await Promise.race([Promise.all([...recordings, ...happenings]), scene.sleep(LONGEST_MS)])
  await scene.sleep(Math.max(history.lastsMs - (scene.clock.now() - START_MS), 0))
  await heal(scene, device, tabs)
}

function happen(scene: Scene, device: Device, tabs: Tab[], what: Happening['what']): void {
  scene.trace(() => `${what.kind}: ${JSON.stringify(what)}`)
  switch (what.kind) {
    case 'worker-killed':
      return device.killWorker()
    case 'worker-updated':
      return device.update()
    case 'sync':
      return device.sync()
    case 'store-forgets':
      return device.server.forget()
    case 'reorganised':
      return device.chain.reorganise(what.vanish)
    case 'page-opened':
      return void tabs.push(openTab(scene, device, 'another tab'))
    case 'tab-killed':
      return tabs[what.of]?.close()
    case 'offline':
      scene.offlineUntilMs = scene.clock.now() + what.forMs
      return
    case 'metered':
      scene.meteredFromMs = scene.clock.now()
      scene.meteredUntilMs = scene.clock.now() + what.forMs
      return
    case 'policy': {
      const tab = openTab(scene, device, 'another tab')
      tabs.push(tab)
      return void askUntilAnswered(scene, tab, { type: 'policy', policy: what.policy })
    }
    case 'signed-out':
      scene.signedOutUntilMs = scene.clock.now() + what.forMs
      return
    case 'disk-full':
      scene.diskFullUntilMs = scene.clock.now() + what.forMs
      return
    case 'clock-set':
      scene.clockErrorMs += what.byMs
      return
    case 'unreadable':
      scene.unreadableUntilMs = scene.clock.now() + what.forMs
      return
  }
  const recording = scene.history.recordings[what.of]
  if (recording === undefined) return
  const sessionId = sessionIdOf(what.of + 1)
  // A page of its own: whoever asks need not be who records.
  const tab = openTab(scene, device, 'another tab')
  tabs.push(tab)
  switch (what.kind) {
    case 'paused':
      return void askUntilAnswered(scene, tab, { type: 'pause', sessionId })
    case 'resumed':
      return void askUntilAnswered(scene, tab, { type: 'resume', sessionId })
    case 'discarded':
      if (what.confirmed) device.oracle.discarding(sessionId)
      return void askUntilAnswered(scene, tab, {
        type: 'discard',
        sessionId,
        ...(what.confirmed && { confirm: DISCARD_CONFIRMATION }),
      })
    case 'other-content':
      return void askUntilAnswered(scene, tab, {
        type: 'chunk',
        chunk: recordedChunk(sessionId, 0, recording.seal, 1),
      })
  }
}

/** Nothing fails any more, a page is open and greets: everything must come to rest, then to its end. */
async function heal(scene: Scene, device: Device, tabs: readonly Tab[]): Promise<void> {
  scene.trace(() => 'everything is healed, all tabs are closed and one is opened')
  scene.healing = true
  scene.offlineUntilMs = scene.meteredUntilMs = scene.signedOutUntilMs = 0
  scene.diskFullUntilMs = scene.unreadableUntilMs = 0
  for (const tab of tabs.filter(Boolean)) tab.close()
  const tab = openTab(scene, device, 'the last tab')

  await comeToRest(scene, device, tab)
  device.oracle.atRest(device.disk.state)
  await askUntilAnswered(scene, tab, { type: 'policy', policy: 'always' })
  for (const sessionId of device.disk.state.sessions.keys())
    await askUntilAnswered(scene, tab, { type: 'resume', sessionId })
  await comeToRest(scene, device, tab)
  device.oracle.atTheEnd(device.disk.state, device.server)
  tab.close()
}

async function comeToRest(scene: Scene, device: Device, tab: Tab): Promise<void> {
  for (let greeting = 0; greeting < GREETINGS; greeting++) {
    await tab.connection.request({ type: 'hello' }).catch(() => undefined)
    for (let second = 0; second < 20; second += 2) {
      if (!remains(device.disk.state) && device.quiet()) return
      await scene.sleep(2_000)
    }
  }
  scene.fail(
    remains(device.disk.state)
      ? 'work remains, though nothing fails any more'
      : 'a wake does not end, though nothing remains',
  )
}
