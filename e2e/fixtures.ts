import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { startBackend, type Backend } from './backend/index.ts'
import { repositoryRoot } from './backend/repository-root.ts'
import { findChromium } from './browser/find-chromium.ts'
import { launchBrowser, type LaunchOptions, type RealBrowser } from './browser/real-browser.ts'
import { serveDemo } from './demo-site.ts'
import type { StoreName } from './stores.ts'

/** Blocks come fast: a test that waits for depth waits for little else. */
const BLOCK_TIME_SEC = 0.3

/** The backend and the demo that talks to it. */
export interface Stack {
  readonly backend: Backend
  readonly url: string
  /** The ledger's length when the test began. */
  readonly sinceEntry: number
}

export type Launch = (options?: Partial<LaunchOptions>) => Promise<RealBrowser>

interface TestFixtures {
  /** The stack of this test process, up and without faults. */
  readonly stack: Stack
  /** Starts a browser on this test's own profile; a second start finds what the first left. */
  readonly launch: Launch
}
interface WorkerFixtures {
  /** Where the demo's worker uploads; the app's own worker uses the IPFS store. */
  readonly storeName: StoreName | 'copies'
  readonly workerStack: Omit<Stack, 'sinceEntry'>
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  storeName: ['ipfs', { scope: 'worker', option: true }],

  workerStack: [
    async ({ storeName }, use, { parallelIndex }) => {
      const dataDir = join(repositoryRoot(), '.holdfast', 'e2e', String(parallelIndex))
      const backend = await startBackend({
        dataDir,
        artifactDir: join(repositoryRoot(), '.holdfast', 'artifacts'),
        port: 0,
        chainPort: 0,
        fresh: true,
        blockTimeSec: BLOCK_TIME_SEC,
      })
      const site = await serveDemo({
        endpoints: backend.endpoints,
        outDir: join(dataDir, 'demo'),
        port: 0,
        worker: workerFor(storeName),
      })
      await use({ backend, url: site.url })
      await site.close()
      await backend.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  stack: async ({ workerStack }, use) => {
    const { backend } = workerStack
    await use({ ...workerStack, sinceEntry: backend.ledger.all().length })
    backend.faults.clear()
    await backend.unpause()
    await backend.chain.start()
  },

  launch: async ({ workerStack: _after }, use, { parallelIndex }) => {
    const profiles = join(repositoryRoot(), '.holdfast', 'e2e', String(parallelIndex))
    const profile = await mkdtemp(join(profiles, 'profile-'))
    const executable = findChromium()
    const browsers: RealBrowser[] = []
    await use(async (options) => {
      const browser = await launchBrowser({ executable, profile, ...options })
      browsers.push(browser)
      return browser
    })
    await Promise.all(browsers.map((browser) => browser.kill()))
    await rm(profile, { recursive: true, force: true })
  },
})

/** The demo's own worker, or one like it for another store. */
const workerFor = (store: WorkerFixtures['storeName']) =>
  store === 'ipfs' ? undefined : join(repositoryRoot(), 'e2e', 'kill', 'workers', `${store}.ts`)

export { expect } from '@playwright/test'
