import { randomUUID } from 'node:crypto'
import type { BrowserContext, Page } from '@playwright/test'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import type { Backend } from '../backend/index.ts'
import { builtScript } from '../built-scripts.ts'
import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { dump } from '../in-page/dump.ts'
import { post, postChunk, startSession } from '../in-page/messages.ts'
import { GRANTED } from './hostile-messages.ts'
import { openApp, serveVersions } from '../update/versions.ts'

// Promise 9 of docs/guarantees.md.

const SEED = 20_260_722

for (const count of [1_000, 10_000])
  test(
    `${count.toLocaleString('en')} hostile messages change no record, and the worker stays awake and answers`,
    { tag: count > 1_000 ? WHOLE : [] },
    async ({ stack, context }) => {
      const { page, victims } = await withEvidence(stack.backend, context)
      const before = await dump(page)
      const heard = stack.backend.ledger.all().length
      const report = await page.evaluate((options) => window.fuzz(options), { seed: SEED, count, victims })
      console.log(JSON.stringify(report))
      await page.evaluate(() => window.app.connect())

      expect(report.sent + report.unsendable).toBe(count)
      expect(report.unanswered).toEqual([])
      expect(
        Object.keys(report.answers)
          .filter((code) => code.startsWith('ok:'))
          .toSorted(),
      ).toEqual(GRANTED.map((type) => `ok:${type}`))
      expect(report.answers['defect']).toBeUndefined()
      expect(report.answers['storage-failed']).toBeUndefined()
      expect(await dump(page)).toEqual(before)
      expect(
        stack.backend.ledger
          .all()
          .slice(heard)
          .map(({ path }) => path),
      ).toEqual([])
    },
  )

// Promise 5 of docs/guarantees.md.
test(
  'evidence is deleted by discard with its confirmation alone, and the custody log keeps a line of it',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { page, victims } = await withEvidence(stack.backend, context)
    const [victim = '', other = ''] = victims
    const before = await dump(page)
    for (const confirm of [undefined, '', 'yes', 'discard', 'DISCARD-UNCONFIRMED'])
      expect(
        await post(page, { holdfast: PROTOCOL_VERSION, type: 'discard', sessionId: victim, confirm }),
      ).toMatchObject({
        ok: false,
        error: { code: 'not-confirmed' },
      })
    expect(await dump(page)).toEqual(before)

    const confirm = 'discard-unconfirmed'
    expect(
      await post(page, { holdfast: PROTOCOL_VERSION, type: 'discard', sessionId: victim, confirm }),
    ).toMatchObject({
      ok: true,
    })
    const after = await dump(page)
    expect(Object.keys(after['sessions'] ?? {})).toEqual([other])
    expect(Object.keys(after['chunks'] ?? {}).filter((id) => id.startsWith(victim))).toEqual([])
    for (const store of ['payloads', 'entries', 'heads'])
      expect(Object.keys(after[store] ?? {}).filter((id) => id.startsWith(victim))).toEqual([])
    expect(Object.keys(before['meta'] ?? {})).toContain(`signing-key:${victim}`)
    expect(Object.keys(after['meta'] ?? {})).not.toContain(`signing-key:${victim}`)
    const logged = Object.entries(after['log'] ?? {}).filter(([line]) => !(line in (before['log'] ?? {})))
    expect(logged.flatMap(([, lines]) => JSON.parse(lines))).toMatchObject([
      { event: 'discarded', sessionId: victim },
    ])
  },
)

/**
 * Two paused sessions with bytes that wait, one of them sent before and its outcome unknown. Uploads are off, so nothing
 * is under way, whose end or timeout would change a record while nobody does anything.
 */
async function withEvidence(
  backend: Backend,
  context: BrowserContext,
): Promise<{ page: Page; victims: string[] }> {
  const app = await serveVersions(backend.endpoints)
  const page = await openApp(context, app)
  await page.addScriptTag({ content: await builtScript('hostile/fuzz.ts') })
  await page.evaluate(() => window.app.connect())
  const upload = backend.faults.add({ service: 'ipfs', kind: 'hold' })
  const victims = [randomUUID(), randomUUID()]
  for (const sessionId of victims) {
    await startSession(page, sessionId)
    for (let index = 0; index < 4; index++)
      expect(await postChunk(page, { sessionId, index, sizeBytes: 1_000, fill: index })).toMatchObject({
        ok: true,
      })
    await upload.arrived
    await post(page, { holdfast: PROTOCOL_VERSION, type: 'pause', sessionId })
  }
  await page.evaluate(async () => (await window.app.connect()).setPolicy('paused'))
  const drains = () =>
    page.evaluate(async () => {
      const { held = [], pending = [] } = await navigator.locks.query()
      return [...held, ...pending].filter(({ name }) => name === `holdfast-drain:${location.origin}/`).length
    })
  await expect.poll(drains).toBe(0)
  return { page, victims }
}
