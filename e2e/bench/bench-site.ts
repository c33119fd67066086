import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { repositoryRoot } from '../backend/repository-root.ts'
import { shipped } from '../bundle.ts'
import { send, sendPage, sendScript, takeUpload } from './answers.ts'
import type { Measured, PagePlan } from './comparison.ts'

export interface BenchSite {
  url(plan: PagePlan): string
  /** Rejects with what broke in the page. */
  readonly done: Promise<void>
  close(): Promise<void>
}

export interface BenchSiteOptions {
  /** For what the tus server keeps. */
  readonly folder: string
  onMeasured(measured: Measured): void
  /** Bytes that the browser has given to the disk so far. */
  written(): Promise<number>
  /** Time that it has been on the CPU so far, ms. */
  cpuMs(): Promise<number>
}

const SCRIPTS = ['bench-page', 'put-worker', 'tus-worker', 'bare-worker', 'peer-worker']

/** The page, its workers and their stores on one origin, so that both sides have the same connections. */
export async function openBenchSite({
  folder,
  onMeasured,
  written,
  cpuMs,
}: BenchSiteOptions): Promise<BenchSite> {
  const scripts = new Map<string, string>()
  for (const name of SCRIPTS)
    scripts.set(`/${name}.js`, await shipped(join(repositoryRoot(), 'e2e', 'bench', `${name}.ts`)))
  const tus = new Server({
    path: '/tus',
    datastore: new FileStore({ directory: folder }),
    relativeLocation: true,
  })
  let finish = () => {}
  let fail: (error: Error) => void = () => {}
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const script = scripts.get(pathname)
    if (script !== undefined) return sendScript(response, script)
    if (pathname.startsWith('/tus')) return tus.handle(request, response)
    if (pathname.startsWith('/put/')) return takeUpload(request, response)
    if (pathname === '/written') return send(response, String(await written()))
    if (pathname === '/cpu') return send(response, String(await cpuMs()))
    if (pathname === '/') return sendPage(response, 'bench-page')
    const body = await text(request)
    if (pathname === '/measured') onMeasured(JSON.parse(body) as Measured)
    else if (pathname === '/done') finish()
    else if (pathname === '/broken') fail(new Error(`The page broke: ${body}`))
    send(response, '')
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.requestTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    done,
    url: (plan) => `http://localhost:${port}/?plan=${encodeURIComponent(JSON.stringify(plan))}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
