import type { BrowserContext } from '@playwright/test'

/** Has Chromium close every IndexedDB connection, as it does when the database fails under it. */
export async function forceCloseDatabases(context: BrowserContext): Promise<void> {
  const page = await context.newPage()
  await page.goto('chrome://indexeddb-internals')
  const buttons = page.locator('.force-close')
  await buttons.first().waitFor()
  for (const button of await buttons.all()) await button.click()
  await page.close()
}
