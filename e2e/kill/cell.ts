import { test } from '../fixtures.ts'
import { DEATHS, type Death, type DeathName } from './deaths.ts'
import type { Moment } from './moments.ts'
import { expectHeldAt, expectWhole } from './outcome.ts'
import { openScene } from './scene.ts'

/** Every death meets every moment: no combination is impossible, so none is left out. */
export function everyDeathMeets(moments: Readonly<Record<string, Moment>>): void {
  for (const [deathName, death] of Object.entries(DEATHS) as [DeathName, Death][]) {
    test.describe(deathName, () => {
      for (const [momentName, moment] of Object.entries(moments)) cell(deathName, death, momentName, moment)
    })
  }
}

function cell(deathName: DeathName, death: Death, momentName: string, moment: Moment): void {
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
