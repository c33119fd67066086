import type { Device } from './device.ts'
import { slowestMsOf, type Afterwards } from './liveness.ts'
import { remains } from './oracle.ts'
import type { Scene } from './simulated-scene.ts'
import { askUntilAnswered, openTab, type Tab } from './tab.ts'

/** How often a person comes by where one does, ms. */
const VISIT_EVERY_MS = 20_000
const LOOK_EVERY_MS = 4_000

/**
 * Nothing fails any more, and a page is open: everything must be confirmed within the bound, or wait for a person and
 * say so; then a person lets it go on, and it must be confirmed likewise.
 *
 * @returns the longest time that it took, ms
 */
export async function heal(scene: Scene, device: Device, tabs: readonly Tab[]): Promise<number> {
  const { oracle, disk } = device
  scene.trace(() => 'everything is healed, all tabs are closed and one is opened')
  scene.healing = true
  scene.faults.end()
  device.chain.mine()
  for (const tab of tabs.filter(Boolean)) tab.close()

  const tab = openTab(scene, device, 'the last tab')
  const aloneMs = await comeToRest(scene, device, tab)
  if (scene.failure === undefined) oracle.atRest(disk.state)
  await askUntilAnswered(tab, { type: 'policy', policy: 'always' })
  for (const sessionId of disk.state.sessions.keys()) {
    await askUntilAnswered(tab, { type: 'adopt', sessionId })
    await askUntilAnswered(tab, { type: 'resume', sessionId })
  }
  tab.close()
  const next = openTab(scene, device, 'a tab after that')
  const resumedMs = await comeToRest(scene, device, next)
  if (scene.failure === undefined) oracle.atTheEnd(disk.state)
  next.close()
  return Math.max(aloneMs, resumedMs)
}

/** @returns how long it took, ms */
async function comeToRest(scene: Scene, device: Device, tab: Tab): Promise<number> {
  const { clock, history } = scene
  const fromMs = clock.now()
  const boundMs = slowestMsOf(history)
  let greetMs = fromMs
  for (;;) {
    const open = device.oracle.unsettled(device.disk.state)
    const tookMs = clock.now() - fromMs
    // What is hopeless is tried again for ever.
    if (open.length === 0 && (remains(device.disk.state) || device.quiet())) return tookMs
    if (tookMs > boundMs) {
      const what = open.map(({ id }) => id).join(', ') || 'a wake'
      scene.fail(
        `${what} is not at its end ${inWords[history.afterwards]}, ${tookMs / 1_000} s after the last fault`,
      )
      return tookMs
    }
    if (clock.now() >= greetMs && history.afterwards === 'visited') {
      greetMs = clock.now() + VISIT_EVERY_MS
      void tab.connection.request({ type: 'hello' }).catch(() => undefined)
    }
    await scene.sleep(LOOK_EVERY_MS)
  }
}

const inWords: Readonly<Record<Afterwards, string>> = {
  visited: 'though a person comes by',
  open: 'though a page is open',
}
