import { defineConfig } from '@playwright/test'

/** Real time, real limits: each test waits for minutes and computes little, so all run at once. */
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.long.ts',
  outputDir: '../../.holdfast/lifetime/results',
  globalSetup: '../global-setup.ts',
  timeout: 42 * 60_000,
  fullyParallel: true,
  workers: 8,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
})
