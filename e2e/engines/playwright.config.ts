import { defineConfig } from '@playwright/test'
import { ENGINES, type Options } from './fixtures.ts'

for (const make of Object.values(ENGINES)) {
  const { name, found } = make()
  if (process.env['TEST_WORKER_INDEX'] === undefined)
    console.log(`${name}: ${found ?? 'NOT FOUND, so not tested'}`)
}

/** The same tests in each engine that is installed. */
export default defineConfig<Options>({
  testDir: '.',
  testMatch: '**/*.engines.ts',
  outputDir: '../../.holdfast/engines/results',
  globalSetup: '../global-setup.ts',
  timeout: 600_000,
  expect: { timeout: 240_000 },
  fullyParallel: true,
  workers: 3,
  retries: 0,
  forbidOnly: true,
  reporter: [['list']],
  projects: [
    { name: 'Chromium', use: { engineName: 'chromium' } },
    { name: 'Firefox', use: { engineName: 'firefox' } },
    { name: 'WebKit', use: { engineName: 'webkit' } },
  ],
})
