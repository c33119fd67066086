import type { BrowserContext, Page } from '@playwright/test'
import type { Endpoints } from '../backend/index.ts'
import { builtScript, withEndpoints } from '../built-scripts.ts'
import { serve } from '../in-page/serve.ts'

export type Version = 'present' | 'next-schema'

/** An app whose worker can be exchanged. */
export interface App {
  readonly url: string
  /** From now on the server has this worker at `/sw.js`; at `/beside.js` it has one that shares what that one has. */
  deploy(version: Version): void
  close(): Promise<void>
}

/**
 * Serves a page with the library, and a worker for these endpoints.
 *
 * @param worker the present one, of `kill/workers`
 */
export async function serveVersions(
  endpoints: Endpoints,
  worker: 'patient' | 'put' = 'patient',
): Promise<App> {
  const builds: Record<Version, string> = {
    present: withEndpoints(await builtScript(`kill/workers/${worker}.ts`), endpoints),
    'next-schema': withEndpoints(await builtScript('kill/workers/next-schema.ts'), endpoints),
  }
  const files = new Map([['/page.js', await builtScript('update/update-page.ts')]])
  let deployed = 0
  const deploy = (version: Version) =>
    void files.set('/sw.js', `${builds[version]}\n// deployment ${++deployed}\n`)
  deploy('present')
  // Takes itself for a worker of the root's registration, as two versions of one are that live side by side.
  const asOfTheRoot = "Object.defineProperty(registration, 'scope', { value: `${location.origin}/` });"
  files.set('/beside.js', `${asOfTheRoot}\n${builds.present}`)
  return { ...(await serve(files)), deploy }
}

/** Opens a page with the library; its API is `window.app`. */
export async function openApp(context: BrowserContext, { url }: App): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.addScriptTag({ url: '/page.js' })
  return page
}

/** Has the browser look for a new worker, which is there; resolves once it is installed and waits. */
export async function updateWaits(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    while (registration.waiting === null) {
      // One that joins a look of the browser's own, which began before, finds what was there then.
      await registration.update()
      const { installing } = registration
      if (installing)
        await new Promise((resolve) => installing.addEventListener('statechange', resolve, { once: true }))
    }
  })
}

/**
 * Lets the waiting worker take over although the old one is at work, by ending the old one in the middle of it;
 * resolves once the page has the new one.
 */
export async function takeOver(page: Page): Promise<void> {
  await page.evaluate(() => {
    Object.assign(window, {
      switched: new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      ),
    })
  })
  const { origin, href } = new URL('/', page.url())
  const cdp = await page.context().newCDPSession(page)
  let old: string | undefined
  // As often as it runs: the page may wake it again before the browser has let the other one pass.
  cdp.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    for (const { versionId, scriptURL, status, runningStatus } of versions) {
      if (status === 'activated' && scriptURL.startsWith(origin)) old ??= versionId
      if (versionId === old && runningStatus === 'running')
        cdp.send('ServiceWorker.stopWorker', { versionId }).catch(() => undefined)
    }
  })
  await cdp.send('ServiceWorker.enable')
  await cdp.send('ServiceWorker.skipWaiting', { scopeURL: href })
  await page.evaluate(() => (window as Window & { switched?: Promise<unknown> }).switched)
  await cdp.detach()
}

/** The version of the worker's database. */
export const schemaVersion = (page: Page) =>
  page.evaluate(
    async () =>
      (await indexedDB.databases()).find(({ name }) => name === `holdfast-2:${location.origin}/`)?.version,
  )
