import type { DemoTabOptions } from '../in-page/demo-tab.ts'
import { expect } from '../fixtures.ts'
import { holdDatabaseAt, holdDatabaseAtPage } from '../in-page/database-hold.ts'
import { storedChunks } from '../in-page/stored.ts'
import { A_CHUNK, A_PAGE, STORES, type StoreName } from '../stores.ts'
import type { Hold, Scene } from './kill-scene.ts'

/** A point in a chunk's life at which a death can hit. */
export interface Moment {
  /** The recording has been stopped, so no further chunk wakes the worker. */
  readonly ended: boolean
  /** What a chunk's record says there; undefined where the database itself is held, and was seen to say it. */
  readonly status?: string
  readonly tab: Omit<DemoTabOptions, 'url'>
  /** Brings the engine there; it stays there until the release. */
  reach(scene: Scene): Promise<Hold>
}

/** While the recording goes on; chunks follow each other closely, so that others are always under way too. */
const recordingUntil = (status: string, reach: Moment['reach']): Moment => ({
  ended: false,
  status,
  tab: { timesliceMs: 300 },
  reach,
})

/** In the worker's hands, with one chunk alone: no server sees these states, so the database is held. */
const sealingAs = (status: string): Moment => ({
  ended: false,
  // Long, so that no second chunk is being handed over when the worker is stopped.
  tab: { timesliceMs: 700, seal: 'worker' },
  async reach({ tab }) {
    const hold = holdDatabaseAt(tab.page, status)
    await tab.record()
    await hold.arrived
    await tab.acknowledged(1)
    return hold
  },
})

/** A page of the log is fixed in the database, which is held before anything of it can leave. */
const pageBegan: Moment = {
  ended: false,
  tab: { timesliceMs: 700 },
  async reach({ tab }) {
    const hold = holdDatabaseAtPage(tab.page)
    await tab.record()
    await hold.arrived
    await tab.acknowledged(1)
    return hold
  },
}

/** After the recording was stopped, once a chunk is there: what is held comes before the end of the log. */
const endedUntil = (status: string, holdAt: (scene: Scene) => Promise<Hold>): Moment => ({
  ended: true,
  status,
  tab: { timesliceMs: 300 },
  async reach(scene) {
    const { tab } = scene
    const hold = holdAt(scene)
    await tab.record()
    await tab.acknowledged(2)
    await tab.stop()
    const held = await hold
    await untilOne(scene, status)
    return held
  },
})

const untilOne = ({ tab }: Scene, status: string) =>
  expect
    .poll(async () => (await storedChunks(tab.page)).map((chunk) => chunk.status), { intervals: [50] })
    .toContain(status)

/**
 * The first page of the log, with the first chunk's entry; those that follow wait for it. Sent again, as a worker does
 * after minutes, it is held again before the store has it.
 */
async function holdPage(
  { backend: { faults } }: Scene,
  hold: 'before' | 'after',
  store: StoreName,
): Promise<Hold> {
  const handle = faults.add({ ...STORES[store], content: A_PAGE, kind: 'hold', hold, ...timesOf(hold) })
  await handle.arrived
  return handle
}

/** The first head, as with pages. */
async function holdRelay({ backend: { faults } }: Scene, hold: 'before' | 'after') {
  const handle = faults.add({ service: 'relay', method: 'POST', kind: 'hold', hold, ...timesOf(hold) })
  await handle.arrived
  return handle
}

/** Where the effect is to come, it is to come of none that is made meanwhile. */
const timesOf = (hold: 'before' | 'after') => (hold === 'before' ? {} : { times: 1 })

/**
 * The anchor is in the pool and the answer is not sent; no block is mined before the worker has looked at the chain
 * after the death, so that it must ask the relay again and not merely read.
 */
async function holdAnchored(scene: Scene): Promise<Hold> {
  const { chain, ledger } = scene.backend
  chain.setMining(false)
  const mineOnceLookedAt = async (last: number) => {
    const looked = ledger.waitFor(({ id, key }) => id > last && key === 'eth_blockNumber')
    await looked.catch(() => undefined)
    chain.setMining(true)
  }
  const posting = await holdRelay(scene, 'after')
  return {
    arrived: posting.arrived,
    release() {
      const last = ledger.all().length
      posting.release()
      void mineOnceLookedAt(last)
    },
  }
}

/** The anchor is in a block, but not deep enough, and the worker does not hear of it. */
async function holdDepth(scene: Scene): Promise<Hold> {
  const { faults, chain } = scene.backend
  const posting = await holdRelay(scene, 'before')
  const reading = faults.add({ service: 'chain', match: 'eth_blockNumber', kind: 'hold', times: 1 })
  posting.release()
  await reading.arrived
  await chain.mine()
  return reading
}

async function holdUpload(
  { backend, tab }: Scene,
  hold: 'before' | 'after',
  store: StoreName,
): Promise<Hold> {
  const handle = backend.faults.add({ ...STORES[store], content: A_CHUNK, kind: 'hold', hold, times: 1 })
  await tab.record()
  await handle.arrived
  await tab.acknowledged(2)
  return handle
}

/** The lifecycle of docs/architecture.md, in its order, over one store. */
export const momentsOver = (store: StoreName) =>
  ({
    'captured, raw bytes stored': sealingAs('captured'),
    'hashing in the worker': sealingAs('hashing'),
    'encrypting in the worker': sealingAs('encrypting'),
    'uploading, before the store has it': recordingUntil('uploading', (scene) =>
      holdUpload(scene, 'before', store),
    ),
    'uploading, the store’s answer lost': recordingUntil('uploading', (scene) =>
      holdUpload(scene, 'after', store),
    ),
    'uploaded, a page before its own under way': recordingUntil('uploaded', async (scene) => {
      const page = holdPage(scene, 'before', store)
      await scene.tab.record()
      const held = await page
      await untilOne(scene, 'uploaded')
      return held
    }),
    'page-began, the database held': pageBegan,
    'page-sent, before the store has it': endedUntil('manifesting', (scene) =>
      holdPage(scene, 'before', store),
    ),
    'page-sent, the store’s answer lost': endedUntil('manifesting', (scene) =>
      holdPage(scene, 'after', store),
    ),
    'anchor-sent, before the relay acts': endedUntil('anchoring', (scene) => holdRelay(scene, 'before')),
    'anchor-sent, the relay’s answer lost': endedUntil('anchoring', holdAnchored),
    'anchor-taken, mined but not deep': endedUntil('anchoring', holdDepth),
  }) satisfies Readonly<Record<string, Moment>>

export type MomentName = keyof ReturnType<typeof momentsOver>
