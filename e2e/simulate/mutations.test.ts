import { afterEach, describe, expect, it, test, vi } from 'vitest'
import type { Cid, Sha256Hex } from '../../src/protocol/ids.ts'
import { startSession } from '../../sw/engine/sessions.ts'
import { sessionView } from '../../sw/core/view.ts'
import { loseRecords } from '../../sw/testing/lose.ts'
import { aStart, createWorld, drainOnce, recordSession, sessionIdOf } from '../../sw/testing/world.ts'
import { ipfs } from '../../sw/adapters/transports/ipfs.ts'
import { sampleOf, takesWhole } from '../test-size.ts'
import type { Happening } from './history.ts'
import { NONE, type Mutation } from './mutation.ts'
import { MUTATIONS } from './mutations.ts'
import { SWITCH } from './plant.ts'
import { randomRun } from './random-run.ts'
import { runHistory } from './run-history.ts'
import { HOUR_DAY_WEEK_MS, scenarioReorganisedAfterwards } from './scenario.ts'
import {
  SHOWN_APART,
  FORGETS_LOSSES,
  FORGETS_OPEN,
  NEVER_COUNTS,
  NEVER_LOOKS_AGAIN,
  PIN_OF_ANOTHER,
  SOURCE_MUTATIONS,
} from './source-mutations.ts'

// Promises 1, 2, 3, 5, 6, 9 of docs/guarantees.md.

/** Each is found within this many random histories. */
const BOUND = 1_000
const SEED = 1

/**
 * The rare ones, and the history that shows them, which is looked at before the others. It only saves time: where another
 * shows it by now, because the engine does other things in other moments, the test says which.
 */
const SHOWN_IN: Readonly<Record<string, number>> = {
  'drains without a lock': 328,
  'lets go of a chunk while its page is asked for': 233,
  'hands a head over again though the newest block shows it': 26,
  'has a lock that its holder takes to its grave': 43,
  'does not ask for a page again whose proof is old': 91,
  'lets go of a chunk whose proof is old': 91,
  'takes any event for one of the page in flight': 88,
  'begins a page while one is in flight': 74,
  'does not tell why a server is left alone': 87,
  'deletes what nobody gave up': 56,
  'believes a relay that takes and never mines': 51,
  'waits ever longer': 44,
  'leaves the intent to send to chance': 43,
  'takes a note that it has once more': 35,
  'believes any time that it stored': 26,
  'concludes by the deep block alone': 23,
  'takes a late event for one that counts': 55,
  'does not count what is parked': 34,
  'never tries a page or a head again that was refused': 21,
  'lets a chunk pay for a failing store': 18,
  'writes the end before the chunks that are to be sealed': 16,
  'never hands over again what a relay has lost': 22,
}
/** A history beyond this is worth a line of it. */
const RARE = 15

/** Histories of each world that are to be whole. */
const WHOLE_RUNS = takesWhole() ? 20 : 5

/** Of those that are planted `npm test` has every ninth; the others are all in it. */
const SAMPLE = sampleOf(sampleOf(SOURCE_MUTATIONS))

const switchOn = (name: string | undefined) => Reflect.set(globalThis, SWITCH, name)

afterEach(() => {
  switchOn(undefined)
  vi.unstubAllGlobals()
})

/** What the oracle says of an engine that is broken in this way. */
async function noticed(
  name: string,
  mutation: Mutation,
  besides: readonly Happening[] = mutation.besides ?? [],
): Promise<string | undefined> {
  const first = SHOWN_IN[name]
  const others = Array.from({ length: BOUND }, (_none, run) => run)
  for (const run of first === undefined ? others : [first, ...others]) {
    const { failure } = await randomRun(SEED, run, { mutation, shrinks: false, besides })
    if (failure === undefined) continue
    if (run !== first && run > RARE) console.log(`SHOWN_IN: '${name}': ${run}`)
    return failure
  }
  return `nothing, in ${BOUND} histories`
}

