import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { repositoryRoot } from '../backend/repository-root.ts'
import { bundle } from '../bundle.ts'
import type { Plan, Said, WorkerSettings } from './safe-plan.ts'

/** The origin that the browser visits, past any shaped link: serves page and worker, hears what the page tells. */
export interface SafeSite {
  url(plan: Plan, settings: WorkerSettings): string
  /** What pages have told since the last `forget`, oldest first. */
  readonly said: readonly Said[]
  /** Called with each before it is answered. */
  onSaid: (said: Said) => void
  forget(): void
  close(): Promise<void>
}

const SCRIPTS = ['safe-page', 'safe-worker'] as const
export type SafeScript = (typeof SCRIPTS)[number]

const bundled = (name: SafeScript) => bundle(join(repositoryRoot(), 'e2e', 'time-to-safe', `${name}.ts`))

/** @param built gives a script of this folder; bundles it unless told */
export async function openSafeSite(
  built: (name: SafeScript) => Promise<string> = bundled,
): Promise<SafeSite> {
  const scripts = new Map<string, string>()
  for (const name of SCRIPTS) scripts.set(`/${name}.js`, await built(name))
  let said: Said[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const script = scripts.get(pathname)
    if (script !== undefined)
      return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    if (pathname === '/said') {
      const told = (await json(request)) as Said
      said.push(told)
      site.onSaid(told)
      return void response.writeHead(204).end()
    }
    if (pathname !== '/') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<!doctype html><title>Safe</title><script src="/safe-page.js"></script>')
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const site: SafeSite = {
    url: (plan, settings) =>
      `http://localhost:${port}/?${new URLSearchParams({
        plan: JSON.stringify(plan),
        settings: JSON.stringify(settings),
      })}`,
    get said() {
      return said
    },
    onSaid: () => {},
    forget() {
      said = []
      site.onSaid = () => {}
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return site
}
