import { createServer, type Server } from 'node:http'
import { extname } from 'node:path'
import { listen } from '../backend/ports.ts'

export interface Served {
  readonly url: string
  close(): Promise<void>
}

export interface ServeOptions {
  /** 0, the default: any free one. */
  readonly port?: number
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

/**
 * Serves these texts and bytes by path, on this machine alone, looked up anew for each request; whatever else is asked
 * for is an empty page.
 *
 * @throws BackendError `port-taken`
 */
export async function serve(
  files: ReadonlyMap<string, string | Uint8Array>,
  { port = 0 }: ServeOptions = {},
): Promise<Served> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const content = files.get(pathname)
    const type = content === undefined ? 'text/html' : (TYPES[extname(pathname)] ?? 'text/html')
    response.setHeader('content-type', type)
    response.setHeader('cache-control', 'no-store')
    response.end(content ?? '<!doctype html><meta charset="utf-8"><title>Bench</title>')
  })
  const use = { port, wantedBy: 'the demo', option: '--port' }
  return {
    url: `http://127.0.0.1:${await listen(server, use)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
