import { describe, expect, it } from 'vitest'
import { MUTATIONS } from './mutations.ts'
import { randomRun } from './random-run.ts'
import { runHistory } from './run-history.ts'

// Promises 1, 2 of docs/guarantees.md.

/** Each is found within this many random histories. */
const BOUND = 300
const SEED = 1

describe('the simulator notices an engine that', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('%s', async (_name, mutation) => {
    for (let run = 0; run < BOUND; run++) {
      const { shrunk } = await randomRun(SEED, run, { mutation, shrinks: false })
      if (shrunk === undefined) continue
      const { failure } = await runHistory(shrunk, { mutation })
      expect(failure).toMatch(mutation.breaks)
      return
    }
    expect.fail(`Not noticed in ${BOUND} histories`)
  })
})
