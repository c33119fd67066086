import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser } from '../driver/real-browser.ts'
import { openBenchSite } from './bench-site.ts'
import { COMPARISONS, isLife, type LifeName, type Measured, type PagePlan, type Plan } from './comparison.ts'
import { openLifeSite } from './life-site.ts'
import { measureLives } from './lives.ts'
import { plot } from './plot.ts'
import { report, summary } from './report.ts'
import { rowsOf } from './rows.ts'
import { earlierRuns, FILES, withRun, type Machine, type Run } from './runs.ts'

const HELP = `Compares the engine with the bare browser under it: a Chromium without a debugger, rounds alternating.

  npm run bench [-- options]

  --only NAME   one comparison, may be repeated: ${COMPARISONS.map(({ name }) => name).join(', ')}
  --json        prints what was measured as JSON
  --rounds N    rounds of each comparison (default 5)
  --chunks N    chunks of 3 MiB in a round (default 64)
  --small N     chunks of 64 KiB in a round (default 1000)
  --queued N    chunks that wait for "backlog" and "wake-queued" (default 10000)
  --mib N       of "memory" (default 2048)
  --scaled N    chunks of "scale" (default 20000); half as many of "scale-sessions"
  --write       writes docs/benchmarks.md, .svg and .json; with --only what is measured anew takes the place of what was`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '5' },
      chunks: { type: 'string', default: '64' },
      small: { type: 'string', default: '1000' },
      queued: { type: 'string', default: '10000' },
      mib: { type: 'string', default: '2048' },
      scaled: { type: 'string', default: '20000' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(HELP)
  const names = COMPARISONS.map(({ name }) => name).filter(
    (name) => values.only.length === 0 || (values.only as string[]).includes(name),
  )
  if (names.length < values.only.length)
    throw new Error(`There are only: ${COMPARISONS.map((c) => c.name).join(', ')}`)
  const plan: Plan = {
    rounds: Number(values.rounds),
    chunks: Number(values.chunks),
    smallChunks: Number(values.small),
    queued: Number(values.queued),
    drainedMib: Number(values.mib),
    scaled: Number(values.scaled),
  }
  const measured: Measured[] = []
  const onMeasured = (one: Measured) => {
    measured.push(one)
    if (!values.json) console.log(lineOf(one))
  }
  const ofPage = names.filter((name) => !isLife(name))
  const earlier = await earlierRuns()
  if (ofPage.length > 0) await inPage({ ...plan, names: ofPage }, onMeasured)
  // What takes longer is yet to come, and may not come to its end.
  if (values.write) await writeDown(withRun(earlier, { machine: machineOf(plan), measured }))
  await overLives(names.filter(isLife), plan, onMeasured)
  const run = { machine: machineOf(plan), measured }
  if (values.write) await writeDown(withRun(earlier, run))
  console.log(values.json ? JSON.stringify(run, undefined, 2) : summary(measured))
}

async function writeDown(runs: readonly Run[]): Promise<void> {
  await writeFile(FILES.runs, `${JSON.stringify(runs, undefined, 2)}\n`)
  await writeFile(FILES.document, report(runs))
  await writeFile(FILES.plot, plot(rowsOf(runs.flatMap(({ measured }) => measured))))
}

const lineOf = ({ name, ours, bare, cpuMs }: Measured) =>
  `${name}: ${ours.toFixed(2)}, bare ${bare.toFixed(2)}, ratio ${(ours / bare).toFixed(2)}` +
  (cpuMs ? `; CPU ${cpuMs.ours.toFixed(0)} and ${cpuMs.bare.toFixed(0)} ms` : '')

async function inPage(plan: PagePlan, onMeasured: (measured: Measured) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  let browserPid = 0
  const site = await openBenchSite({
    folder,
    written: () => bytesWritten(browserPid),
    cpuMs: () => timeOnCpu(browserPid),
    onMeasured,
  })
  const browser = await launchBrowser({
    executable: findChromium(),
    profile: join(folder, 'profile'),
    debuggable: false,
    url: site.url(plan),
  })
  browserPid = browser.pid
  try {
    await site.done
  } finally {
    await browser.kill()
    await site.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function overLives(
  names: readonly LifeName[],
  plan: Plan,
  onMeasured: (measured: Measured) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-lives-'))
  const site = await openLifeSite()
  try {
    for await (const one of measureLives(names, plan, site, folder)) onMeasured(one)
  } finally {
    await site.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** What the browser's processes have caused to be sent to the disk, bytes (proc(5), `/proc/pid/io`). */
const bytesWritten = (group: number) =>
  sumOf(group, async (pid) => {
    const io = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '')
    return Number(/^write_bytes: (\d+)/m.exec(io)?.[1] ?? 0)
  })

/** How long the browser's processes have been on the CPU, ms: in ticks of 10 ms, of those that live. */
const timeOnCpu = (group: number) =>
  sumOf(group, async (_pid, stat) => 10 * (Number(stat[11]) + Number(stat[12])))

/** @param of what counts of a process of this group; `stat` is /proc/pid/stat from the state on, without the name */
async function sumOf(group: number, of: (pid: string, stat: readonly string[]) => Promise<number>) {
  let sum = 0
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // After the name, which may have spaces: state, parent, process group.
    const stat = line.slice(line.lastIndexOf(')') + 2).split(' ')
    if (Number(stat[2]) === group) sum += await of(pid, stat)
  }
  return sum
}

function machineOf({ rounds }: Plan): Machine {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repositoryRoot(), encoding: 'utf8' }).trim()
  return {
    browser: execFileSync(findChromium(), ['--version'], { encoding: 'utf8' }).trim(),
    node: process.version,
    cpus: `${cpus().length} × ${cpus()[0]?.model}`,
    load: loadavg()[0] ?? 0,
    commit: git('rev-parse', '--short', 'HEAD'),
    rounds,
  }
}

await main()
