import type { Capabilities } from '../../src/capabilities.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { expect, test } from './fixtures.ts'

// Promise 8 of docs/guarantees.md.

const CHUNKS = 6
const RECORD = { do: 'record', chunks: CHUNKS, chunkBytes: 64_000, everyMs: 0 } as const

test('hand-off: what is acknowledged is stored in the sound form, uploaded and anchored', async ({
  stage,
}) => {
  const { backend, sinceEntry, site, engine, start } = stage
  const stall = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  await start()
  const id = await site.order(RECORD)
  const forms = await site.order({ do: 'payload-forms' })
  expect(forms).toEqual(Array.from({ length: CHUNKS }, () => engine.expected.payloadForm))
  await site.order({ do: 'end' })
  stall.release()
  const log = await anchored(backend, String(id), 'complete', CHUNKS)
  expectNothingTwice(backend, log, sinceEntry)
})

test('an open page keeps the worker going for longer than it would live alone', async ({ stage }) => {
  const { backend, sinceEntry, site, start } = stage
  // Four rounds of 16 s each: no engine keeps a worker without events for so long.
  backend.faults.add({ service: 'ipfs', match: '/add', kind: 'slow', bytesPerSec: 10_000 })
  await start()
  const id = await site.order({ ...RECORD, chunks: 2 * CHUNKS, chunkBytes: 160_000 })
  await site.order({ do: 'end' })
  const beganMs = Date.now()
  await backend.ledger.waitFor(
    ({ at, changed, durationMs = 0 }) => changed && at + durationMs > beganMs + 50_000,
  )
  const log = await anchored(backend, String(id), 'complete', 2 * CHUNKS)
  expectNothingTwice(backend, log, sinceEntry)
})

// Promise 2 of docs/guarantees.md.
test('tab kill: the next page of the origin is enough, whatever it shows', async ({ stage }) => {
  const { backend, sinceEntry, site, start } = stage
  const down = backend.faults.add({ service: 'ipfs', kind: 'down' })
  await start()
  const id = await site.order(RECORD)
  const gone = site.pageGone()
  await site.order({ do: 'close' })
  await gone
  down.remove()
  site.reopen()
  const log = await anchored(backend, String(id), 'interrupted', CHUNKS)
  expectNothingTwice(backend, log, sinceEntry)
})

// Promise 1 of docs/guarantees.md.
test('browser kill: what was acknowledged survives SIGKILL and goes up at the next visit', async ({
  stage,
}) => {
  const { backend, sinceEntry, site, start } = stage
  const stall = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
  const browser = await start()
  const id = await site.order(RECORD)
  await stall.arrived
  await browser.kill()
  stall.release()
  await start()
  const log = await anchored(backend, String(id), 'interrupted', CHUNKS)
  expectNothingTwice(backend, log, sinceEntry)
})

test('the report says what this engine can promise', async ({ stage }) => {
  const { site, engine, start } = stage
  await start()
  const report = (await site.order({ do: 'capabilities' })) as Capabilities
  expect(report).toMatchObject(engine.expected)
  expect(report.words[0]).toMatch(
    report.backgroundWakes.kind === 'none' ? /only while this app is open/ : /after this page is closed/,
  )
})
