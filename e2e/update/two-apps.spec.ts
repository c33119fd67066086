import { expect, test } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { builtScript, withEndpoints } from '../built-scripts.ts'
import { serve } from '../in-page/serve.ts'

// Promise 1 of docs/guarantees.md.
test('two apps of one origin: the worker of one never sees what the other has recorded', async ({
  stack,
  context,
}) => {
  const { backend, sinceEntry } = stack
  const worker = await builtScript('kill/workers/patient.ts')
  const files = new Map([
    ['/page.js', await builtScript('update/update-page.ts')],
    ['/sw.js', withEndpoints(worker, backend.endpoints)],
    ['/b/sw.js', withEndpoints(worker, { ...backend.endpoints, ipfs: `${backend.endpoints.ipfs}/b` })],
  ])
  const site = await serve(files)
  const page = await context.newPage()
  await page.goto(site.url)
  await page.addScriptTag({ url: '/page.js' })
  const held = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  const id = await page.evaluate(() => window.app.begin(1))
  for (let fill = 1; fill <= 3; fill++) await page.evaluate((value) => window.app.append(value), fill)
  await held.arrived

  const other = await context.newPage()
  await other.goto(`${site.url}/b/`)
  await other.addScriptTag({ url: '/page.js' })
  // While the first is in the middle of its uploads, and holds its lock.
  const seen = await other.evaluate(async () => {
    const holdfast = await window.app.connectTo('/b/sw.js')
    return {
      sessions: await holdfast.sessions(),
      names: (await indexedDB.databases()).map(({ name }) => name),
    }
  })
  expect(seen.sessions).toEqual([])
  expect(seen.names.toSorted()).toEqual([`holdfast-2:${site.url}/`, `holdfast-2:${site.url}/b/`])
  held.release()
  await page.evaluate(() => window.app.session?.end())
  expectNothingTwice(backend, await anchored(backend, id, 'complete', 3), sinceEntry)
  const foreign = backend.ledger.all().filter(({ path, id: at }) => at > sinceEntry && path.includes('/b/'))
  expect(foreign).toEqual([])
  await site.close()
})
