import { HEAD_LABEL } from '../../src/evidence/head.ts'
import { expect } from '../fixtures.ts'
import type { Hold, Scene } from '../kill/kill-scene.ts'
import { expectHeldAt } from '../kill/outcome.ts'
import type { Moment } from '../kill/moments.ts'
import { holdDatabaseAt } from '../in-page/database-hold.ts'
import { storedChunks } from '../in-page/stored.ts'
import { STORES } from '../stores.ts'
import type { HeadStore, SettledScene } from './settled-scene.ts'

/** A point at which a death can hit, in the life of what has settled too. */
export interface SettledMoment extends Omit<Moment, 'reach'> {
  reach(scene: SettledScene): Promise<Hold>
}

const statuses = async ({ tab }: Scene) => (await storedChunks(tab.page)).map(({ status }) => status)

/** After the recording was stopped; what is held comes no sooner than its first head. */
const endedUntil = (
  status: string,
  holdAt: (scene: SettledScene) => Promise<Hold>,
  isReached: (found: readonly string[]) => boolean,
): SettledMoment => ({
  ended: true,
  status,
  tab: { timesliceMs: 300 },
  async reach(scene) {
    const hold = holdAt(scene)
    await scene.tab.record()
    await scene.tab.acknowledged(2)
    await scene.tab.stop()
    const held = await hold
    await expect.poll(async () => isReached(await statuses(scene)), { intervals: [50] }).toBe(true)
    return held
  },
})

/** While a head is on its way to the store. */
const headAt = (store: HeadStore, hold: 'before' | 'after') =>
  endedUntil(
    'anchoring',
    async ({ backend }) => {
      const head = { ...STORES[store], content: HEAD_LABEL, kind: 'hold', hold, times: 1 } as const
      const handle = backend.faults.add(head)
      await handle.arrived
      return handle
    },
    (found) => found.includes('anchoring'),
  )

/** All is confirmed, and the app is being told. */
const toldAt = (holdAt: (scene: SettledScene) => Promise<Hold>) =>
  endedUntil('confirmed', holdAt, (found) => found.every((status) => status === 'confirmed'))

const asked = (when: 'before' | 'after') =>
  toldAt(async ({ app }) => {
    const held = app.hold(when)
    await held.arrived
    return held
  })

/** The app's answer is there, and nothing can be written down nor read. */
const answered: SettledMoment = {
  ended: true,
  tab: { timesliceMs: 300 },
  async reach(scene) {
    const call = await asked('after').reach(scene)
    await expectHeldAt(scene, 'confirmed')
    const database = holdDatabaseAt(scene.tab.page, 'confirmed')
    await database.arrived
    const heard = scene.app.answerHeard()
    await call.release()
    await heard
    return database
  },
}

const nothing = () => {}

/** The app's server is down, so the call waits for another try. */
const refused = toldAt(async ({ app }) => {
  const gone = app.refuse()
  await gone
  return { arrived: gone, release: nothing }
})

/** What comes before the last word is as it is with a chain. */
export const headMoments = (store: HeadStore): Readonly<Record<string, SettledMoment>> => ({
  'head-sent, before the store has it': headAt(store, 'before'),
  'head-sent, the store’s answer lost': headAt(store, 'after'),
})

export const TOLD_MOMENTS: Readonly<Record<string, SettledMoment>> = {
  'the app asked, before it takes it': asked('before'),
  'the app has taken it, its answer lost': asked('after'),
  'the app has answered, not written down': answered,
  'the app has refused, another try to come': refused,
}
