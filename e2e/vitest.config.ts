import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { plantMutations } from './simulate/plant.ts'
import { takesWhole } from './test-size.ts'

/** They put quick stand-ins in the platform's place, for as long as their process lives. */
const SIMULATOR = 'e2e/simulate/**/*.test.ts'
/**
 * Fake servers in fake time: what is asked of crypto is that it is right, and the same each time. Not those that ask for
 * keys of the platform's own, or count moments between its answers. Whole they have the platform's crypto.
 */
const ENGINE = 'sw/engine/!(sessions|drain-worker-death).test.ts'

/** Put their own modules in the place of some (`vi.mock`). Where files share a process, the next may still be given these. */
const MOCKING = ['src/{aborted,client,frozen,options,session}.test.ts', 'sw/adapters/store/idb.test.ts']

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    // A last net for what waits for ever: no test may depend on how fast the machine is. What is whole takes a minute.
    testTimeout: takesWhole() ? 3_000_000 : 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 240_000 } },
    // The slow ones wait, for a silent server above all: more at a time than there are cores.
    maxWorkers: 4,
    // V8 optimises what has run thrice as much as it would wait for otherwise: a process of tests is over before the rest
    // pays. Of the simulator's first hundred histories that saves a third of the time.
    execArgv: ['--interrupt-budget=400000'],
    projects: [
      {
        extends: true,
        plugins: [plantMutations()],
        test: { name: 'simulator', include: [SIMULATOR] },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: [ENGINE],
          isolate: false,
          setupFiles: [...(takesWhole() ? [] : ['sw/testing/use-quick-crypto.ts']), 'e2e/leave-no-stubs.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'units',
          include: ['src/**/*.test.ts', 'sw/**/*.test.ts', 'e2e/**/*.test.ts'],
          exclude: [SIMULATOR, ENGINE, ...MOCKING],
          // A third of the time went into loading the same modules for each file.
          isolate: false,
          setupFiles: ['e2e/leave-no-stubs.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'mocking', include: MOCKING },
      },
    ],
  },
})
