import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test as base, type BrowserContext, type Page, type Worker } from '@playwright/test'
import { startBackend, type Backend } from './backend/index.ts'
import { repositoryRoot } from './backend/repository-root.ts'
import { ARTIFACTS } from './backend/sandbox.ts'
import { findChromium } from './driver/find-chromium.ts'
import { launchBrowser, type LaunchOptions, type RealBrowser } from './driver/real-browser.ts'
import { BUILT, builtScript } from './built-scripts.ts'
import { serveDemo, type DemoSite } from './demo-site.ts'

/** Blocks come fast: a test that waits for depth waits for little else. */
const BLOCK_TIME_SEC = 0.3

/** Again where a process that was just killed has put one more file there meanwhile. */
export const GONE_FOR_GOOD = { recursive: true, force: true, maxRetries: 5 } as const

/** The backend, and the demo that talks to it on an origin of this test's own. */
export interface Stack {
  readonly backend: Backend
  readonly site: DemoSite
  readonly url: string
  /** The ledger's length when the test began. */
  readonly sinceEntry: number
}

export type Launch = (options?: Partial<LaunchOptions>) => Promise<RealBrowser>

export interface TestFixtures {
  /** The demo's own worker, or one of `kill/workers` in its place. */
  readonly workerName: 'demo' | 'patient' | 'tus' | 'put' | 'pinata' | 'copies'
  /** The backend of this test process, up and without faults. */
  readonly backend: Backend
  readonly stack: Stack
  /** The browser that the tests of this process share, in which no test finds anything of another. */
  readonly shared: RealBrowser
  /** The same, as Playwright sees it. */
  readonly context: BrowserContext
  /** Starts a browser on this test's own profile, to be killed; a second start finds what the first left. */
  readonly launch: Launch
}
/**
 * All that lasts for a whole test process. Who has one of their own gets processes of their own, each with a browser, a
 * backend and a chain to start: what the tests of a folder share they make when the first asks, and close `atEnd`.
 */
export interface WorkerFixtures {
  /** A folder of this test process. */
  readonly folder: string
  /** Has this called once the last test of this process is over. */
  readonly atEnd: (close: () => Promise<unknown>) => void
  readonly workerBackend: Backend
  readonly workerBrowser: RealBrowser
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  folder: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
    async ({}, use, { parallelIndex }) => {
      const shared = join(repositoryRoot(), '.holdfast', 'e2e')
      await mkdir(shared, { recursive: true })
      const folder = await mkdtemp(join(shared, `process-${parallelIndex}-`))
      await use(folder)
      await rm(folder, GONE_FOR_GOOD)
    },
    { scope: 'worker' },
  ],

  atEnd: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
    async ({}, use) => {
      const closing: (() => Promise<unknown>)[] = []
      await use((close) => void closing.push(close))
      await Promise.all(closing.map((close) => close()))
    },
    { scope: 'worker' },
  ],

  workerBackend: [
    async ({ folder }, use) => {
      const backend = await startBackend({
        dataDir: join(folder, 'backend'),
        artifactDir: ARTIFACTS,
        port: 0,
        chainPort: 0,
        blockTimeSec: BLOCK_TIME_SEC,
        savesChain: false,
      })
      await use(backend)
      await backend.stop()
    },
    { scope: 'worker' },
  ],

  workerBrowser: [
    async ({ folder }, use) => {
      const profile = join(folder, 'profile')
      const browser = await launchBrowser({ executable: findChromium(), profile })
      refuseWhatLasts(browser.context)
      await use(browser)
      await browser.kill()
    },
    { scope: 'worker' },
  ],

  workerName: ['demo', { option: true }],

  backend: async ({ workerBackend: backend }, use) => {
    await use(backend)
    backend.faults.clear()
    await backend.unpause()
    backend.chain.setMining(true)
    await backend.chain.start()
  },

  stack: async ({ backend, workerName }, use) => {
    const site = await serveDemo({
      endpoints: backend.endpoints,
      folder: join(BUILT, 'demo'),
      worker: workerName === 'demo' ? undefined : await builtScript(`kill/workers/${workerName}.ts`),
    })
    await use({ backend, site, url: site.url, sinceEntry: backend.ledger.all().length })
    await site.close()
  },

  shared: async ({ workerBrowser }, use) => {
    const { context } = workerBrowser
    const pages = new Set<Page>()
    const origins = new Set<string>()
    const visited = (url: string) => void origins.add(new URL(url).origin)
    const onPage = (page: Page) => {
      pages.add(page)
      page.on('framenavigated', (frame) => visited(frame.url()))
    }
    const onWorker = (worker: Worker) => visited(worker.url())
    context.on('page', onPage)
    context.on('serviceworker', onWorker)
    await use(workerBrowser)
    context.off('page', onPage)
    context.off('serviceworker', onWorker)
    await forget(context, pages, origins)
  },

  context: ({ shared }, use) => use(shared.context),

  launch: async ({ folder }, use) => {
    const profile = await mkdtemp(join(folder, 'profile-'))
    const executable = findChromium()
    const browsers: RealBrowser[] = []
    await use(async (options) => {
      const browser = await launchBrowser({ executable, profile, ...options })
      browsers.push(browser)
      return browser
    })
    await Promise.all(browsers.map((browser) => browser.kill()))
    await rm(profile, GONE_FOR_GOOD)
  },
})

