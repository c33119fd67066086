import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['src/**/*.test.ts', 'sw/**/*.test.ts', 'e2e/**/*.test.ts'],
    testTimeout: 30_000,
    // The slow ones wait, for a silent server above all: more at a time than there are cores.
    maxWorkers: 4,
  },
})
