import { test, WHOLE } from '../fixtures.ts'
import type { StoreName } from '../stores.ts'
import { DEATHS, type Death, type DeathName } from './deaths.ts'
import { momentsOver, type Moment, type MomentName } from './moments.ts'
import { expectHeldAt, expectWhole } from './outcome.ts'
import { expectAllSampled, isSampled } from './sample.ts'
import { openScene } from './kill-scene.ts'

/** Every death meets every moment over every store: no combination is impossible, so none is left out. */
export function everyDeathMeetsEveryMoment(stores: readonly StoreName[]): void {
  for (const store of stores) {
    const moments = Object.entries(momentsOver(store)) as [MomentName, Moment][]
    expectAllSampled(
      stores,
      Object.keys(DEATHS),
      moments.map(([name]) => name),
    )
    for (const [deathName, death] of Object.entries(DEATHS) as [DeathName, Death][])
      test.describe(`over ${store}, ${deathName}`, () => {
        test.use({ workerName: store === 'ipfs' ? 'demo' : store })
        for (const [momentName, moment] of moments) {
          const tag = isSampled([store, deathName, momentName]) ? [] : WHOLE
          cell(`${deathName} × ${momentName}`, tag, death, moment)
        }
      })
  }
}

function cell(title: string, tag: string | string[], death: Death, moment: Moment): void {
  test(title, { tag }, async ({ stack, launch, shared }) => {
    const browser = death.takesBrowser ? await launch() : shared
    const scene = await openScene({ ...stack, launch, browser }, moment.witness)
    const hold = await moment.reach(scene)
    if (moment.status !== undefined) await expectHeldAt(scene, moment.status)
    const comeBack = await death.strike(scene)
    await hold.release()
    const after = (await death.recover(scene, moment.ended, comeBack ?? undefined)) ?? browser

    const { pageLives } = death
    if (pageLives && !moment.ended) await scene.witness.stop()
    const ending = pageLives || moment.ended ? 'complete' : 'interrupted'
    await expectWhole(scene, { browser: after, pageLives }, ending)
  })
}
