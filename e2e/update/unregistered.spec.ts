import { transformWithOxc } from 'vite'
import { expect, LANDING, test } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { filesOf } from '../package/app.ts'
import { openApp, serveVersions } from './versions.ts'

// Promise 6 of docs/guarantees.md.
for (const when of ['while its worker uploads', 'while its worker has nothing to do'] as const)
  test(
    `a page whose registration is taken away ${when} goes on with its recording: nothing lost, nothing twice`,
    { tag: LANDING },
    async ({ stack, context }) => {
      const { backend, sinceEntry } = stack
      const app = await serveVersions(backend.endpoints)
      const page = await openApp(context, app)
      const append = (fill: number) => page.evaluate((value) => window.app.append(value), fill)
      const held =
        when === 'while its worker uploads'
          ? backend.faults.add({ service: 'ipfs', match: '/add', kind: 'hold' })
          : undefined
      const id = await page.evaluate(() => window.app.begin(1))
      for (const fill of [2, 3]) await append(fill)
      if (held) await held.arrived
      else await anchored(backend, id, 'recording', 2)

      // As any other script of the origin may, and no more than that.
      const gone = await page.evaluate(() =>
        navigator.serviceWorker.getRegistration().then((registration) => registration?.unregister()),
      )
      expect(gone).toBe(true)
      for (const fill of [4, 5, 6]) expect(await append(fill)).toMatchObject({ index: fill - 2 })
      held?.release()
      await page.evaluate(() => window.app.session?.end())

      const log = await anchored(backend, id, 'complete', 5)
      expect(log.chunks.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4])
      expectNothingTwice(backend, log, sinceEntry)
      await expect
        .poll(() =>
          page.evaluate(async () => (await window.app.holdfast?.sessions())?.map(({ upload }) => upload)),
        )
        .toEqual(['confirmed'])
      await app.close()
    },
  )

test(
  'what the guide takes out of an app is gone from the device, worker and database',
  { tag: LANDING },
  async ({ stack, context }) => {
    const app = await serveVersions(stack.backend.endpoints)
    const page = await openApp(context, app)
    const id = await page.evaluate(() => window.app.begin(1))
    await page.evaluate(() => window.app.append(2))
    await anchored(stack.backend, id, 'recording', 1)
    const left = () =>
      page.evaluate(async () => ({
        databases: (await indexedDB.databases())
          .map(({ name }) => name)
          .filter((name) => name !== 'holdfast-probe'),
        workers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
      }))
    const scope = `${new URL(app.url).origin}/`
    expect(await left()).toEqual({ databases: [`holdfast-2:${scope}`], workers: [scope] })

    const { 'src/take-out.ts': source = '' } = await filesOf('guide.md')
    const { code } = await transformWithOxc(source, 'take-out.ts')
    await page.evaluate(() => window.app.holdfast?.close())
    // What the worker is still doing may bring the database back: a later start of the app takes that away.
    const atEachStart = async () => {
      await page.goto(app.url)
      await page.addScriptTag({ content: code.replace(/^export /m, '') })
      await page.evaluate('takeOut()')
      return left()
    }
    await expect.poll(atEachStart).toEqual({ databases: [], workers: [] })
    await app.close()
  },
)
