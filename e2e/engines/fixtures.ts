import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/index.ts'
import { test as base } from '../fixtures.ts'
import { openSite, type Site } from '../lifetime/site.ts'
import { chromiumEngine } from './chromium.ts'
import type { Engine, Running } from './engine.ts'
import { firefoxEngine } from './firefox.ts'
import { webkitEngine } from './webkit.ts'

export const ENGINES = { chromium: chromiumEngine, firefox: firefoxEngine, webkit: webkitEngine } as const

/** One engine with a profile and a site of this test's own, and a backend without faults. */
export interface Stage {
  readonly engine: Engine
  readonly backend: Backend
  /** The ledger's length when the test began. */
  readonly sinceEntry: number
  readonly site: Site
  /** Starts the engine on the profile, at our page. */
  start(): Promise<Running>
}

export interface Options {
  readonly engineName: keyof typeof ENGINES
}

export const test = base.extend<{ stage: Stage } & Options>({
  engineName: ['chromium', { option: true }],
  stage: async ({ engineName, backend, folder }, use, testInfo) => {
    const engine = ENGINES[engineName]()
    testInfo.skip(engine.found === undefined, `${engine.name} is not installed here: nothing was tested`)
    const profile = await mkdtemp(join(folder, `${engineName}-`))
    const site = await openSite()
    const running: Running[] = []
    await use({
      engine,
      backend,
      sinceEntry: backend.ledger.all().length,
      site,
      async start() {
        const browser = await engine.start(profile, site.pageUrl({ endpoints: backend.endpoints }))
        running.push(browser)
        return browser
      },
    })
    await Promise.all(running.map((browser) => browser.kill()))
    await site.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  },
})

export { expect } from '@playwright/test'
