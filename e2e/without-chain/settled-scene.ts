import { join } from 'node:path'
import type { Endpoints } from '../backend/index.ts'
import { BUILT, builtScript } from '../built-scripts.ts'
import { serveDemo } from '../demo-site.ts'
import { test as base } from '../fixtures.ts'
import type { Scene } from '../kill/kill-scene.ts'
import { startAppServer, type AppServer } from './app-server.ts'

/** Stores that take heads under the name of their content, or by the client's name. */
export type HeadStore = 'ipfs' | 'tus' | 'put'

/** What the worker of these tests is served with. */
export interface SettledEndpoints extends Endpoints {
  readonly app: string
  readonly store: HeadStore
  readonly chain: boolean
}

/** A scene whose app has a server of its own, which hears of what has settled. */
export interface SettledScene extends Scene {
  readonly app: AppServer
}

export const test = base.extend<{ store: HeadStore; chain: boolean; app: AppServer }>({
  store: ['ipfs', { option: true }],
  chain: [false, { option: true }],

  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
  app: async ({}, use) => {
    const app = await startAppServer()
    await use(app)
    await app.close()
  },

  stack: async ({ backend, app, store, chain }, use) => {
    const endpoints: SettledEndpoints = { ...backend.endpoints, app: app.url, store, chain }
    const worker = await builtScript('without-chain/settled-worker.ts')
    const site = await serveDemo({ endpoints, folder: join(BUILT, 'demo'), worker })
    await use({ backend, site, url: site.url, sinceEntry: backend.ledger.all().length })
    await site.close()
  },
})
