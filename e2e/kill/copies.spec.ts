import { expect, test, LANDING } from '../fixtures.ts'
import { anchored } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { STORES } from '../stores.ts'
import { expectWhole } from './outcome.ts'
import { openScene } from './kill-scene.ts'

// Promises 2, 3, 4, 5 of docs/guarantees.md.

test.use({ workerName: 'copies' })

test(
  'the browser is killed once one of two stores has a chunk: each takes each chunk once, and the first is left alone',
  { tag: LANDING },
  async ({ stack, launch }) => {
    const { backend, url, sinceEntry } = stack
    const entries = () => backend.ledger.all().filter(({ id }) => id > sinceEntry)
    const first = await launch()
    const tab = await openDemo(first.context, { url })
    const held = backend.faults.add({ ...STORES.tus, kind: 'hold' })
    await tab.record()
    await held.arrived
    await tab.acknowledged(3)
    const acknowledged = await storedChunks(tab.page)
    expect(acknowledged.map(({ status }) => status)).not.toContain('uploaded')
    const atSecond = new Set(
      entries().flatMap(({ service, method, key }) => (service === 'tus' && method === 'PATCH' ? key : [])),
    )
    expect(atSecond.size).toBeGreaterThan(0)
    await first.kill()
    const killedAt = entries().at(-1)?.id ?? 0
    held.release()

    await launch({ debuggable: false, url: 'about:blank' })
    const log = await anchored(backend, acknowledged[0]?.sessionId ?? '', 'interrupted', acknowledged.length)
    // What is listed and anchored may be on its way yet.
    for (const { cid, index } of log.chunks)
      for (const { service, method } of [STORES.ipfs, STORES.tus]) {
        const sends = () =>
          entries().filter(
            (entry) =>
              entry.changed && entry.key === cid && entry.service === service && entry.method === method,
          ).length
        await expect.poll(sends, `chunk ${index} at ${service}`).toBe(1)
      }
    expect(backend.ledger.duplicates().filter(({ id }) => id > sinceEntry)).toEqual([])
    // What the first store had is neither asked for nor sent to it again, whatever it would say.
    const again = entries().filter(
      ({ id, service, key }) => id > killedAt && service === 'ipfs' && atSecond.has(key ?? ''),
    )
    expect(again).toEqual([])
  },
)

test(
  'one of two stores is down, and the session wants one copy: it is confirmed, and deleted from the device',
  { tag: LANDING },
  async ({ stack, launch, shared: browser }) => {
    const { backend, sinceEntry } = stack
    backend.faults.add({ service: 'tus', kind: 'down' })
    const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300, atLeast: 1 })
    const { tab } = scene
    await tab.record()
    await tab.acknowledged(8)
    await tab.stop()

    await expectWhole(scene, { browser, pageLives: true }, 'complete')
    const asked = backend.ledger.all().filter(({ id, service }) => id > sinceEntry && service === 'tus')
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.filter(({ changed }) => changed)).toEqual([])
  },
)
