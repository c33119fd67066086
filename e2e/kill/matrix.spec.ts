import { test } from '../fixtures.ts'
import { DEATHS, type Death, type DeathName } from './deaths.ts'
import { MOMENTS, type Moment, type MomentName } from './moments.ts'
import { expectHeldAt, expectWhole } from './outcome.ts'
import { openScene } from './scene.ts'

// Every death meets every moment: no combination is impossible, so none is left out.
const deaths = Object.entries(DEATHS) as [DeathName, Death][]
const moments = Object.entries(MOMENTS) as [MomentName, Moment][]

for (const [deathName, death] of deaths) {
  test.describe(deathName, () => {
    for (const [momentName, moment] of moments) {
      test(`${deathName} × ${momentName}`, async ({ stack, launch }) => {
        const scene = await openScene(stack, launch, moment.witness)
        const hold = await moment.reach(scene)
        if (moment.status !== undefined) await expectHeldAt(scene, moment.status)
        await death.strike(scene)
        await hold.release()
        const browser = (await death.recover(scene, moment.ended)) ?? scene.browser

        const { pageLives } = death
        if (pageLives && !moment.ended) await scene.witness.stop()
        const ending = pageLives || moment.ended ? 'complete' : 'interrupted'
        await expectWhole(scene, { browser, pageLives }, ending)
      })
    }
  })
}
