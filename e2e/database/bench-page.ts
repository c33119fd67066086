import type { BrowserContext, Page } from '@playwright/test'
import { builtScript } from '../built-scripts.ts'
import { test as base } from '../fixtures.ts'
import { serve, type Served } from '../in-page/serve.ts'

interface TestFixtures {
  /** A page of this test's own, on an origin of its own. */
  readonly page: Page
}
interface WorkerFixtures {
  /** One page for all tests that need no more than a database of their own. */
  readonly commonPage: Page
}

/** Tests of the store alone, in pages that have it, on the browser's IndexedDB. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  commonPage: [
    async ({ workerBrowser }, use) => {
      const served = await serveBench()
      await use(await openBench(workerBrowser.context, served))
      await served.close()
    },
    { scope: 'worker' },
  ],
  page: async ({ context }, use) => {
    const served = await serveBench()
    await use(await openBench(context, served))
    await served.close()
  },
})

const serveBench = async () => serve(new Map([['/bench.js', await builtScript('database/bench.ts')]]))

async function openBench(context: BrowserContext, { url }: Served): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.addScriptTag({ url: '/bench.js' })
  return page
}

export { expect } from '@playwright/test'
