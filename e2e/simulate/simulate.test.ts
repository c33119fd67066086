import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { takesWhole } from '../test-size.ts'
import { histories } from './arbitrary.ts'
import type { Happening, History } from './history.ts'
import { randomRun } from './random-run.ts'
import { runHistory } from './run-history.ts'
import {
  everyDeathAfter,
  HOUR_DAY_WEEK_MS,
  momentsOfScenario,
  scenarioReorganisedAfterwards,
  scenarioReorganisedAt,
  scenarioWith,
} from './scenario.ts'

const SEED = 20_260_101
const RUNS = takesWhole() ? 300 : 30
/** From one moment to the next at which the worker dies. */
const STRIDE = takesWhole() ? 1 : 6
/** Blocks that the chain takes back. */
const DEPTHS = takesWhole() ? Array.from({ length: 64 }, (_none, at) => at + 1) : [1, 2, 3, 8, 32, 64]

/** What scenarios alone have. */
type OfScenarios = 'anchors-judged'

/** What chance lets happen: all else. */
const MADE_BY_CHANCE: Readonly<Record<Exclude<Happening['what']['kind'], OfScenarios>, true>> = {
  'worker-killed': true,
  'worker-updated': true,
  'page-opened': true,
  sync: true,
  'store-forgets': true,
  moved: true,
  'power-lost': true,
  'lock-stolen': true,
  'tab-killed': true,
  paused: true,
  resumed: true,
  'other-content': true,
  discarded: true,
  policy: true,
  reorganised: true,
  carried: true,
  'other-writer': true,
  'bit-rot': true,
  'clock-set': true,
  offline: true,
  busy: true,
  'signed-out': true,
  metered: true,
  'lock-kept': true,
  'disk-full': true,
  'disk-fails': true,
  'disk-slow': true,
  unreadable: true,
  'sealer-hangs': true,
  'store-hangs': true,
  'chain-hangs': true,
  'app-hangs': true,
  'relay-sits': true,
  'relays-sit': true,
  'nodes-lag': true,
}

describe('simulated histories', () => {
  // Promises 2, 3, 4, 8 of docs/guarantees.md.
  it.each([
    ['', true],
    [' where there is no chain', false],
  ])('keep every promise, at whatever moment the worker dies%s', async (_where, anchored) => {
    const moments = await momentsOfScenario(anchored)
    expect(moments).toBeGreaterThan(60)
    for (let moment = 1; moment <= moments; moment += STRIDE)
      for await (const { deaths, ran } of everyDeathAfter(moment, false, anchored)) {
        expect(ran.failure, JSON.stringify(deaths)).toBeUndefined()
        expect(ran.kills, `a death at ${moment}`).toBe(1)
      }
  })

  it(`keep every promise in ${RUNS} histories that chance made`, async () => {
    let kills = 0
    for (let run = 0; run < RUNS; run++) {
      const ran = await randomRun(SEED, run)
      expect(ran.shrunk, `npm run simulate -- --seed ${SEED} --run ${run}`).toBeUndefined()
      kills += ran.kills
    }
    expect(kills).toBeGreaterThan(RUNS)
  })

  it('have every kind of fault among them', () => {
    const made = fc.sample(histories, { seed: SEED, numRuns: 1_000 })
    const kindsOf = (kinds: (history: History) => readonly string[]) =>
      [...new Set(made.flatMap(kinds))].sort()
    expect(kindsOf(({ happenings }) => happenings.map(({ what }) => what.kind))).toEqual(
      Object.keys(MADE_BY_CHANCE).sort(),
    )
    expect(kindsOf(({ requestFaults }) => requestFaults.map(({ fault }) => fault.kind))).toEqual([
      'fails',
      'lies',
      'slow',
    ])
    expect(kindsOf(({ diskFaults }) => diskFaults.map(({ of, how }) => `${of} ${how}`))).toEqual([
      'read fails',
      'read hangs',
      'write commits',
      'write fails',
      'write hangs',
    ])
  })

  it('keep every promise, whenever the chain loses every head', async () => {
    // The last head is deep after 14 s.
    for (let atMs = 0; atMs <= 20_000; atMs += 250) {
      const { failure } = await runHistory(scenarioReorganisedAt(atMs))
      expect(failure, `all blocks are others after ${atMs} ms`).toBeUndefined()
    }
  })

  it('keep every promise, however deep the chain takes back what has settled: the next wake anchors it again', async () => {
    const [hour = 0] = HOUR_DAY_WEEK_MS
    for (const depth of DEPTHS) {
      const { failure } = await runHistory(scenarioReorganisedAfterwards(depth, [hour]))
      expect(failure, `${depth} blocks deep`).toBeUndefined()
    }
  })

  it('keep every promise, where the chain takes back what has settled before each look: after an hour, a day, a week', async () => {
    const { failure } = await runHistory(scenarioReorganisedAfterwards(1, HOUR_DAY_WEEK_MS))
    expect(failure).toBeUndefined()
  })

  it('run the same way again', async () => {
    const history = scenarioWith({ moments: [40, 40], laterMs: 3_000 })
    const jittered = { ...history, jitter: 77 }
    const first = await runHistory(jittered, { traced: true })
    const second = await runHistory(jittered, { traced: true })
    expect(second.lines).toEqual(first.lines)
    expect(first.lines.length).toBeGreaterThan(40)
  })
})
