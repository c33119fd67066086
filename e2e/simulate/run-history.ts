import { QuickAbortController } from '../../sw/testing/quick-abort.ts'
import { reseedCrypto } from '../../sw/testing/quick-crypto.ts'
import { createDevice, type Device } from './device.ts'
import { happen } from './happenings.ts'
import { heal } from './healing.ts'
import type { History } from './history.ts'
import { isSetBack, watchStanding, type Afterwards } from './liveness.ts'
import { NONE, type Mutation } from './mutation.ts'
import { createScene, START_MS, type Scene } from './simulated-scene.ts'
import { watchSpinning } from './spinning.ts'
import { openTab, record, type Tab } from './tab.ts'

/**
 * The longest that anybody had to wait, ms: from the last fault until all was confirmed (`setBack`: with a clock that
 * was set back), and until what stood was told.
 */
export type Slowness = Readonly<Record<Afterwards | 'setBack' | 'untold', number>>

/** How one history went. */
export interface Ran {
  /** The first promise that was broken. */
  readonly failure: string | undefined
  /** Moments at which a worker could have died. */
  readonly steps: number
  readonly kills: number
  readonly slowness: Slowness
  /** Moments of each worker's life. */
  readonly moments: readonly number[]
  /** What happened, in lines, where it was asked for. */
  readonly lines: readonly string[]
}

export const NEVER_SLOW: Slowness = { visited: 0, open: 0, setBack: 0, untold: 0 }

/** Keys of chunks differ within a history; a process makes no more of them than it can keep. */
const CRYPTO_SEEDS = 32
/** Nobody waits longer for the tabs of a history, ms. */
const LONGEST_MS = 150_000

/** Runs one history, then heals everything and looks whether every promise was kept. */
export async function runHistory(
  history: History,
  { mutation = NONE, traced = false }: { mutation?: Mutation; traced?: boolean } = {},
): Promise<Ran> {
  reseedCrypto(1 + (history.jitter % CRYPTO_SEEDS))
  const scene = createScene(history, traced)
  const device = createDevice(scene, mutation)
  const giveBack = takeOver({
    // The page's hand-off waits by the global timer.
    setTimeout: (work: () => void, ms: number) => void scene.sleep(ms).then(work),
    AbortController: QuickAbortController,
    BroadcastChannel: SilentChannel,
    // Where the worker's Background Sync finds the browser's.
    self: {
      registration: { sync: device.syncs },
      clients: { matchAll: async () => Array.from({ length: device.tabs }) },
    },
  })
  let slowness: Slowness = NEVER_SLOW
  const over = live(scene, device).then((seen) => {
    slowness = seen
  })
  try {
    await scene.clock.runUntil(over, () => scene.failure !== undefined)
  } catch (error) {
    scene.fail(`the run itself ended with ${error instanceof Error ? error.stack : String(error)}`)
  } finally {
    giveBack()
  }
  return {
    failure: scene.failure,
    steps: device.moments(),
    kills: scene.kills,
    slowness,
    moments: device.workers.map(({ lifetime }) => lifetime.moments),
    lines: scene.lines,
  }
}

/** A channel on which nobody tells anything. */
class SilentChannel {
  addEventListener(): void {}
  close(): void {}
}

/** Puts these instead of globals; returns a way to undo it. */
function takeOver(globals: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(globals).map((name): [string, unknown] => [name, Reflect.get(globalThis, name)])
  for (const [name, value] of Object.entries(globals)) Reflect.set(globalThis, name, value)
  return () => {
    for (const [name, value] of before) Reflect.set(globalThis, name, value)
  }
}

async function live(scene: Scene, device: Device): Promise<Slowness> {
  const { history } = scene
  // The recordings' tabs come first; others are opened after them, whenever that is.
  const tabs = Array<Tab>(history.recordings.length)
  const watched = watchStanding(scene, device.look)
  void watchSpinning(scene, device)
  const recordings = history.recordings.map(async (plan, at) => {
    await scene.sleep(plan.beginsAtMs)
    const tab = openTab(scene, device, `tab ${at + 1}`)
    tabs[at] = tab
    const over = new Promise<void>((resolve) => tab.lifetime.onDeath(resolve))
    await Promise.race([record(scene, device, tab, at, plan), over])
  })
  const happenings = history.happenings.map(async ({ atMs, what }) => {
    await scene.sleep(atMs)
    happen(scene, device, tabs, what)
  })
  await Promise.race([Promise.all(recordings), scene.sleep(LONGEST_MS)])
  await Promise.all(happenings)
  await scene.sleep(Math.max(history.lastsMs - (scene.clock.now() - START_MS), 0))
  const confirmedMs = await heal(scene, device, tabs)
  return {
    ...NEVER_SLOW,
    [isSetBack(history) ? 'setBack' : history.afterwards]: confirmedMs,
    untold: await watched,
  }
}
