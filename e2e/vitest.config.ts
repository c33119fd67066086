import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['src/**/*.test.ts', 'sw/**/*.test.ts', 'e2e/**/*.test.ts'],
    // A last net for what waits for ever: no test may depend on how fast the machine is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 240_000 } },
    // The slow ones wait, for a silent server above all: more at a time than there are cores.
    maxWorkers: 4,
  },
})
