import type { BrowserContext, Page } from '@playwright/test'
import { builtScript } from '../built-scripts.ts'
import { test as base } from '../fixtures.ts'
import { serve, type Served } from '../in-page/serve.ts'

interface StorePageFixtures {
  /** A page of this test's own, on an origin of its own. */
  readonly page: Page
  /** One page for all tests of this process that need no more than a database of their own. */
  readonly commonPage: Page
}

let common: Promise<Page> | undefined

/** Tests of the store alone, in pages that have it, on the browser's IndexedDB. */
export const test = base.extend<StorePageFixtures>({
  commonPage: async ({ workerBrowser, atEnd }, use) => {
    common ??= serveStorePage().then((served) => {
      atEnd(served.close)
      return openStorePage(workerBrowser.context, served)
    })
    await use(await common)
  },
  page: async ({ context }, use) => {
    const served = await serveStorePage()
    await use(await openStorePage(context, served))
    await served.close()
  },
})

const serveStorePage = async () =>
  serve(new Map([['/store.js', await builtScript('database/store-in-page.ts')]]))

async function openStorePage(context: BrowserContext, { url }: Served): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.addScriptTag({ url: '/store.js' })
  return page
}

export { expect } from '@playwright/test'
