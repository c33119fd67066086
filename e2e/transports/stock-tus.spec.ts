import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { repositoryRoot } from '../backend/repository-root.ts'
import { BUILT, builtScript } from '../built-scripts.ts'
import { serveDemo } from '../demo-site.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { openDemo } from '../in-page/demo-tab.ts'

/** On an origin of its own; `letRead` is what the guide says to set. */
async function stockServer(folder: string) {
  await mkdir(folder, { recursive: true })
  const script = join(repositoryRoot(), 'dist', 'e2e', 'transports', 'stock-tus-server.js')
  const child = fork(script, [folder], { execArgv: [] })
  const said = async () => String((await once(child, 'message'))[0])
  return {
    endpoint: await said(),
    async letRead() {
      const done = said()
      child.send('let uploads be read')
      await done
    },
    close: () => child.kill(),
  }
}

interface Stored {
  readonly code: string | undefined
  readonly message: string | undefined
  readonly confirmed: number
}

/** How the newest session stands on the disk, past the engine. */
const stored = (page: Page): Promise<Stored> =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open(`holdfast-2:${location.origin}/`)
        opening.addEventListener('error', () => reject(opening.error ?? new Error('IndexedDB failed')))
        opening.addEventListener('success', () => {
          const db = opening.result
          const all = db.transaction('sessions').objectStore('sessions').getAll()
          all.addEventListener('success', () => {
            const { trouble, tally } = all.result[0]
            db.close()
            resolve({
              code: trouble?.error.code,
              message: trouble?.error.message,
              confirmed: tally.confirmed,
            })
          })
        })
      }),
  )

test(
  'a stock server on another origin is told in words, and served once it lets uploads be read',
  { tag: LANDING },
  async ({ backend, context }, info) => {
    const store = await stockServer(info.outputPath('uploads'))
    const site = await serveDemo({
      endpoints: { ...backend.endpoints, tus: store.endpoint },
      folder: join(BUILT, 'demo'),
      worker: await builtScript('kill/workers/tus.ts'),
    })
    const tab = await openDemo(context, { url: site.url, timesliceMs: 1_000 })
    await tab.record()
    await tab.acknowledged(1)
    await expect.poll(async () => (await stored(tab.page)).code).toBe('bad-answer')
    expect((await stored(tab.page)).message).toContain('GET lacks Access-Control-Allow-Origin')
    expect((await stored(tab.page)).confirmed).toBe(0)

    await store.letRead()
    await expect.poll(async () => (await stored(tab.page)).confirmed).toBeGreaterThan(0)
    await site.close()
    store.close()
  },
)
