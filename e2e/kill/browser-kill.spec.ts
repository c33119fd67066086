import { expect, test, WHOLE, LANDING } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'

test(
  'the browser is killed in mid-upload and started at about:blank: the rest goes up without any page',
  { tag: WHOLE },
  async ({ stack, launch }) => {
    const { backend, url, sinceEntry } = stack
    const first = await launch()
    const tab = await openDemo(first.context, { url })
    const slow = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
    await tab.record()
    await tab.acknowledged(3)
    await slow.arrived
    const acknowledged = await storedChunks(tab.page)
    const id = acknowledged[0]?.sessionId ?? ''
    await first.kill()
    slow.release()

    // As a person's browser starts: no debugger, no page of the app.
    await launch({ debuggable: false, url: 'about:blank' })
    const log = await anchored(backend, id, 'interrupted', acknowledged.length)
    expect(log.chunks.length).toBeGreaterThanOrEqual(acknowledged.length)
    expectNothingTwice(backend, log, sinceEntry)
  },
)

// Promise 4 of docs/guarantees.md.
test(
  'the browser is killed after the store took a chunk and before its answer: it is asked, not sent again',
  { tag: LANDING },
  async ({ stack, launch }) => {
    const { backend, url, sinceEntry } = stack
    const first = await launch()
    const tab = await openDemo(first.context, { url })
    const taken = backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold', hold: 'after' })
    await tab.record()
    await taken.arrived
    await tab.acknowledged(1)
    const acknowledged = await storedChunks(tab.page)
    const id = acknowledged[0]?.sessionId ?? ''
    await first.kill()
    taken.release()

    await launch({ debuggable: false, url: 'about:blank' })
    const log = await anchored(backend, id, 'interrupted', acknowledged.length)
    expectNothingTwice(backend, log, sinceEntry)
    const asked = backend.ledger
      .all()
      .filter(({ path, id: entry }) => path.endsWith('/pin/ls') && entry > sinceEntry)
    expect(asked.length).toBeGreaterThan(0)
  },
)
