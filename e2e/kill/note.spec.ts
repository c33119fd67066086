import { expect, test, LANDING } from '../fixtures.ts'
import { loseCamera, storedNotes } from '../in-page/lose-camera.ts'
import { readBack } from '../read-back.ts'
import { tagOf } from '../test-size.ts'
import { DEATHS, type Death } from './deaths.ts'
import { openScene } from './kill-scene.ts'
import { expectWhole } from './outcome.ts'

/** What `.ci/run` takes of them. */
const SAMPLE = new Set(['the worker is stopped', 'the browser is killed'])

// Promises 1, 2, 4 of docs/guarantees.md.
for (const [name, death] of Object.entries<Death>(DEATHS))
  test(
    `a note that was acknowledged is read once, in its place: ${name}`,
    { tag: tagOf(SAMPLE.has(name) && LANDING, true) },
    async ({ stack, launch, shared }) => {
      const browser = death.takesBrowser ? await launch() : shared
      const scene = await openScene({ ...stack, launch, browser }, { timesliceMs: 300 })
      const { tab, backend } = scene
      await tab.record()
      await tab.acknowledged(1)
      await loseCamera(tab.page)
      await expect.poll(() => storedNotes(tab.page), { intervals: [50] }).toBe(1)
      const comeBack = await death.strike(scene)
      const after = (await death.recover(scene, false, comeBack ?? undefined)) ?? browser
      const { pageLives } = death
      if (pageLives) await tab.stop()
      const { name: session } = await expectWhole(scene, { browser: after, pageLives }, 'interrupted')
      const read = await readBack(backend, session, tab.groupKey)
      expect(read.session.notes).toMatchObject([
        { value: { holdfast: 'source', video: 'lost', audio: 'live' } },
      ])
      expect(read.session.notes[0]?.position).toBeGreaterThan(1)
    },
  )
