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
  readonly head: string | undefined
  readonly lastError: string | undefined
}

/** What a page of the app can be asked. */
export interface AppWindow {
  readonly uploadApp: {
    /** Picks the file and uploads it, or what is left of it. Resolves once all of it is confirmed. */
    upload(file: {
      label: string
      sizeBytes: number
      seed: number
      partBytes: number
      group: string
    }): Promise<void>
    told(): Promise<readonly Told[]>
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
const connected = connect({ scriptUrl: '/sw.js', type: 'classic', scope: '/' })
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
  upload: async (file) => { await (await begin(file)).done },
  told: async () => (await sessions()).map(({ labels, name, ending, upload, anchor, lastError }) => ({
    label: labels?.label ?? '', name, ending, upload, head: anchor?.address, lastError: lastError?.code,
  })),
} })
`

/** A worker of few lines for each store; `server` is where it is. */
const WORKERS: Readonly<Record<StoreName, (server: string) => string>> = {
  ipfs: (server) => `
import { install, ipfs } from 'holdfast/sw'
install({ transport: ipfs({ endpoint: '${server}' }) })
`,
  tus: (server) => `
import { install } from 'holdfast/sw'
import { tus } from 'holdfast/sw/tus'
install({ transport: tus({ endpoint: '${server}/tus', partBytes: 65536 }) })
`,
  put: (server) => `
import { install } from 'holdfast/sw'
import { presignedPut } from 'holdfast/sw/put'
async function grant(wanted) {
  const response = await fetch('${server}/presign', { method: 'POST', body: JSON.stringify(wanted) })
  if (!response.ok) throw new Error('Sign in again.')
  return response.json()
}
install({ transport: presignedPut({ grant }) })
`,
}

/** An app in an empty folder, from the packed library, built by the quick start's own settings. */
export async function builtApp(folder: string, store: StoreName, server: string, main = MAIN) {
  const { 'vite.config.ts': config = '' } = await filesOf('quick-start.md')
  const files: Files = {
    'vite.config.ts': config,
    'index.html': PAGE,
    'src/main.ts': main,
    'src/content.js': `export ${contentOf.toString()}`,
    'src/sw.ts': `${WORKERS[store](server)}\nvoid self.__WB_MANIFEST\n`,
  }
  const app = await makeApp(folder, files, ['vite', 'vite-plugin-pwa', 'workbox-precaching'])
  await build({ root: app, logLevel: 'warn' })
  const site = await preview({ root: app, logLevel: 'warn', preview: { port: 0, host: '127.0.0.1' } })
  const address = site.httpServer.address()
  if (typeof address !== 'object' || address === null) throw new Error('The preview has no address.')
  return { url: `http://127.0.0.1:${address.port}`, close: () => site.close() }
}
