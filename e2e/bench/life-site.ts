import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { repositoryRoot } from '../backend/repository-root.ts'
import { listen } from '../backend/ports.ts'
import { withTimeout } from '../../src/with-timeout.ts'
import { shipped } from '../bundle.ts'
import { send, sendPage, sendScript, takeUpload } from './answers.ts'
import type { Task } from './protocol.ts'

export interface Heard {
  /** By this process's clock. */
  readonly atMs: number
  /** Of an upload: how long its worker had lived when it began, ms. */
  readonly workerMs: number
  /** Whoever marked it goes on only then, where the mark is one that waits. */
  answer(): void
}

/** What is looked at from outside before the page goes on. The others are answered at once: connections are few. */
const WAITS = new Set(['ready', 'thousand'])

/** Serves a page and its workers, takes uploads and hears of what happens, by its own clock. */
export interface LifeSite {
  url(task: Task): string
  /** Uploads that come from now on are not answered, or are again; the clock starts anew for what is heard. */
  hold(isHeld: boolean): void
  /** The next mark of this kind, since the last `hold`. Rejects with what broke in a page. */
  mark(what: 'queued' | 'ready' | 'drained' | 'thousand' | 'streamed'): Promise<Heard>
  /** The first request of an upload since the last `hold`. */
  firstUpload(): Promise<Heard>
  close(): Promise<void>
}

/** Longer than anything that is waited for takes on a slow machine. */
const SILENCE_MS = 10 * 60_000

const SCRIPTS = ['life-page', 'put-worker', 'bare-worker']
const UPLOAD = 'upload'

export async function openLifeSite(): Promise<LifeSite> {
  const scripts = new Map<string, string>()
  for (const name of SCRIPTS)
    scripts.set(`/${name}.js`, await shipped(join(repositoryRoot(), 'e2e', 'bench', `${name}.ts`)))
  let isHeld = false
  let heard = new Map<string, Heard[]>()
  let waiting = new Map<string, (heard: Heard) => void>()
  let fail: (error: Error) => void = () => {}
  const broken = new Promise<never>((_, reject) => (fail = reject))
  broken.catch(() => undefined)

  function hear(what: string, workerMs: number, response?: ServerResponse): void {
    const one: Heard = { atMs: performance.now(), workerMs, answer: () => response?.end() }
    if (!WAITS.has(what)) one.answer()
    const wanted = waiting.get(what)
    waiting.delete(what)
    if (wanted) wanted(one)
    else heard.set(what, [...(heard.get(what) ?? []), one])
  }

  async function next(what: string): Promise<Heard> {
    const [first, ...others] = heard.get(what) ?? []
    heard.set(what, others)
    if (first) return first
    const later = new Promise<Heard>((resolve) => waiting.set(what, resolve))
    const silent = new Error(`Nothing was heard of "${what}" for ${SILENCE_MS / 60_000} min.`)
    return withTimeout(SILENCE_MS, undefined, () => Promise.race([broken, later]), silent)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site')
    const script = scripts.get(pathname)
    if (script !== undefined) return sendScript(response, script)
    if (pathname === '/') return sendPage(response, 'life-page')
    if (pathname.startsWith('/mark/')) return hear(pathname.slice('/mark/'.length), NaN, response)
    if (pathname.startsWith('/put/')) {
      hear(UPLOAD, Number(searchParams.get('at') ?? NaN))
      return isHeld ? undefined : takeUpload(request, response)
    }
    if (pathname === '/broken') fail(new Error(`The page broke: ${await text(request)}`))
    send(response, '')
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  server.requestTimeout = 0
  const port = await listen(server, { port: 0, wantedBy: 'the bench', option: '' })

  return {
    url: (task) => `http://localhost:${port}/?task=${encodeURIComponent(JSON.stringify(task))}`,
    hold(isHeldNow) {
      isHeld = isHeldNow
      heard = new Map()
      waiting = new Map()
    },
    mark: next,
    firstUpload: () => next(UPLOAD),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
