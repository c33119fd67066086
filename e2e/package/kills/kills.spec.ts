import { expect, test, WHOLE } from '../../fixtures.ts'
import { STORES } from './app.ts'
import { killUploads } from './kills.ts'

// Promises 1, 2, 4 of docs/guarantees.md. More kills: `node dist/e2e/package/kills/main.js`.

for (const store of STORES)
  test(`an app of the packed library over ${store}: nothing is lost or doubled by six kills ${WHOLE}`, async ({
    browserName: _none,
  }, info) => {
    const folder = info.outputPath('kills')
    const outcome = await killUploads({ store, uploads: 1, kills: 6, seed: 7, folder, log: () => undefined })
    // What Chromium itself threw away is no failure of ours, and is to be seen.
    for (const description of outcome.wiped) info.annotations.push({ type: 'wiped', description })
    expect(outcome).toMatchObject({ lost: [], doubled: [] })
    expect(Object.values(outcome.kills).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(2)
  })