/** What a context is told so holds for all its later pages too; a permission is given to an origin, which is a test's own. */
const LASTS = [
  'addCookies',
  'addInitScript',
  'exposeBinding',
  'exposeFunction',
  'route',
  'routeWebSocket',
  'setExtraHTTPHeaders',
  'setGeolocation',
  'setOffline',
] as const satisfies readonly (keyof BrowserContext)[]

/** From now on a test can tell nothing to this context that tests after it would meet: it tells its own page. */
function refuseWhatLasts(context: BrowserContext): void {
  for (const name of LASTS)
    Object.defineProperty(context, name, {
      value() {
        throw new Error(`Other tests share this browser: call ${name} of a page, or launch() a browser.`)
      },
    })
}

/** Closes these pages, and deletes all that is left of these origins, workers too. */
async function forget(context: BrowserContext, pages: ReadonlySet<Page>, origins: ReadonlySet<string>) {
  await Promise.all([...pages].map((page) => page.close()))
  const [first] = context.pages()
  if (first === undefined) throw new Error('The shared browser has lost its first page.')
  const cdp = await context.newCDPSession(first)
  for (const origin of origins)
    if (origin.startsWith('http'))
      await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
  await cdp.send('ServiceWorker.enable')
  await endWorkers(context, origins, () => cdp.send('ServiceWorker.stopAllWorkers'))
  await cdp.detach()
}

/**
 * With a debugger a worker outlives its registration, and would go on to ask the backend of the tests after this one.
 *
 * @param stopAll for one that does not end when it is closed, which was seen once
 */
async function endWorkers(
  context: BrowserContext,
  origins: ReadonlySet<string>,
  stopAll: () => Promise<unknown>,
): Promise<void> {
  const cdp = await context.browser()?.newBrowserCDPSession()
  if (cdp === undefined) throw new Error('The shared browser is gone.')
  const left = async () => {
    const { targetInfos } = await cdp.send('Target.getTargets')
    const workers = targetInfos.filter(
      ({ type, url }) => type === 'service_worker' && origins.has(new URL(url).origin),
    )
    for (const { targetId } of workers)
      await cdp.send('Target.closeTarget', { targetId }).catch(() => undefined)
    if (workers.length > 0) await stopAll()
    return workers.length
  }
  await expect.poll(left).toBe(0)
  await cdp.detach()
}

export { expect } from '@playwright/test'
export { LANDING, WHOLE } from './test-size.ts'
