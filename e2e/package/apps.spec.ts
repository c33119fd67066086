import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, createServer, preview } from 'vite'
import type { Backend } from '../backend/index.ts'
import { listen } from '../backend/ports.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { expect, test, WHOLE } from '../fixtures.ts'
import { typeCheck } from './tarball.ts'
import { filesOf, makeApp, ownLines, type Files } from './app.ts'
import type { Page } from '@playwright/test'

// The quick start's own lines, over the packed library, in an empty folder.

const PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>App</title></head>
  <body><script type="module" src="/src/main.ts"></script></body>
</html>`
const OTHERS = ['vite', 'vite-plugin-pwa', 'workbox-precaching']

/** The files of the quick start, as a person has them, whose server is this backend. */
async function quickStart(backend: Backend): Promise<Files> {
  const files = await filesOf('quick-start.md')
  const worker = files['src/sw.ts'] ?? ''
  const server = /'(http:\S+)'/.exec(worker)?.[1] ?? 'none'
  return { ...files, 'src/sw.ts': worker.replace(server, backend.url), 'index.html': PAGE }
}

interface Site {
  readonly url: string
  close(): Promise<void>
}

async function built(folder: string): Promise<Site> {
  await build({ root: folder, logLevel: 'warn' })
  const server = await preview({ root: folder, logLevel: 'warn', preview: { port: 0, host: '127.0.0.1' } })
  const address = server.httpServer.address()
  if (typeof address !== 'object' || address === null) throw new Error('The preview has no address.')
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() }
}

async function developed(folder: string): Promise<Site> {
  // As a person's shell has it: whatever built something before in this process has set it to `production`.
  const { NODE_ENV } = process.env
  delete process.env['NODE_ENV']
  const server = await createServer({
    root: folder,
    logLevel: 'warn',
    server: { host: '127.0.0.1', port: 0 },
  })
  await server.listen()
  const address = server.httpServer?.address()
  if (typeof address !== 'object' || address === null) throw new Error('The server has no address.')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      await server.close()
      if (NODE_ENV !== undefined) process.env['NODE_ENV'] = NODE_ENV
    },
  }
}

/** What the page of the quick start says of a recording with a chunk in the worker: its id. Called before it is opened. */
function recorded(page: Page): Promise<string> {
  return new Promise((resolve) => {
    page.on('console', (message) => {
      const [name, , , chunks] = message.args()
      const told = Promise.all([name?.jsonValue(), chunks?.jsonValue()]).then(([text, tally]) => {
        const held = Object.values<unknown>(tally ?? {}).some((count) => Number(count) > 0)
        // A session's name begins with its id.
        if (held) resolve(String(text).slice(0, 32))
      })
      // The page may be gone before it has told what it said last.
      told.catch(() => undefined)
    })
  })
}

test('the quick start, built, records; what it handed over outlives its tab', async ({
  backend,
  context,
}, info) => {
  const sinceEntry = backend.ledger.all().length
  const files = await quickStart(backend)
  const { 'index.html': _page, ...own } = files
  expect(ownLines(own)).toBeLessThanOrEqual(40)
  const site = await built(await makeApp(info.outputPath('app'), files, OTHERS))
  const page = await context.newPage()
  const recording = recorded(page)
  await page.goto(site.url)
  const id = await recording
  await page.close()
  const log = await anchored(backend, id, 'interrupted', 1)
  expectNothingTwice(backend, log, sinceEntry)
  await site.close()
})

test(`the quick start, built for a path of its site ${WHOLE}`, async ({ backend, context }, info) => {
  const files = await quickStart(backend)
  const config = files['vite.config.ts']?.replace('defineConfig({', `defineConfig({ base: '/app/',`) ?? ''
  const folder = await makeApp(info.outputPath('app'), { ...files, 'vite.config.ts': config }, OTHERS)
  const site = await built(folder)
  const page = await context.newPage()
  const recording = recorded(page)
  await page.goto(`${site.url}/app/`)
  const id = await recording
  const scope = await page.evaluate(async () => (await navigator.serviceWorker.ready).scope)
  expect(scope).toBe(`${site.url}/app/`)
  await anchored(backend, id, 'complete', 2)
  await site.close()
})

test(`the quick start, served by Vite while it is developed ${WHOLE}`, async ({ backend, context }, info) => {
  const site = await developed(await makeApp(info.outputPath('app'), await quickStart(backend), OTHERS))
  const page = await context.newPage()
  const recording = recorded(page)
  let visits = 0
  page.on('domcontentloaded', () => visits++)
  await page.goto(site.url)
  const id = await recording
  await anchored(backend, id, 'complete', 1)
  // A server that finds the worker's packages late reloads the page, which would end a recording.
  expect(visits).toBe(1)
  await site.close()
})

test(`a worker that vite-plugin-pwa generates, which imports one that esbuild made ${WHOLE}`, async ({
  backend,
  context,
}, info) => {
  const guide = readFileSync(join(repositoryRoot(), 'docs', 'guide.md'), 'utf8')
  const [, plugin = ''] = /`(VitePWA\(\{.*?importScripts.*?\}\))`/.exec(guide) ?? []
  const [, line = ''] = /^npx esbuild (.*)$/m.exec(guide) ?? []
  const files = await quickStart(backend)
  const withoutPrecache = files['src/sw.ts']?.replaceAll(/^.*precache.*$/gim, '') ?? ''
  const config = `import { VitePWA } from 'vite-plugin-pwa'\nexport default { plugins: [${plugin}] }\n`
  const own = { ...files, 'src/sw.ts': withoutPrecache, 'vite.config.ts': config }
  const folder = await makeApp(info.outputPath('app'), own, OTHERS)
  const args = line.replace('public/sw.js', 'public/holdfast-sw.js').split(' ')
  await promisify(execFile)(join(repositoryRoot(), 'node_modules', '.bin', 'esbuild'), args, { cwd: folder })
  const site = await built(folder)
  const page = await context.newPage()
  const recording = recorded(page)
  await page.goto(site.url)
  await anchored(backend, await recording, 'complete', 1)
  await site.close()
})

/** What an app has besides: a precache, and listeners of its own. */
const OWN_LISTENERS = `
self.addEventListener('fetch', (event) => {
  if (new URL(event.request.url).pathname === '/own') event.respondWith(new Response('the app answers'))
})
self.addEventListener('push', (event) => event.waitUntil(Promise.resolve()))
self.addEventListener('message', ({ data, source }) => {
  if (data === 'own') source?.postMessage('the app hears')
})
`

/** The settings of the guide for an app's worker. */
const WORKER_SETTINGS = {
  lib: 'webworker',
  module: 'esnext',
  // workbox's are not, under `exactOptionalPropertyTypes`.
  skipLibCheck: true,
} as const

/** Serves a folder with the strictest policy that works; the worker has that of its own script. */
async function strictSite(folder: string, backend: Backend): Promise<Site> {
  const policies = {
    page: "default-src 'none'; script-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src 'self'",
    worker: `default-src 'none'; connect-src 'self' ${backend.url}`,
  }
  const server = createHttpServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    const name = pathname === '/' ? 'index.html' : pathname.slice(1)
    const file = join(folder, name)
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript' }
    response.setHeader('content-type', types[name.split('.').at(-1) ?? ''] ?? 'text/plain')
    response.setHeader('content-security-policy', name === 'sw.js' ? policies.worker : policies.page)
    response.end(existsSync(file) ? readFileSync(file) : '')
  })
  const port = await listen(server, { port: 0, wantedBy: 'the app', option: '' })
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}

test(`a worker with a precache and listeners of its own, under the strictest policy ${WHOLE}`, async ({
  backend,
  context,
}, info) => {
  const files = await quickStart(backend)
  const worker = `${files['src/sw.ts']}${OWN_LISTENERS}`
  const folder = await makeApp(info.outputPath('app'), { ...files, 'src/sw.ts': worker }, OTHERS)
  await typeCheck(folder, 'src/sw.ts', WORKER_SETTINGS)
  await build({ root: folder, logLevel: 'warn' })
  const site = await strictSite(join(folder, 'dist'), backend)
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) refused.push(message.text())
  })
  const recording = recorded(page)
  await page.goto(site.url)
  const id = await recording
  expect(await page.evaluate(async () => (await fetch('/own')).text())).toBe('the app answers')
  const heard = page.evaluate(
    () =>
      new Promise((resolve) => {
        navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data))
        navigator.serviceWorker.startMessages()
        navigator.serviceWorker.controller?.postMessage('own')
      }),
  )
  expect(await heard).toBe('the app hears')
  await anchored(backend, id, 'complete', 1)
  expect(refused.filter((text) => !text.includes('favicon'))).toEqual([])
  await site.close()
})
