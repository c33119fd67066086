import { defineConfig } from '@playwright/test'

/** Real browsers that the tests start and kill themselves; a flake is a bug, so nothing is tried twice. */
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  outputDir: '../.holdfast/e2e/results',
  timeout: 90_000,
  expect: { timeout: 30_000 },
  fullyParallel: true,
  workers: 3,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
})
