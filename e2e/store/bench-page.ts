import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, type BrowserContext, type Page } from '@playwright/test'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../browser/find-chromium.ts'
import { launchBrowser } from '../browser/real-browser.ts'
import { bundle } from '../page/bundle.ts'
import { serve } from '../page/serve.ts'

interface TestFixtures {
  /** A page of its own that has the worker's store, on the browser's IndexedDB. */
  readonly page: Page
}
interface WorkerFixtures {
  readonly browserContext: BrowserContext
  readonly origin: string
}

/** Tests of the store alone: no worker, no backend, one browser for all. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  origin: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
    async ({}, use) => {
      const script = await bundle(join(repositoryRoot(), 'e2e/store/bench.ts'))
      const served = await serve(new Map([['/bench.js', script]]))
      await use(served.url)
      await served.close()
    },
    { scope: 'worker' },
  ],
  browserContext: [
    // oxlint-disable-next-line no-empty-pattern -- as above
    async ({}, use) => {
      const profile = await mkdtemp(join(tmpdir(), 'holdfast-store-'))
      const browser = await launchBrowser({ executable: findChromium(), profile })
      await use(browser.context)
      await browser.kill()
      await rm(profile, { recursive: true, force: true })
    },
    { scope: 'worker' },
  ],
  page: async ({ browserContext, origin }, use) => {
    const page = await browserContext.newPage()
    await page.goto(origin)
    await page.addScriptTag({ url: '/bench.js' })
    await use(page)
    await page.close()
  },
})

export { expect } from '@playwright/test'
