import { expectNames } from '../kill/covering.ts'
import { DEATHS, type Death } from '../kill/deaths.ts'
import { tagOf } from '../test-size.ts'
import { openScene } from '../kill/kill-scene.ts'
import { expectHeldAt } from '../kill/outcome.ts'
import { HEADS, isCovering, isSampled, TELLINGS } from './cells.ts'
import { headMoments, TOLD_MOMENTS, type SettledMoment } from './settled-moments.ts'
import { expectSettled } from './settled-outcome.ts'
import { test, type HeadStore } from './settled-scene.ts'

// Promises 1, 2, 3, 4, 8 of docs/guarantees.md: without a chain, and with an app that hears of what has settled.

const { 'the chain node is killed': _chain, ...deaths } = DEATHS
// The app's server is none of the backend.
const { 'the backend is killed': _backend, ...deathsOfTelling } = deaths

function everyDeathMeets(
  place: string,
  { store, chain }: { readonly store: HeadStore; readonly chain: boolean },
  moments: Readonly<Record<string, SettledMoment>>,
  ways: Readonly<Record<string, Death>>,
): void {
  test.describe(`over ${place}`, () => {
    test.use({ store, chain })
    for (const [deathName, death] of Object.entries(ways))
      for (const [momentName, moment] of Object.entries(moments)) {
        const cell = [place, deathName, momentName] as const
        test(
          `${deathName} × ${momentName}`,
          { tag: tagOf(isSampled(cell), isCovering(cell)) },
          async ({ stack, app, launch, shared }) => {
            const browser = death.takesBrowser ? await launch() : shared
            const scene = { ...(await openScene({ ...stack, launch, browser }, moment.tab)), app }
            const hold = await moment.reach(scene)
            if (moment.status !== undefined) await expectHeldAt(scene, moment.status)
            const comeBack = await death.strike(scene)
            await hold.release()
            const after = (await death.recover(scene, moment.ended, comeBack ?? undefined)) ?? browser

            const { pageLives } = death
            if (pageLives && !moment.ended) await scene.tab.stop()
            const ending = pageLives || moment.ended ? 'complete' : 'interrupted'
            await expectSettled(scene, { browser: after, pageLives, chain }, ending)
          },
        )
      }
  })
}

expectNames(HEADS, deaths, headMoments('ipfs'))
expectNames(TELLINGS, deathsOfTelling, TOLD_MOMENTS)

for (const store of HEADS.places) everyDeathMeets(store, { store, chain: false }, headMoments(store), deaths)
// Whom the app's bytes went to makes no difference to how it hears of them.
everyDeathMeets('put, told', { store: 'put', chain: false }, TOLD_MOMENTS, deathsOfTelling)
everyDeathMeets('a chain and ipfs', { store: 'ipfs', chain: true }, TOLD_MOMENTS, deathsOfTelling)
