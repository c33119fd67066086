import type { BrowserContext, Page, Worker } from '@playwright/test'

/** Stops every service worker, as the browser does when it needs the memory; resolves once each has been stopped. */
export async function stopWorkers(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const known = new Set<string>()
  const stopped = new Set<string>()
  let isAsked = false
  const allStopped = new Promise<void>((resolve) => {
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      for (const { versionId, runningStatus } of versions) {
        known.add(versionId)
        if (runningStatus === 'stopped') stopped.add(versionId)
        // One that stood still before may run by now; one that was stopped may be woken again at once.
        else if (!isAsked) stopped.delete(versionId)
      }
      if (isAsked && known.size > 0 && stopped.size === known.size) resolve()
    })
  })
  await session.send('ServiceWorker.enable')
  isAsked = true
  await session.send('ServiceWorker.stopAllWorkers')
  await allStopped
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
  return async (dataSaverEnabled) => {
    await worker.send('Emulation.setDataSaverOverride', { dataSaverEnabled })
  }
}

/** A debugger's session with the page's worker; what it overrides holds until it is detached. */
export interface WorkerSession {
  /** Resolves to what the worker answers. */
  send(method: string, params?: object): Promise<unknown>
  /** @param heard called with the parameters of each such event */
  on(event: string, heard: (params: unknown) => void): void
  detach(): Promise<void>
}

interface Target {
  readonly type: string
  readonly url: string
  readonly targetId: string
}

interface FromWorker {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** Of the page's worker, as soon as the debugger knows of it: it may be told later than the page is. */
export async function workerSession(page: Page): Promise<WorkerSession> {
  const browser = page.context().browser()
  if (browser === null) throw new Error('The page has no browser of its own')
  const session = await browser.newBrowserCDPSession()
  const { origin } = new URL(page.url())
  const targetId = await new Promise<string>((resolve, reject) => {
    const onTarget = ({ targetInfo: { type, url, targetId } }: { readonly targetInfo: Target }) => {
      if (type === 'service_worker' && url.startsWith(origin)) resolve(targetId)
    }
    session.on('Target.targetCreated', onTarget)
    session.on('Target.targetInfoChanged', onTarget)
    // Tells of those that are there too.
    session.send('Target.setDiscoverTargets', { discover: true }).catch(reject)
  })
  await session.send('Target.setDiscoverTargets', { discover: false })
  const { sessionId } = await session.send('Target.attachToTarget', { targetId })
  const waiting = new Map<number, (answer: FromWorker) => void>()
  const listening: { event: string; heard: (params: unknown) => void }[] = []
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const answer = JSON.parse(message) as FromWorker
    waiting.get(answer.id ?? 0)?.(answer)
    for (const { event, heard } of listening) if (event === answer.method) heard(answer.params)
  })
  let sent = 0
  return {
    async send(method, params = {}) {
      const message = { id: ++sent, method, params }
      const answered = new Promise<FromWorker>((resolve) => waiting.set(message.id, resolve))
      await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify(message) })
      const { result, error } = await answered
      waiting.delete(message.id)
      if (error) throw new Error(`The worker's debugger: ${error.message}`)
      return result
    },
    on: (event, heard) => void listening.push({ event, heard }),
    detach: () => session.detach(),
  }
}

/** The service worker of a site, as the debugger has it: it may be told of one later than the page is. */
export async function workerOf(context: BrowserContext, url: string): Promise<Worker> {
  const isOurs = (worker: Worker) => new URL(worker.url()).origin === new URL(url).origin
  const isThere = context.serviceWorkers().find(isOurs)
  return isThere ?? context.waitForEvent('serviceworker', { predicate: isOurs, timeout: 0 })
}
