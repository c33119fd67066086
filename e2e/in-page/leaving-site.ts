import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { listen } from '../backend/ports.ts'
import { builtScript } from '../built-scripts.ts'
import type { LeavingFile, LeavingTold } from './leaving-page.ts'

/** What a page told; it waits for the answer. */
export interface Told<What extends keyof LeavingTold> {
  readonly told: LeavingTold[What]
  answer(text?: string): void
}

/** The pages of `leaving-page.ts`, which a person leaves by a link, and comes back to by Back. */
export interface LeavingSite {
  /** The page that uploads this file. */
  urlOf(file: LeavingFile): string
  /** Resolves once a page tells this. */
  hears<What extends keyof LeavingTold>(what: What): Promise<Told<What>>
  close(): Promise<void>
}

const PAGE = '<!doctype html><meta charset="utf-8"><title>Uploads</title><script src="/page.js"></script>'
const AWAY = `<!doctype html><meta charset="utf-8"><title>Away</title><script>
addEventListener('load', async () => {
  await fetch('/tell/away', { method: 'POST', body: '{}' })
  history.back()
})
</script>`

/** Put before the worker: it keeps to itself what it has to tell, from one request of its page to another. */
const MUTABLE = `{
  const { postMessage } = BroadcastChannel.prototype
  let kept
  BroadcastChannel.prototype.postMessage = function (told) {
    const post = () => postMessage.call(this, told)
    if (kept) kept.push(post)
    else post()
  }
  addEventListener('fetch', (event) => {
    const { pathname } = new URL(event.request.url)
    if (pathname !== '/mute' && pathname !== '/unmute') return
    const posts = kept ?? []
    kept = pathname === '/mute' ? posts : undefined
    if (!kept) for (const post of posts) post()
    event.respondWith(new Response())
  })
}
`

/** Serves them without `no-store`, which may keep a page from being put aside for Back. */
export async function serveLeavingSite(worker: string): Promise<LeavingSite> {
  const page = await builtScript('in-page/leaving-page.ts')
  const heard = new Map<string, { readonly told: Promise<Told<never>>; hear(told: Told<never>): void }>()
  const of = (what: string) => {
    let hear: (told: Told<never>) => void = () => undefined
    const told = new Promise<Told<never>>((resolve) => (hear = resolve))
    const found = heard.get(what) ?? { told, hear }
    heard.set(what, found)
    return found
  }
  const texts: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', PAGE],
    '/away': ['text/html', AWAY],
    '/page.js': ['text/javascript', page],
    '/sw.js': ['text/javascript', MUTABLE + worker],
  }
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site')
    const text = texts[pathname]
    if (text) response.writeHead(200, { 'content-type': text[0] }).end(text[1])
    else if (!pathname.startsWith('/tell/')) response.writeHead(404).end()
    else {
      const told = (await json(request)) as never
      of(pathname.slice('/tell/'.length)).hear({ told, answer: (answer = '') => void response.end(answer) })
    }
  })
  const url = `http://127.0.0.1:${await listen(server, { port: 0, wantedBy: 'the site', option: '' })}`
  return {
    urlOf: (file) => `${url}/?${encodeURIComponent(JSON.stringify(file))}`,
    hears: (what) => of(what).told,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
