import { build, preview } from 'vite'
import { filesOf, makeApp, type Files } from '../app.ts'
import { contentOf } from './content.ts'

/** The stores of the quick start, without a chain. */
export const STORES = ['ipfs', 'tus', 'put'] as const
export type StoreName = (typeof STORES)[number]

/** What a page of the app tells of its uploads. */
export interface Told {
  readonly label: string
  readonly name: string
  readonly ending: string
  readonly upload: string
  readonly startedAtMs: number
  /** When the store was known to hold its newest head. */
  readonly confirmedAtMs: number | undefined
  readonly head: string | undefined
  readonly lastError: string | undefined
}

/**
 * How many visits the site's storage knows of, before this one: in a database that the library never touches, and beside
 * all databases. So a deletion of ours, a loss of all databases, and a loss of everything are told apart.
 */
export interface Visit {
  readonly inDatabase: number
  readonly inCache: number
  /** Of this one. */
  readonly number: number
}

/** A file that a person may pick: made of its seed, so that each pick gives the same. */
export interface AppFile {
  readonly label: string
  readonly sizeBytes: number
  readonly seed: number
  readonly partBytes: number
  /** The public key of those who may read. */
  readonly group: string
}

/** What a page of the app can be asked. */
export interface AppWindow {
  readonly uploadApp: {
    /** Picks the file and uploads it, or what is left of it. Resolves once all of it is confirmed. */
    upload(file: AppFile): Promise<void>
    /** The labels of those that this page is at. */
    readonly underWay: ReadonlySet<string>
    told(): Promise<readonly Told[]>
    visit(): Promise<Visit>
    /** The custody log of each session. */
    logs(): Promise<Readonly<Record<string, unknown>>>
  }
}

const PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>App</title></head>
  <body><script type="module" src="/src/main.ts"></script></body>
</html>`

const MAIN = `
import { connect } from 'holdfast'
import { upload } from 'holdfast/upload'
import { contentOf } from './content.js'
const visited = countVisit()
const connected = visited.then(() => connect({ scriptUrl: '/sw.js', type: 'classic', scope: '/' }))
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
async function countVisit() {
  const opening = indexedDB.open('visits', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore('visits')
  const db = await resultOf(opening)
  const inDatabase = (await resultOf(db.transaction('visits').objectStore('visits').get('count'))) ?? 0
  // Not localStorage, which the browser writes seconds later.
  const cache = await caches.open('visits')
  const inCache = Number(await (await cache.match('/visits'))?.text() ?? 0)
  const number = Math.max(inDatabase, inCache) + 1
  const tx = db.transaction('visits', 'readwrite', { durability: 'strict' })
  tx.objectStore('visits').put(number, 'count')
  await new Promise((resolve, reject) => {
    tx.oncomplete = resolve
    tx.onabort = () => reject(tx.error)
  })
  db.close()
  await cache.put('/visits', new Response(String(number)))
  return { inDatabase, inCache, number }
}
const underWay = new Set()
async function begin({ label, sizeBytes, seed, partBytes, group }) {
  const file = new File([contentOf(sizeBytes, seed)], label + '.bin', { lastModified: 1 })
  return upload(await connected, file, { groups: [{ publicKey: group }], partBytes, labels: { label } })
}
async function sessions() {
  for (;;)
    try {
      return await (await connected).sessions()
    } catch (error) {
      // On a machine that is busy enough.
      if (error.code !== 'worker-timeout') throw error
    }
}
Object.assign(window, { uploadApp: {
  underWay,
  upload: async (file) => {
    underWay.add(file.label)
    try {
      await (await begin(file)).done
    } finally {
      underWay.delete(file.label)
    }
  },
  visit: () => visited,
  logs: async () => {
    const holdfast = await connected
    const all = (await sessions()).map(async ({ id, name }) => [name, await holdfast.log(id)])
    return Object.fromEntries(await Promise.all(all))
  },
  told: async () => (await sessions()).map(({ labels, name, ending, upload, startedAtMs, anchor, lastError }) => ({
    label: labels?.label ?? '', name, ending, upload, startedAtMs, confirmedAtMs: anchor?.confirmedAtMs,
    head: anchor?.address, lastError: lastError?.code,
  })),
} })
`

/** The worker of docs/quick-start-files.md for a store, that is at this server. */
async function workerFor(store: StoreName, server: string, tusPartBytes?: number): Promise<Files> {
  const files = await filesOf('quick-start-files.md')
  const { 'src/sw.ts': worker = '', [`src/${store}.ts`]: transport = '' } = files
  const parts = tusPartBytes === undefined ? '/tus' : `/tus', partBytes: ${tusPartBytes}, name: 'tus`
  return {
    'src/sw.ts': worker.replace(`'./ipfs'`, `'./${store}'`),
    [`src/${store}.ts`]: transport.replace('https://store.example', server).replace(/(?<=\d)\/tus/, parts),
  }
}

/** An app in an empty folder, from the packed library, built by the quick start's own settings. */
export async function builtApp(
  folder: string,
  store: StoreName,
  server: string,
  { main = MAIN, tusPartBytes }: { readonly main?: string; readonly tusPartBytes?: number } = {},
) {
  const { 'vite.config.ts': config = '' } = await filesOf('quick-start.md')
  const files: Files = {
    'vite.config.ts': config,
    'index.html': PAGE,
    'src/main.ts': main,
    'src/content.js': `export ${contentOf.toString()}`,
    ...(await workerFor(store, server, tusPartBytes)),
  }
  const app = await makeApp(folder, files, ['vite', 'vite-plugin-pwa', 'workbox-precaching'])
  await build({ root: app, logLevel: 'warn' })
  const site = await preview({ root: app, logLevel: 'warn', preview: { port: 0, host: '127.0.0.1' } })
  const address = site.httpServer.address()
  if (typeof address !== 'object' || address === null) throw new Error('The preview has no address.')
  return { url: `http://127.0.0.1:${address.port}`, close: () => site.close() }
}
