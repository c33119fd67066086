import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { startBackend, type Backend } from '../backend/index.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { openSite, type Site } from '../lifetime/site.ts'
import { chromiumEngine } from './chromium.ts'
import type { Engine, Running } from './engine.ts'
import { firefoxEngine } from './firefox.ts'
import { webkitEngine } from './webkit.ts'

export const ENGINES = { chromium: chromiumEngine, firefox: firefoxEngine, webkit: webkitEngine } as const

/** One engine with a profile, a backend and a site of its own. */
export interface Stage {
  readonly engine: Engine
  readonly backend: Backend
  readonly site: Site
  /** Starts the engine on the profile, at our page. */
  start(): Promise<Running>
}

export interface Options {
  readonly engineName: keyof typeof ENGINES
}

export const test = base.extend<{ stage: Stage } & Options>({
  engineName: ['chromium', { option: true }],
  stage: async ({ engineName }, use, testInfo) => {
    const engine = ENGINES[engineName]()
    testInfo.skip(engine.found === undefined, `${engine.name} is not installed here: nothing was tested`)
    const folder = join(repositoryRoot(), '.holdfast', 'browsers')
    await mkdir(folder, { recursive: true })
    const root = await mkdtemp(join(folder, `${engineName}-`))
    const backend = await startBackend({
      dataDir: join(root, 'backend'),
      artifactDir: join(folder, 'artifacts'),
      port: 0,
      chainPort: 0,
      blockTimeSec: 1,
    })
    const site = await openSite()
    const running: Running[] = []
    await use({
      engine,
      backend,
      site,
      async start() {
        const browser = await engine.start(
          join(root, 'profile'),
          site.pageUrl({ endpoints: backend.endpoints }),
        )
        running.push(browser)
        return browser
      },
    })
    await Promise.all(running.map((browser) => browser.kill()))
    await site.close()
    await backend.stop()
    await rm(root, { recursive: true, force: true })
  },
})

export { expect } from '@playwright/test'
