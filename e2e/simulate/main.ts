import { Worker } from 'node:worker_threads'
import { describeHistory, type History } from './history.ts'
import { HELP, OptionError, parseOptions, type Options } from './options.ts'
import { SET_BACK_COSTS_MS, SLOWEST_MS, TELLS_WITHIN_MS } from './liveness.ts'
import { randomRun } from './random-run.ts'
import { runHistory } from './run-history.ts'
import { scenarioWith } from './scenario.ts'
import { plus, type Counts, type Progress, type Share } from './share.ts'
import { FROM_THE_BEGINNING, stateFile, type Progressed } from './state-file.ts'

/** Findings that are shown in full; the others are counted. */
const SHOWN = 3
/** Random histories of which the progress is kept together: of more than these, what was run is not run again. */
const BATCH = 10_000
/** Lines of what happened that are shown at the beginning and at the end. */
const SHOWN_LINES = 120
/** Room for a whole history before anything of it is collected: without it, an eighth of the time goes there. */
const YOUNG_MB = 64

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    console.log(HELP)
    return 0
  }
  if (options.deaths !== undefined) {
    const { deaths: moments, laterMs } = options
    return replay(scenarioWith({ moments, laterMs }))
  }
  if (options.run !== undefined) {
    const { shrunk } = await randomRun(options.seed, options.run)
    if (shrunk) return replay(shrunk)
    console.log(`run ${options.run} of seed ${options.seed}: every promise was kept`)
    return 0
  }
  return simulate(options)
}

async function simulate(options: Options): Promise<number> {
  const { seed, runs, json, afresh } = options
  const kept = runs > BATCH ? stateFile(seed) : undefined
  let so = (afresh ? undefined : kept?.load()) ?? FROM_THE_BEGINNING
  if (so.nextRun > 0 && !json) console.log(`goes on from run ${so.nextRun} of seed ${seed}`)
  while (so.nextRun === 0 || so.nextRun < runs) {
    so = await batch(options, so)
    kept?.save(so)
  }

  const { counts, findings } = so
  const failures = findings.length
  const seconds = Number(so.seconds.toFixed(1))
  if (json) console.log(JSON.stringify({ ...counts, seed, failures, seconds }))
  else {
    for (const { replay: how, history } of findings.slice(0, SHOWN)) {
      await replay(history)
      console.log(`replay: npm run simulate -- ${how}\n`)
    }
    console.log(waitsInWords(counts))
    console.log(`${inWords(counts)}, seed ${seed}: ${failures} failures in ${seconds} s`)
  }
  return failures === 0 ? 0 : 1
}

/** The next histories, on all threads; with the first of them every death of the scenario. */
async function batch({ seed, runs, pairs, threads, json }: Options, before: Progressed): Promise<Progressed> {
  const began = performance.now()
  const secondsSoFar = () => before.seconds + (performance.now() - began) / 1_000
  const from = before.nextRun
  const to = Math.min(from + BATCH, runs)
  const findings = [...before.findings]
  let { counts } = before
  let shownAt = secondsSoFar()

  const hear = (progress: Progress) => {
    if ('finding' in progress) findings.push(progress.finding)
    else counts = plus(counts, progress.counts)
    if (json || secondsSoFar() - shownAt < 5) return
    shownAt = secondsSoFar()
    console.log(`${shownAt.toFixed(0).padStart(4)} s  ${inWords(counts)}, ${findings.length} failures`)
  }
  const deaths: Share['deaths'] = from > 0 ? 'none' : pairs ? 'pairs' : 'single'
  const shares = Array.from({ length: threads }, (_none, at) => ({
    at,
    of: threads,
    seed,
    runs: [from, to] as const,
    deaths,
  }))
  await Promise.all(shares.map((share) => inThread(share, hear)))
  return { nextRun: Math.max(to, 1), counts, findings, seconds: secondsSoFar() }
}

const secondsOf = (ms: number) => `${(ms / 1_000).toFixed(0)} s`

/** The longest waits, beside their bounds. */
const waitsInWords = ({ slowness }: Counts) =>
  [
    `confirmed at most ${secondsOf(slowness.visited)} after the last fault where a person comes by (bound ${secondsOf(SLOWEST_MS.visited)}),`,
    `${secondsOf(slowness.open)} where a page is open (bound ${secondsOf(SLOWEST_MS.open)}),`,
    `${secondsOf(slowness.setBack)} with a clock that was set back (${secondsOf(SET_BACK_COSTS_MS)} more);`,
    `what stood was told after ${secondsOf(slowness.untold)} (bound ${secondsOf(TELLS_WITHIN_MS)})`,
  ].join(' ')

const inWords = ({ runs, singles, pairs, steps, kills }: Counts) =>
  `${singles} single deaths, ${pairs} pairs, ${runs} random histories, ${kills} kills, ${steps} steps`

function inThread(share: Share, hear: (progress: Progress) => void): Promise<void> {
  const thread = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: share,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  })
  thread.on('message', hear)
  return new Promise((resolve, reject) => {
    thread.on('error', reject)
    thread.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`A thread ended with ${code}.`))))
  })
}

/** Runs one history again and tells what happened. */
async function replay(history: History): Promise<number> {
  const { lines, failure } = await runHistory(history, { traced: true })
  console.log(describeHistory(history).join('\n'))
  console.log('')
  const cut = lines.length > 2 * SHOWN_LINES
  const shown = cut ? [...lines.slice(0, SHOWN_LINES), '…', ...lines.slice(-SHOWN_LINES)] : lines
  console.log(shown.join('\n'))
  console.log(failure === undefined ? '\nEvery promise was kept.' : `\nBroken: ${failure}`)
  return failure === undefined ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof OptionError)) throw error
  console.error(`${error.message} Try --help.`)
  process.exitCode = 2
}
