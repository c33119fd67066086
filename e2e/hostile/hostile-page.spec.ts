import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { repositoryRoot } from '../backend/repository-root.ts'
import type { Backend } from '../backend/index.ts'
import { expect, test, type Launch } from '../fixtures.ts'
import { bundle } from '../page/bundle.ts'
import { dump, type Dump } from '../page/dump.ts'
import { post, postChunk, startSession } from '../page/messages.ts'
import { openApp, serveVersions } from '../update/versions.ts'

// Promise 9 of docs/guarantees.md.

const COUNT = 10_000
const SEED = 20_260_722

test(`${COUNT.toLocaleString('en')} hostile messages change no record, and the worker stays awake and answers`, async ({
  stack,
  launch,
}) => {
  const { page, victims } = await withEvidence(stack.backend, launch)
  const before = await dump(page)
  const heard = stack.backend.ledger.all().length
  const began = Date.now()
  const report = await page.evaluate((options) => window.fuzz(options), { seed: SEED, count: COUNT, victims })
  const hello = page.evaluate(async () => {
    const asked = performance.now()
    await window.app.connect()
    return performance.now() - asked
  })
  expect(await hello).toBeLessThan(10_000)
  console.log(`${JSON.stringify(report)} in ${Date.now() - began} ms`)

  expect(report.sent + report.unsendable).toBe(COUNT)
  expect(report.unanswered).toEqual([])
  // Granted is only what changes nothing.
  expect(
    Object.keys(report.answers)
      .filter((code) => code.startsWith('ok:'))
      .toSorted(),
  ).toEqual(['ok:chunks', 'ok:hello', 'ok:sessions'])
  expect(report.answers['defect']).toBeUndefined()
  expect(report.answers['storage-failed']).toBeUndefined()
  expect(withoutHealth(await dump(page))).toEqual(withoutHealth(before))
  expect(
    stack.backend.ledger
      .all()
      .slice(heard)
      .map(({ path }) => path),
  ).toEqual([])
})

// Promise 5 of docs/guarantees.md.
test('evidence is deleted by discard with its confirmation alone, and the custody log keeps a line of it', async ({
  stack,
  launch,
}) => {
  const { page, victims } = await withEvidence(stack.backend, launch)
  const [victim = '', other = ''] = victims
  const before = await dump(page)
  for (const confirm of [undefined, '', 'yes', 'discard', 'DISCARD-UNCONFIRMED'])
    expect(await post(page, { holdfast: 1, type: 'discard', sessionId: victim, confirm })).toMatchObject({
      ok: false,
      error: { code: 'not-confirmed' },
    })
  expect(withoutHealth(await dump(page))).toEqual(withoutHealth(before))

  const confirm = 'discard-unconfirmed'
  expect(await post(page, { holdfast: 1, type: 'discard', sessionId: victim, confirm })).toMatchObject({
    ok: true,
  })
  const after = await dump(page)
  expect(Object.keys(after['sessions'] ?? {})).toEqual([other])
  expect(Object.keys(after['chunks'] ?? {}).filter((id) => id.startsWith(victim))).toEqual([])
  expect(Object.keys(after['payloads'] ?? {}).filter((id) => id.startsWith(victim))).toEqual([])
  const logged = Object.entries(after['log'] ?? {}).filter(([line]) => !(line in (before['log'] ?? {})))
  expect(logged.map(([, line]) => JSON.parse(line))).toMatchObject([
    { event: 'discarded', sessionId: victim },
  ])
})

/** Two paused sessions with bytes that wait, one of them in mid-upload. */
async function withEvidence(backend: Backend, launch: Launch): Promise<{ page: Page; victims: string[] }> {
  const app = await serveVersions(backend.endpoints)
  const { context } = await launch()
  const page = await openApp(context, app)
  await page.addScriptTag({ content: await bundle(join(repositoryRoot(), 'e2e/hostile/fuzz.ts')) })
  await page.evaluate(() => window.app.connect())
  backend.faults.add({ service: 'ipfs', kind: 'stall' })
  const victims = [randomUUID(), randomUUID()]
  for (const sessionId of victims) {
    await startSession(page, sessionId)
    for (let index = 0; index < 4; index++)
      expect(await postChunk(page, { sessionId, index, sizeBytes: 1_000, fill: index })).toMatchObject({
        ok: true,
      })
    await post(page, { holdfast: 1, type: 'pause', sessionId })
  }
  return { page, victims }
}

/** How the servers are is no evidence; it changes by itself. */
const withoutHealth = ({ meta: _health, ...evidence }: Dump) => evidence
