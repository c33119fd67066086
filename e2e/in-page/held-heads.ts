import type { Page } from '@playwright/test'

/**
 * Keeps from a reader what the chain has of a recording, but for its first block, until it is let go.
 *
 * @param tells instead of the node's answers then
 */
export async function holdHeads(page: Page, tells?: readonly unknown[]): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.addInitScript(waitLong)
  let asked = 0
  await page.route('**/*', async (route) => {
    const body = route.request().postData()
    // The first one is of the first block.
    if (!body?.includes('eth_getLogs') || asked++ === 0) return route.continue()
    await released
    if (!tells) return route.continue()
    const { id } = JSON.parse(body) as { readonly id: number }
    return route.fulfill({ json: { jsonrpc: '2.0', id, result: tells } })
  })
  return release
}

/** Runs in the page: no silence is too long, however slow the machine is. */
function waitLong(): void {
  const LONGEST_SILENCE_MS = 30_000
  const timeout = window.setTimeout.bind(window)
  const patient = (work: () => void, ms = 0) => timeout(work, ms < LONGEST_SILENCE_MS ? ms : 2 ** 31 - 1)
  Reflect.set(window, 'setTimeout', patient)
}
