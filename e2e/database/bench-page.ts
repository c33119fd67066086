import type { BrowserContext, Page } from '@playwright/test'
import { builtScript } from '../built-scripts.ts'
import { test as base } from '../fixtures.ts'
import { serve, type Served } from '../in-page/serve.ts'

interface BenchFixtures {
  /** A page of this test's own, on an origin of its own. */
  readonly page: Page
  /** One page for all tests of this process that need no more than a database of their own. */
  readonly commonPage: Page
}

let common: Promise<Page> | undefined

/** Tests of the store alone, in pages that have it, on the browser's IndexedDB. */
export const test = base.extend<BenchFixtures>({
  commonPage: async ({ workerBrowser, atEnd }, use) => {
    common ??= serveBench().then((served) => {
      atEnd(served.close)
      return openBench(workerBrowser.context, served)
    })
    await use(await common)
  },
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
