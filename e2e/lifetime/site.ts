import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json, text } from 'node:stream/consumers'
import { awaitAtMost } from '../await-at-most.ts'
import type { Endpoints } from '../backend/index.ts'
import { builtScript } from '../built-scripts.ts'
import type { Done, Numbered, Order, Sign } from './orders.ts'

/** How a worker of the lane is set up; it reads this from its address. */
export interface WorkerSettings {
  readonly endpoints: Endpoints
  /** Only the base tag, no schedule: what the schedule is compared with. */
  readonly plain?: boolean
  /** Shorter times for the drain, ms, where the browser's limits are shortened too. */
  readonly budgetsMs?: Readonly<Record<string, number>>
}

/** The origin that the browser visits: serves page and worker, gives the page its orders, hears of births. */
export interface Site {
  /** The page's own origin. */
  readonly origin: string
  /** Our page, with this worker. */
  ownUrl(settings: WorkerSettings): string
  /** Where a browser is sent for a tab with this worker, beside a tab of another origin that stays. */
  pageUrl(settings: WorkerSettings): string
  /** Has an open page do something; waits for a page if there is none. */
  order(order: Order, withinMs?: number): Promise<unknown>
  /** Opens our page again, in a tab that the other origin's opens. */
  reopen(): void
  /** Resolves when an open page goes: its time, ms since the epoch. */
  pageGone(withinMs?: number): Promise<number>
  /** When workers began, ms since the epoch. */
  readonly births: readonly number[]
  /** What workers put up for a person to see, or tried to, oldest first. */
  readonly told: readonly Sign[]
  close(): Promise<void>
}

/** For what never comes, on a machine however slow. */
const LAST_NET_MS = 240_000

/** Opens our page, and again whenever it is told to. */
const BESIDE = `<!doctype html><title>Beside</title><script type="module">
for (;;) {
  open(decodeURIComponent(location.hash.slice(1)))
  while (!(await fetch('/reopen').catch(() => ({ ok: false }))).ok) await new Promise((go) => setTimeout(go, 500))
}
</script>`

/** Serves the lane's page and worker on a free port of this machine. */
export async function openSite(): Promise<Site> {
  const [page, worker] = await Promise.all([
    builtScript('lifetime/lifetime-page.ts'),
    builtScript('lifetime/lifetime-worker.ts'),
  ])
  const births: number[] = []
  const told: Sign[] = []
  const waiting: Numbered[] = []
  const askers = new Set<ServerResponse>()
  const answers = new Map<number, (done: Done) => void>()
  const watchers = new Set<() => void>()
  const reopeners = new Set<ServerResponse>()
  let lastId = 0
  let broken: string | undefined

  const hand = () => {
    for (const asker of askers) {
      const next = waiting.shift()
      if (next === undefined) return
      askers.delete(asker)
      asker.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(next))
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    switch (pathname) {
      case '/':
        response.writeHead(200, { 'content-type': 'text/html' })
        response.end('<!doctype html><title>Lifetime</title><script src="/page.js"></script>')
        return
      case '/beside':
        // Another origin, whose tab keeps the browser open when ours has closed; it cannot have two at its start.
        response.writeHead(200, { 'content-type': 'text/html' })
        response.end(BESIDE)
        return
      case '/reopen':
        reopeners.add(response)
        response.once('close', () => reopeners.delete(response))
        return
      case '/page.js':
      case '/sw.js':
        response.writeHead(200, { 'content-type': 'text/javascript' })
        response.end(pathname === '/sw.js' ? worker : page)
        return
      case '/born':
        births.push(Date.now())
        response.writeHead(204).end()
        return
      case '/told': {
        told.push((await json(request)) as Sign)
        response.writeHead(204).end()
        return
      }
      case '/orders':
        broken = undefined
        askers.add(response)
        response.once('close', () => askers.delete(response))
        hand()
        return
      case '/open':
        response.once('close', () => watchers.forEach((watcher) => watcher()))
        return
      case '/done': {
        const done = (await json(request)) as Done
        response.writeHead(204).end()
        answers.get(done.id)?.(done)
        answers.delete(done.id)
        return
      }
      case '/broken':
        broken = await text(request)
        console.error(`The page broke: ${broken}`)
        response.writeHead(204).end()
        for (const [id, done] of answers) done({ id, error: broken })
        answers.clear()
        return
      default:
        response.writeHead(404).end()
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.requestTimeout = 0
  server.keepAliveTimeout = 1
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  const ownUrl = (settings: WorkerSettings) =>
    `${origin}/?settings=${encodeURIComponent(JSON.stringify(settings))}`

  return {
    births,
    told,
    origin,
    ownUrl,
    pageUrl: (settings) => `http://127.0.0.1:${port}/beside#${encodeURIComponent(ownUrl(settings))}`,
    order(order, withinMs = LAST_NET_MS) {
      if (broken !== undefined) return Promise.reject(new Error(`The page broke: ${broken}`))
      const id = (lastId += 1)
      const done = new Promise<Done>((resolve) => answers.set(id, resolve))
      waiting.push({ id, order })
      hand()
      return awaitAtMost(withinMs, `the page to do "${order.do}"`, done).then(({ value, error }) => {
        if (error !== undefined) throw new Error(`The page could not do "${order.do}": ${error}`)
        return value
      })
    },
    reopen() {
      for (const response of reopeners) response.writeHead(200).end()
    },
    pageGone(withinMs = LAST_NET_MS) {
      const gone = new Promise<void>((resolve) => watchers.add(resolve))
      return awaitAtMost(withinMs, 'the page to go', gone).then(() => Date.now())
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
