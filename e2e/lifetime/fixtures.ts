import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { startBackend, type Backend } from '../backend/index.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../browser/find-chromium.ts'
import { launchBrowser, type LaunchOptions, type RealBrowser } from '../browser/real-browser.ts'
import { openSite, type Site } from './site.ts'

/** A backend, a site and a browser profile of this test's own. */
export interface Lane {
  readonly backend: Backend
  readonly site: Site
  /** Starts Chromium as a user would, without a debugger, so that real limits apply; at `about:blank` by default. */
  start(url?: string, args?: readonly string[]): Promise<RealBrowser>
  /** The same with a debugger, which can deliver a push. */
  inspect(): Promise<RealBrowser>
  /** Decides for the site as a person does in the browser's settings; before the first start, and one thing only. */
  decide(what: 'notifications' | 'background_sync', setting: 'allow' | 'block'): Promise<void>
}

export const test = base.extend<{ lane: Lane }>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixture's needs from its parameter
  lane: async ({}, use) => {
    const shared = join(repositoryRoot(), '.holdfast', 'lifetime')
    await mkdir(shared, { recursive: true })
    // The minute-long tests and the short ones may run side by side.
    const root = await mkdtemp(join(shared, 'lane-'))
    const backend = await startBackend({
      dataDir: join(root, 'backend'),
      artifactDir: join(shared, 'artifacts'),
      port: 0,
      chainPort: 0,
      blockTimeSec: 1,
    })
    const site = await openSite()
    const profile = join(root, 'profile')
    const browsers: RealBrowser[] = []
    const launch = async (options: Partial<LaunchOptions>) => {
      const browser = await launchBrowser({ executable: findChromium(), profile, ...options })
      browsers.push(browser)
      return browser
    }
    await use({
      backend,
      site,
      async decide(what, setting) {
        const exceptions = { [what]: { [`${site.origin},*`]: { setting: setting === 'allow' ? 1 : 2 } } }
        await mkdir(join(profile, 'Default'), { recursive: true })
        await writeFile(
          join(profile, 'Default', 'Preferences'),
          JSON.stringify({ profile: { content_settings: { exceptions } } }),
        )
      },
      start: (url = 'about:blank', args = []) =>
        launch({ debuggable: false, url, args: ['--disable-popup-blocking', ...args] }),
      inspect: () => launch({}),
    })
    await Promise.all(browsers.map((browser) => browser.kill()))
    await site.close()
    await backend.unpause()
    await backend.stop()
    await rm(root, { recursive: true, force: true })
  },
})

export { expect } from '@playwright/test'
