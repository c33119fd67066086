import { join } from 'node:path'
import { build, createServer, preview } from 'vite'
import type { Endpoints } from './backend/index.ts'
import { repositoryRoot } from './backend/repository-root.ts'

export interface DemoSite {
  readonly url: string
  close(): Promise<void>
}

export interface SiteOptions {
  readonly endpoints: Endpoints
  /** Of the built demo. */
  readonly outDir: string
  /** Source of the worker; default: the demo's own. */
  readonly worker?: string | undefined
  /** 0: any free one. */
  readonly port: number
  /** Vite's development server, which builds as it serves and reloads. */
  readonly dev?: boolean
}

const configFile = join(repositoryRoot(), 'vite.config.ts')
const HOST = '127.0.0.1'

/** Builds the demo for these endpoints and serves it. */
export async function serveDemo({
  endpoints,
  outDir,
  port,
  worker,
  dev = false,
}: SiteOptions): Promise<DemoSite> {
  process.env['HOLDFAST_ENDPOINTS'] = JSON.stringify(endpoints)
  process.env['HOLDFAST_OUT_DIR'] = outDir
  if (worker === undefined) delete process.env['HOLDFAST_WORKER']
  else process.env['HOLDFAST_WORKER'] = worker
  const listen = { host: HOST, port, strictPort: true }
  try {
    if (dev) {
      const server = await createServer({ configFile, server: listen })
      await server.listen()
      return { url: addressOf(server.httpServer?.address()), close: () => server.close() }
    }
    await build({ configFile, logLevel: 'warn' })
    const server = await preview({ configFile, preview: listen, logLevel: 'warn' })
    return { url: addressOf(server.httpServer.address()), close: () => server.close() }
  } catch (error) {
    if (error instanceof Error && error.message.includes(`Port ${port} is already in use`))
      throw new Error(`Port ${port} is taken, and the demo needs it. Choose another with --port.`, {
        cause: error,
      })
    throw error
  }
}

function addressOf(address: unknown): string {
  if (typeof address === 'object' && address !== null && 'port' in address)
    return `http://${HOST}:${address.port}`
  throw new Error('The demo server has no address.')
}
