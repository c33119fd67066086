import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { json } from 'node:stream/consumers'
import { buildDemo, serveDemo } from '../demo-site.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import { leavePending } from '../in-page/pending.ts'
import { median } from './median.ts'
import { NOWHERE } from './nowhere.ts'

const HELP = `Opens the demo over recordings that wait, in a browser without a debugger, and tells how long it took until all of
them were there: cold, as the first page of a browser that was just started, and warm, as its next ones.

  node dist/e2e/bench/glance.js [options]

  --runs N      of each (default 10)
  --sessions N  recordings on their way (default 20)
  --chunks N    of each of them (default 200)`

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10' },
    sessions: { type: 'string', default: '20' },
    chunks: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})
const [runs, sessions, chunks] = [Number(values.runs), Number(values.sessions), Number(values.chunks)]

/** What a page tells: its first load of a browser, or a later one. */
interface Told {
  readonly ms: number
  readonly paintedMs: number
  readonly isCold: boolean
}

/** Runs in each page, before all else: tells when the picture is complete, and loads it again as often as is wanted. */
function probe(told: string, wanted: number, again: number): void {
  const loads = Number(sessionStorage.getItem('loads') ?? '0')
  const isThere = () => {
    const recovery = document.querySelector<HTMLElement>('holdfast-recovery')
    const statuses = [...document.querySelectorAll<HTMLElement>('holdfast-status')]
    const record = document.querySelector('holdfast-recorder')?.shadowRoot?.querySelector('button')
    return (
      recovery?.dataset['pending'] === String(wanted) &&
      statuses.length === wanted &&
      statuses.every(({ dataset }) => dataset['tone']) &&
      record?.disabled === false
    )
  }
  const look = async () => {
    if (!isThere()) return void requestAnimationFrame(() => void look())
    const ms = performance.now()
    // After the frame that shows it.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
    const body = JSON.stringify({ ms, paintedMs: performance.now(), isCold: loads === 0 })
    sessionStorage.setItem('loads', String(loads + 1))
    await fetch(told, { method: 'POST', mode: 'no-cors', body })
    if (loads < again) location.reload()
  }
  if (location.search === '?measure') void look()
}

async function listen() {
  const found: Told[] = []
  let onTold = () => {}
  const server = createServer(async (request, response) => {
    found.push((await json(request)) as Told)
    response.writeHead(204).end()
    onTold()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    found,
    /** Resolves with so many more. */
    async more(count: number): Promise<readonly Told[]> {
      const from = found.length
      while (found.length < from + count) await new Promise<void>((resolve) => (onTold = resolve))
      return found.slice(from)
    },
    close: () => void server.close(),
  }
}

async function main(): Promise<void> {
  if (values.help) return console.log(HELP)
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-glance-'))
  const ears = await listen()
  const demo = join(folder, 'demo')
  await buildDemo(demo)
  const page = join(demo, 'index.html')
  // Under what is precached, so that it is there from the cache, too.
  const script = `<script>(${String(probe)})(${JSON.stringify(ears.url)}, ${sessions}, ${runs})</script>`
  await writeFile(page, (await readFile(page, 'utf8')).replace('<head>', `<head>${script}`))
  const site = await serveDemo({ endpoints: NOWHERE, folder: demo })
  const profile = join(folder, 'profile')
  const executable = findChromium()
  const told: Told[] = []
  try {
    const before = await launchBrowser({ executable, profile })
    const visit = await before.context.newPage()
    await visit.goto(site.url)
    await leavePending(visit, sessions, chunks)
    await before.close()
    for (let run = 0; run < runs; run++) {
      // The first browser also loads it again and again; the others are for their first load.
      const browser = await launchBrowser({
        executable,
        profile,
        debuggable: false,
        url: `${site.url}/?measure`,
      })
      told.push(...(await ears.more(run === 0 ? runs + 1 : 1)))
      await browser.kill()
    }
    const told10 = (isCold: boolean) => told.filter((one) => one.isCold === isCold).map(({ ms }) => ms)
    for (const [name, of] of [
      ['cold', told10(true)],
      ['warm', told10(false)],
    ] as const)
      console.log(
        `${name}: median ${median(of).toFixed(0)} ms of ${of.length} (${of.map((ms) => ms.toFixed(0)).join(', ')})`,
      )
    console.log(
      `${sessions} recordings of ${chunks} pieces; ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`,
    )
  } finally {
    ears.close()
    await site.close()
    await rm(folder, { recursive: true, force: true })
  }
}

await main()
