import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build, createServer } from 'vite'
import type { Endpoints } from './backend/index.ts'
import { freePort } from './backend/ports.ts'
import { repositoryRoot } from './backend/repository-root.ts'
import { withEndpoints } from './built-scripts.ts'
import { serve, type Served } from './in-page/serve.ts'

export interface DemoOptions {
  readonly endpoints: Endpoints
  /** Where `buildDemo` put it. */
  readonly folder: string
  /** Script of another worker than the demo's own. */
  readonly worker?: string | undefined
  /** 0, the default: any free one. */
  readonly port?: number
}

/** The demo on an origin of its own. */
export interface DemoSite extends Served {
  /** From now on the server has this worker. */
  deploy(worker: string): void
  /** The worker that it has. */
  readonly worker: string
}

const configFile = join(repositoryRoot(), 'vite.config.ts')

/** Builds the demo for any endpoints: they are put in as it is served. */
export async function buildDemo(folder: string): Promise<void> {
  process.env['HOLDFAST_ENDPOINTS'] = 'when-served'
  process.env['HOLDFAST_OUT_DIR'] = folder
  await build({ configFile, logLevel: 'warn' })
}

/**
 * Serves the built demo with these endpoints.
 *
 * @throws BackendError `port-taken`
 */
export async function serveDemo({ endpoints, folder, worker, port }: DemoOptions): Promise<DemoSite> {
  const files = new Map<string, string | Uint8Array>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    const content = await readFile(file)
    const path = `/${relative(folder, file).replaceAll('\\', '/')}`
    files.set(path, path.endsWith('.js') ? withEndpoints(content.toString('utf8'), endpoints) : content)
  }
  files.set('/', files.get('/index.html') ?? '')
  const deploy = (script: string) => void files.set('/sw.js', withEndpoints(script, endpoints))
  if (worker !== undefined) deploy(worker)
  const served = await serve(files, port === undefined ? {} : { port })
  return {
    ...served,
    deploy,
    get worker() {
      return String(files.get('/sw.js'))
    },
  }
}

/**
 * Serves the demo from its sources, by Vite's development server, which reloads on changes.
 *
 * @throws BackendError `port-taken`
 */
export async function developDemo(endpoints: Endpoints, port: number): Promise<Served> {
  process.env['HOLDFAST_ENDPOINTS'] = JSON.stringify(endpoints)
  await freePort({ port, wantedBy: 'the demo', option: '--port' })
  const server = await createServer({ configFile, server: { host: '127.0.0.1', port, strictPort: true } })
  await server.listen()
  const address = server.httpServer?.address()
  if (typeof address !== 'object' || address === null) throw new Error('The demo server has no address.')
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() }
}
