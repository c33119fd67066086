import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { plantMutations } from './simulate/plant.ts'
import { takesWhole } from './whole.ts'

/** It puts quick stand-ins in the platform's place, for as long as its process lives. */
const SIMULATOR = 'e2e/simulate/**/*.test.ts'

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
          name: 'units',
          include: ['src/**/*.test.ts', 'sw/**/*.test.ts', 'e2e/**/*.test.ts'],
          exclude: [SIMULATOR],
          // A third of the time went into loading the same modules for each file.
          isolate: false,
          setupFiles: ['e2e/leave-no-stubs.ts'],
        },
      },
    ],
  },
})
