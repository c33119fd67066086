import type { Page } from '@playwright/test'

/** Stops every service worker, as the browser does when it needs the memory; resolves once they are stopped. */
export async function stopWorkers(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const stopped = new Promise<void>((resolve) => {
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      if (versions.some(({ runningStatus }) => runningStatus === 'stopped')) resolve()
    })
  })
  await session.send('ServiceWorker.enable')
  await session.send('ServiceWorker.stopAllWorkers')
  await stopped
  await session.detach()
}

/** Kills the page's renderer, as a lack of memory does; resolves once the page is gone. */
export async function crashRenderer(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  // The one that should answer is dead.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}

/**
 * The page's network goes and comes back: it hears `online` and greets its worker, which wakes it at once where a
 * test would otherwise wait for the greeting of every 20 s.
 *
 * For the page alone: Playwright's `setOffline` would wait for a stopped worker to take the command.
 */
export async function networkComesBack(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
  for (const offline of [true, false]) {
    await session.send('Network.emulateNetworkConditions', { offline, ...unlimited })
    await page.waitForFunction((wanted) => navigator.onLine === wanted, !offline)
  }
  await session.detach()
}
