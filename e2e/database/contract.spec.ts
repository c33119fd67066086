import { STORE_CASES } from '../../sw/contracts/store.contract.ts'
import { test } from './store-page.ts'

// Promise 1 of docs/guarantees.md.

// Each is over before another browser would have started.
test.describe.configure({ mode: 'default' })

for (const { title } of STORE_CASES)
  test(`idbStore ${title}`, async ({ commonPage: page }) => {
    await page.evaluate((name) => window.storePage.runCase(name), title)
  })