describe('the simulator notices an engine that', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('%s', async (name, mutation) => {
    expect(await noticed(name, mutation)).toMatch(mutation.breaks)
  })

  it.each(SAMPLE.map((mutation) => [mutation.name, mutation] as const))(
    '%s',
    async (name, { breaks, besides }) => {
      switchOn(name)
      expect(await noticed(name, NONE, besides)).toMatch(breaks)
    },
  )
})

test('the store adapter takes the pin of another key for none, and would not if it were broken', async () => {
  vi.stubGlobal('fetch', async () => Response.json({ Keys: { bafkreianother: { Type: 'recursive' } } }))
  const upload = { cid: 'bafkreiours' as Cid, sha256: '0'.repeat(64) as Sha256Hex, sizeBytes: 3 }
  const attempt = {
    signal: new AbortController().signal,
    saveResumeToken: async () => undefined,
    progress: () => undefined,
  }
  const probe = () => ipfs({ endpoint: 'http://node.test' }).probe(upload, attempt)
  expect((await probe()).kind).toBe('nothing')
  switchOn(PIN_OF_ANOTHER.name)
  expect((await probe()).kind).toMatch(PIN_OF_ANOTHER.breaks)
})

test('the simulator notices an engine that never looks again at what has settled', async () => {
  switchOn(NEVER_LOOKS_AGAIN.name)
  const { failure } = await runHistory(scenarioReorganisedAfterwards(5, HOUR_DAY_WEEK_MS.slice(0, 1)))
  expect(failure).toMatch(NEVER_LOOKS_AGAIN.breaks)
})

test('a start forgets no session that is not settled, and would if it were broken', async () => {
  const afterStart = async () => {
    const world = createWorld()
    const open = await recordSession(world, { number: 1 })
    const record = await world.session(open)
    await world.disk.write(async (tx) => {
      for (let at = 0; at < 210; at++) await tx.putSession({ ...record, id: sessionIdOf(1_000 + at) })
    })
    await startSession(world.worker(), aStart(3))
    return (await world.disk.read((tx) => tx.sessions())).length === 212 ? 'kept' : 'gone'
  }
  expect(await afterStart()).toBe('kept')
  switchOn(FORGETS_OPEN.name)
  expect(await afterStart()).toMatch(FORGETS_OPEN.breaks)
})

describe('a session of which a chunk’s record is lost', () => {
  const afterLoss = async () => {
    const world = createWorld()
    const id = await recordSession(world, { chunks: 3 })
    await loseRecords(world, (_chunk, at) => at === 1)
    await drainOnce(world, world.worker())
    return sessionView(await world.session(id), { bytesOf: () => 0, bytesPerSecond: () => 0 })
  }

  test('comes to an end, and would not if nobody counted', async () => {
    expect((await afterLoss()).upload).toBe('confirmed')
    switchOn(NEVER_COUNTS.name)
    expect((await afterLoss()).upload).toMatch(NEVER_COUNTS.breaks)
  })

  test('is no whole one, and would be if it were forgotten', async () => {
    expect((await afterLoss()).ending).toBe('interrupted')
    switchOn(FORGETS_LOSSES.name)
    expect((await afterLoss()).ending).toMatch(FORGETS_LOSSES.breaks)
  })
})

describe('the simulator finds nothing in an engine that is whole', () => {
  const worlds = new Set(
    [...MUTATIONS, ...SOURCE_MUTATIONS].flatMap(({ besides }) => (besides ? [besides] : [])),
  )
  it.each([...worlds].map((besides) => [besides.length, besides] as const))(
    'with %i things that happen besides',
    async (_count, besides) => {
      for (let run = 0; run < WHOLE_RUNS; run++) {
        expect((await randomRun(SEED, run, { besides, shrinks: false })).failure).toBeUndefined()
      }
    },
  )
})

test('sixty ways to break it are planted', () => {
  expect(MUTATIONS.length + SOURCE_MUTATIONS.length + SHOWN_APART.length).toBeGreaterThanOrEqual(60)
})
