import type { Page } from '@playwright/test'
import { builtScript } from '../built-scripts.ts'
import { test as base } from '../fixtures.ts'
import { serve } from '../page/serve.ts'

/** Tests of the store alone, in a page of an origin of its own that has it, on the browser's IndexedDB. */
export const test = base.extend<{ readonly page: Page }>({
  page: async ({ context }, use) => {
    const served = await serve(new Map([['/bench.js', await builtScript('store/bench.ts')]]))
    const page = await context.newPage()
    await page.goto(served.url)
    await page.addScriptTag({ url: '/bench.js' })
    await use(page)
    await served.close()
  },
})

export { expect } from '@playwright/test'
