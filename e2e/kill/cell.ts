import { test } from '../fixtures.ts'
import type { StoreName } from '../stores.ts'
import { tagOf } from '../test-size.ts'
import { expectNames } from './covering.ts'
import { DEATHS, type Death } from './deaths.ts'
import { MATRIX, expectAllSampled, isCovering, isSampled } from './matrix.ts'
import { momentsOver, type Moment } from './moments.ts'
import { expectHeldAt, expectWhole } from './outcome.ts'
import { openScene } from './kill-scene.ts'

/** Every death meets every moment over every store; their tags say which run is to have them. */
export function everyDeathMeetsEveryMoment(): void {
  expectAllSampled(MATRIX)
  for (const store of MATRIX.places as readonly StoreName[]) {
    const moments: Readonly<Record<string, Moment>> = momentsOver(store)
    expectNames(MATRIX, DEATHS, moments)
    for (const [deathName, death] of Object.entries<Death>(DEATHS))
      test.describe(`over ${store}, ${deathName}`, () => {
        test.use({ workerName: store === 'ipfs' ? 'demo' : store })
        for (const [momentName, moment] of Object.entries(moments)) {
          const place = [store, deathName, momentName] as const
          const tag = tagOf(isSampled(place), isCovering(place))
          cell(`${deathName} × ${momentName}`, tag, death, moment)
        }
      })
  }
}

function cell(title: string, tag: string[], death: Death, moment: Moment): void {
  test(title, { tag }, async ({ stack, launch, shared }) => {
    const browser = death.takesBrowser ? await launch() : shared
    const scene = await openScene({ ...stack, launch, browser }, moment.tab)
    const hold = await moment.reach(scene)
    if (moment.status !== undefined) await expectHeldAt(scene, moment.status)
    const comeBack = await death.strike(scene)
    await hold.release()
    const after = (await death.recover(scene, moment.ended, comeBack ?? undefined)) ?? browser

    const { pageLives } = death
    if (pageLives && !moment.ended) await scene.tab.stop()
    const ending = pageLives || moment.ended ? 'complete' : 'interrupted'
    await expectWhole(scene, { browser: after, pageLives }, ending)
  })
}
