import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { openSession } from '../../../src/verify/index.ts'
import { listen } from '../../backend/ports.ts'
import { findChromium } from '../../driver/find-chromium.ts'
import { launchBrowser } from '../../driver/real-browser.ts'
import { builtApp, type StoreName } from './app.ts'
import { contentOf } from './content.ts'
import { openPlace } from './place.ts'
import { memoryOf, type Memory } from './process-memory.ts'

export interface LargeFileOptions {
  readonly store: StoreName
  readonly sizeMiB: number
  /** Default: the library's. */
  readonly partBytes?: number | undefined
  /** Emptied first. */
  readonly folder: string
  readonly log: (line: string) => void
}

export interface LargeFileOutcome {
  readonly start: Memory
  /** The greatest of each, from the start until all is confirmed. */
  readonly peak: Memory
  readonly handedOverMs: number
  readonly doneMs: number
  readonly bytesAreSame: boolean
}

const BLOCK_BYTES = 4 * 1024 * 1024
const SAMPLE_MS = 250

/** The page uploads by itself, since no debugger is attached, which would hold what it has seen. */
const mainOf = (site: string, blocks: number, group: string, partBytes?: number) => `
import { connect } from 'holdfast'
import { upload } from 'holdfast/upload'
import { contentOf } from './content.js'
const tell = (what, more = '') => fetch('${site}/' + what + '?' + more, { method: 'POST' })
async function run() {
  const holdfast = await connect({ scriptUrl: '/sw.js', type: 'classic', scope: '/' })
  const block = new Blob([contentOf(${BLOCK_BYTES}, 5)])
  const file = new File(Array(${blocks}).fill(block), 'large.bin', { lastModified: 1 })
  await tell('start')
  const uploading = upload(holdfast, file, { groups: [{ publicKey: '${group}' }], partBytes: ${partBytes} })
  await uploading.handedOver
  await tell('handed')
  const { anchor } = await uploading.done
  await tell('done', anchor.address)
}
run().catch((error) => tell('failed', encodeURIComponent(String(error))))
`

/** Uploads a large file by the quick start's app in a browser without a debugger, and watches what its processes take. */
export async function uploadLargeFile(options: LargeFileOptions): Promise<LargeFileOutcome> {
  const { store, sizeMiB, partBytes, folder, log } = options
  const place = await openPlace(folder, store, () => Infinity)
  const { privateKey, publicKey, server } = place
  const blocks = Math.ceil((sizeMiB * 1024 * 1024) / BLOCK_BYTES)

  const waiting = new Map<string, (said: string) => void>()
  const heard = (what: string) => new Promise<string>((resolve) => waiting.set(what, resolve))
  const [start, handed, done, failed] = ['start', 'handed', 'done', 'failed'].map(heard)
  let begin = () => {}
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const ear = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    const { pathname, search } = new URL(request.url ?? '/', 'http://ear')
    waiting.get(pathname.slice(1))?.(decodeURIComponent(search.slice(1)))
    if (pathname === '/start') await begun
    response.end()
  })
  const site = `http://127.0.0.1:${await listen(ear, { port: 0, wantedBy: 'the test', option: '' })}`
  const app = await builtApp(join(folder, 'app'), store, server, {
    main: mainOf(site, blocks, publicKey, partBytes),
  })
  const browser = await launchBrowser({
    executable: findChromium(log),
    profile: join(folder, 'profile'),
    debuggable: false,
    url: app.url,
  })
  const broke = failed?.then((said) => Promise.reject(new Error(said)))
  broke?.catch(() => undefined)
  const until = (what: Promise<string> | undefined) => Promise.race([what, broke])

  try {
    await until(start)
    const atStart = await memoryOf(browser.pid)
    let peak = atStart
    const enough = new AbortController()
    const watch = async () => {
      while (!enough.signal.aborted) {
        const now = await memoryOf(browser.pid)
        peak = { renderers: Math.max(peak.renderers, now.renderers), all: Math.max(peak.all, now.all) }
        await new Promise((go) => setTimeout(go, SAMPLE_MS))
      }
    }
    const watched = watch()
    const startedAt = performance.now()
    begin()
    await until(handed)
    const handedOverMs = performance.now() - startedAt
    log(`${store}: handed over after ${Math.round(handedOverMs / 1000)} s`)
    const head = String(await until(done))
    const doneMs = performance.now() - startedAt
    enough.abort()
    await watched
    const over = (part: keyof Memory) => Math.round((peak[part] - atStart[part]) / 1024 / 1024)
    log(
      `${store}: all of it confirmed after ${Math.round(doneMs / 1000)} s; over the start: ${over('renderers')} MiB, all ${over('all')}`,
    )
    await browser.kill()

    const session = await openSession({ head, gateway: server, groupKey: privateKey })
    const hash = createHash('sha256')
    for await (const piece of session.stream() as unknown as AsyncIterable<Uint8Array>) hash.update(piece)
    const expected = hashOfRepeated(contentOf(BLOCK_BYTES, 5), blocks)
    return { start: atStart, peak, handedOverMs, doneMs, bytesAreSame: hash.digest('hex') === expected }
  } finally {
    await browser.kill()
    await app.close()
    const closed = once(ear, 'close')
    ear.close()
    ear.closeAllConnections()
    await closed
    await place.close()
  }
}

/** The hash of a file that is one block again and again. */
function hashOfRepeated(block: Uint8Array, times: number): string {
  const hash = createHash('sha256')
  for (let at = 0; at < times; at++) hash.update(block)
  return hash.digest('hex')
}
