import type { RealBrowser } from '../driver/real-browser.ts'
import { crashRenderer, networkComesBack, stopWorkers } from '../driver/worker-control.ts'
import type { Scene } from './kill-scene.ts'

/** One way to die, and what the world does afterwards. */
export interface Death {
  /** The tab that recorded is still open afterwards. */
  readonly pageLives: boolean
  /** It must be no shared browser: it goes too, or what happens to it would reach other tests. */
  readonly takesBrowser?: boolean
  /** Resolves once it has happened. */
  strike(scene: Scene): Promise<void>
  /**
   * Undoes what a person or an operator would undo, and nothing of what the engine has to do itself.
   *
   * @param ended the recording has ended, so no chunk will wake the worker
   * @returns the browser that runs now, if it is another one
   */
  recover(scene: Scene, ended: boolean): Promise<RealBrowser | void>
}

/** While the other side is away a recording goes on, and is acknowledged. */
async function recordOn({ witness }: Scene): Promise<void> {
  await witness.acknowledged(witness.acknowledgements.length + 1)
}

export const DEATHS = {
  'the tab is closed': {
    pageLives: false,
    strike: ({ witness }) => witness.page.close(),
    // The worker goes on by itself.
    recover: async () => undefined,
  },

  // The worker often shares the renderer, and dies with it.
  'the renderer crashes': {
    pageLives: false,
    strike: ({ witness }) => crashRenderer(witness.page),
    async recover({ browser, url }) {
      // What a person sees is a dead tab, which is opened again.
      const page = await browser.context.newPage()
      await page.goto(url)
    },
  },

  'the worker is stopped': {
    pageLives: true,
    strike: ({ witness }) => stopWorkers(witness.page),
    async recover(scene, ended) {
      if (ended) await networkComesBack(scene.witness.page)
      else await recordOn(scene)
    },
  },

  'the browser is killed': {
    pageLives: false,
    takesBrowser: true,
    strike: ({ browser }) => browser.kill(),
    // As a person's browser starts: no page of the app, and no debugger, which would keep the worker alive.
    recover: ({ launch }) => launch({ debuggable: false, url: 'about:blank' }),
  },

  'the network is cut': {
    pageLives: true,
    // In a browser of its own: `setOffline` waits for each worker that the browser has, also for one that another test
    // has stopped, which never answers.
    takesBrowser: true,
    async strike({ browser, backend }) {
      await browser.context.setOffline(true)
      // Emulation spares what is under way: the far end of the cable goes too.
      await backend.pause()
      await backend.unpause()
    },
    async recover(scene, ended) {
      if (!ended) await recordOn(scene)
      await scene.browser.context.setOffline(false)
    },
  },

  'the backend is killed': {
    pageLives: true,
    strike: ({ backend }) => backend.pause(),
    async recover(scene, ended) {
      if (!ended) await recordOn(scene)
      await scene.backend.unpause()
    },
  },

  'the chain node is killed': {
    pageLives: true,
    strike: ({ backend }) => backend.chain.stop(),
    async recover(scene, ended) {
      if (!ended) await recordOn(scene)
      await scene.backend.chain.start()
    },
  },
} as const satisfies Record<string, Death>

export type DeathName = keyof typeof DEATHS
