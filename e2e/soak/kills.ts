import { crashRenderer, stopWorkers } from '../driver/worker-control.ts'
import { unlessLate, sleep } from './unless-late.ts'
import type { Random } from './seeded-random.ts'
import type { World } from './soak-world.ts'

const ACTION_MS = 5_000

/** One way to kill; resolves with what brings it back, or undefined where there was nothing to kill. */
type Kill = (world: World, random: Random) => Promise<(() => Promise<void>) | undefined>

const nothingToUndo = async () => undefined

export const KILLS = {
  async tab({ tabs }, random) {
    if (tabs.size === 0) return undefined
    const tab = random.pick([...tabs])
    tabs.delete(tab)
    await unlessLate(tab.page.close(), ACTION_MS)
    return nothingToUndo
  },

  async renderer({ tabs }, random) {
    if (tabs.size === 0) return undefined
    const { page } = random.pick([...tabs])
    await unlessLate(crashRenderer(page), ACTION_MS)
    // Tabs of one site may share the renderer.
    const dead = await Promise.all(
      [...tabs].map(async (tab) =>
        (await unlessLate(tab.page.title(), 1_000)) === undefined ? tab : undefined,
      ),
    )
    for (const tab of dead) {
      if (tab === undefined) continue
      tabs.delete(tab)
      await unlessLate(tab.page.close(), ACTION_MS)
    }
    return nothingToUndo
  },

  async worker(world) {
    const page = world.anyPage()
    if (page === undefined) return undefined
    await unlessLate(stopWorkers(page), ACTION_MS)
    return nothingToUndo
  },

  async browser(world, random) {
    await world.killBrowser()
    const withoutDebugger = random.chance(0.5)
    const aliveMs = random.between(200, 4_000)
    return async () => {
      await world.browser(!withoutDebugger)
      // As for a person who looks at other things for a while; then the next tab needs the debugger again.
      if (withoutDebugger) await sleep(aliveMs)
    }
  },

  async network(world) {
    const page = world.anyPage()
    if (page === undefined) return undefined
    const context = page.context()
    await unlessLate(context.setOffline(true), ACTION_MS)
    return async () => {
      await unlessLate(context.setOffline(false), ACTION_MS)
    }
  },

  async backend({ backend }) {
    await backend.pause()
    return () => backend.unpause()
  },

  // What was mined is kept: to lose blocks that were deep enough is a promise that the chain broke, not the engine.
  async chain({ backend }) {
    if (!backend.chain.running) return undefined
    await backend.chain.stop()
    return () => backend.chain.start()
  },
} as const satisfies Record<string, Kill>

export type KillKind = keyof typeof KILLS
export const KILL_KINDS = Object.keys(KILLS) as KillKind[]
