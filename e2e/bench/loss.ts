import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildDemo, serveDemo } from '../demo-site.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import { storedTimes, storedUntilMs } from './stored-times.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { NOWHERE } from './nowhere.ts'

const HELP = `Kills Chromium in the middle of recordings, and tells how much video each kill cost.

  node dist/e2e/bench/loss.js [options]

  --runs N       how many kills (default 50)
  --timeslice N  length of a slice, ms (default 1000)`

/** Of a recording, when it is killed: any moment of it is as likely, and of a slice. */
const SHORTEST_MS = 2_500
const LONGEST_MS = 8_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '50' },
      timeslice: { type: 'string', default: '1000' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-loss-'))
  await buildDemo(join(folder, 'demo'))
  const site = await serveDemo({
    endpoints: NOWHERE,
    folder: join(folder, 'demo'),
  })
  const executable = findChromium()
  const lostMs: number[] = []
  try {
    for (let run = 1; run <= Number(values.runs); run++) {
      const ms = await killOnce(join(folder, `profile-${run}`))
      lostMs.push(ms)
      console.log(`${run}: ${ms} ms lost, load ${loadavg()[0]?.toFixed(1)}`)
    }
  } finally {
    await site.close()
    await rm(folder, { recursive: true, force: true })
    report(lostMs)
  }

  async function killOnce(profile: string): Promise<number> {
    const first = await launchBrowser({ executable, profile })
    const tab = await openDemo(first.context, {
      url: site.url,
      timesliceMs: Number(values.timeslice),
    })
    await tab.record()
    await new Promise((resolve) =>
      setTimeout(resolve, SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)),
    )
    const killedAtMs = Date.now()
    await first.kill()
    const second = await launchBrowser({ executable, profile })
    const page = await second.context.newPage()
    await page.goto(`${site.url}/read.html`)
    const [recording] = await storedTimes(page)
    await second.kill()
    await rm(profile, { recursive: true, force: true })
    if (!recording) throw new Error('Nothing of the recording is there.')
    return killedAtMs - storedUntilMs(recording)
  }
}

function report(lostMs: readonly number[]): void {
  const sorted = lostMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]
  console.log(
    `${sorted.length} kills: median ${at(0.5)} ms, 95th percentile ${at(0.95)} ms, most ${at(1)} ms lost; ` +
      `${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`,
  )
}

await main()
