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

/**
 * This page and its worker have no network, as on a device that is out of reach; the rest of the browser keeps its own.
 *
 * @returns ends it: the page hears `online`
 */
export async function cutNetwork(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  const worker = await workerSession(page)
  const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
  const set = async (offline: boolean) => {
    const conditions = { offline, ...unlimited }
    await worker.send('Network.emulateNetworkConditions', conditions)
    await session.send('Network.emulateNetworkConditions', conditions)
    await page.waitForFunction((wanted) => navigator.onLine === wanted, !offline)
  }
  await worker.send('Network.enable', {})
  await set(true)
  return async () => {
    await set(false)
    await worker.detach()
    await session.detach()
  }
}

/**
 * The browser tells the page's worker that data is to be saved, or no more. For as long as that worker lives: the
 * override is of a debugger's session with the worker, which a page's session does not reach.
 *
 * @returns sets it
 */
export async function dataSaver(page: Page): Promise<(on: boolean) => Promise<void>> {
  const worker = await workerSession(page)
  return (dataSaverEnabled) => worker.send('Emulation.setDataSaverOverride', { dataSaverEnabled })
}

/** A debugger's session with the page's worker; what it overrides holds until it is detached. */
interface WorkerSession {
  /** Resolves once the worker has answered. */
  send(method: string, params: object): Promise<void>
  detach(): Promise<void>
}

async function workerSession(page: Page): Promise<WorkerSession> {
  const browser = page.context().browser()
  if (browser === null) throw new Error('The page has no browser of its own')
  const session = await browser.newBrowserCDPSession()
  const { targetInfos } = await session.send('Target.getTargets')
  const { origin } = new URL(page.url())
  const worker = targetInfos.find(({ type, url }) => type === 'service_worker' && url.startsWith(origin))
  if (worker === undefined) throw new Error(`No worker of ${origin} runs`)
  const { sessionId } = await session.send('Target.attachToTarget', { targetId: worker.targetId })
  let sent = 0
  return {
    send(method, params) {
      const message = { id: ++sent, method, params }
      const taken = new Promise<void>((resolve) => {
        session.on('Target.receivedMessageFromTarget', (answer) => {
          if (Reflect.get(JSON.parse(answer.message) as object, 'id') === message.id) resolve()
        })
      })
      return session
        .send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify(message) })
        .then(() => taken)
    },
    detach: () => session.detach(),
  }
}
