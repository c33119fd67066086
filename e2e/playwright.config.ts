import { defineConfig } from '@playwright/test'

/** Real browsers that the tests start and kill themselves; a flake is a bug, so nothing is tried twice. */
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  outputDir: '../.holdfast/e2e/results',
  globalSetup: './global-setup.ts',
  // Last nets for what waits for ever: no test may depend on how fast the machine is.
  timeout: 600_000,
  expect: { timeout: 240_000 },
  fullyParallel: true,
  workers: 3,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
})
