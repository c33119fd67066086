import type { RealBrowser } from '../driver/real-browser.ts'
import { expect } from '../fixtures.ts'
import { crashRenderer, cutNetwork, networkComesBack, stopWorkers } from '../driver/worker-control.ts'
import type { Scene } from './kill-scene.ts'

/** One way to die, and what the world does afterwards. */
export interface Death {
  /** The tab that recorded is still open afterwards. */
  readonly pageLives: boolean
  /** It must be no shared browser: it goes too. */
  readonly takesBrowser?: boolean
  /** Resolves once it has happened, with what ends it where something is away for a while. */
  strike(scene: Scene): Promise<(() => Promise<void>) | void>
  /**
   * Undoes what a person or an operator would undo, and nothing of what the engine has to do itself.
   *
   * @param ended the recording has ended, so no chunk will wake the worker
   * @param comeBack what `strike` gave
   * @returns the browser that runs now, if it is another one
   */
  recover(scene: Scene, ended: boolean, comeBack?: () => Promise<void>): Promise<RealBrowser | void>
}

/** While the other side is away a recording goes on, and is acknowledged. */
async function recordOn({ tab }: Scene): Promise<void> {
  await tab.acknowledged(tab.acknowledgements.length + 1)
}

/** The other side is away, and comes back. */
const away = (leave: (scene: Scene) => Promise<() => Promise<void>>): Death => ({
  pageLives: true,
  strike: leave,
  async recover(scene, ended, comeBack) {
    if (!ended) await recordOn(scene)
    await comeBack?.()
  },
})

export const DEATHS = {
  'the tab is closed': {
    pageLives: false,
    strike: ({ tab }) => tab.page.close(),
    // The worker goes on by itself.
    recover: async () => undefined,
  },

  // The worker often shares the renderer, and dies with it.
  'the renderer crashes': {
    pageLives: false,
    strike: ({ tab }) => crashRenderer(tab.page),
    async recover({ browser, url }) {
      // What a person sees is a dead tab, which is opened again.
      const page = await browser.context.newPage()
      await page.goto(url)
    },
  },

  'the worker is stopped': {
    pageLives: true,
    strike: ({ tab }) => stopWorkers(tab.page),
    async recover(scene, ended) {
      if (ended) await networkComesBack(scene.tab.page)
      else await recordOn(scene)
    },
  },

  'the browser is killed': {
    pageLives: false,
    takesBrowser: true,
    strike: ({ browser }) => browser.kill(),
    // As a person's browser starts: no page of the app, and no debugger yet, which would keep the worker alive.
    recover: ({ launch }) => launch({ debuggable: 'later', url: 'about:blank' }),
  },

  'the network is cut': away(async ({ tab, backend }) => {
    const comeBack = await cutNetwork(tab.page)
    // Emulation spares what is under way: the far end of the cable goes too.
    await backend.pause()
    await backend.unpause()
    const { length } = backend.ledger.all()
    return () => {
      expect(backend.ledger.all(), 'requests without a network').toHaveLength(length)
      return comeBack()
    }
  }),

  'the backend is killed': away(async ({ backend }) => {
    await backend.pause()
    return () => backend.unpause()
  }),

  'the chain node is killed': away(async ({ backend: { chain } }) => {
    await chain.stop()
    return () => chain.start()
  }),
} as const satisfies Record<string, Death>

export type DeathName = keyof typeof DEATHS
