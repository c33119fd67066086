import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/index.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../driver/real-browser.ts'
import { GONE_FOR_GOOD, test as base } from '../fixtures.ts'
import { openSite, type Site } from './site.ts'

/** A site and a browser profile of this test's own, and a backend without faults. */
export interface Lane {
  readonly backend: Backend
  /** The ledger's length when the test began. */
  readonly sinceEntry: number
  readonly site: Site
  /** Starts Chromium as a user would, without a debugger, so that real limits apply; at `about:blank` by default. */
  start(url?: string, args?: readonly string[]): Promise<RealBrowser>
  /** Decides for the site as a person does in the browser's settings; before the first start, and one thing only. */
  decide(what: 'notifications' | 'background_sync', setting: 'allow' | 'block'): Promise<void>
}

export const test = base.extend<{ lane: Lane }>({
  lane: async ({ backend, folder }, use) => {
    const site = await openSite()
    const profile = await mkdtemp(join(folder, 'profile-'))
    const browsers: RealBrowser[] = []
    await use({
      backend,
      sinceEntry: backend.ledger.all().length,
      site,
      async decide(what, setting) {
        const exceptions = { [what]: { [`${site.origin},*`]: { setting: setting === 'allow' ? 1 : 2 } } }
        await mkdir(join(profile, 'Default'), { recursive: true })
        await writeFile(
          join(profile, 'Default', 'Preferences'),
          JSON.stringify({ profile: { content_settings: { exceptions } } }),
        )
      },
      async start(url = 'about:blank', args = []) {
        const options = { debuggable: false, url, args: ['--disable-popup-blocking', ...args] }
        const browser = await launchBrowser({ executable: findChromium(), profile, ...options })
        browsers.push(browser)
        return browser
      },
    })
    await Promise.all(browsers.map((browser) => browser.kill()))
    await site.close()
    await rm(profile, GONE_FOR_GOOD)
  },
})

export { expect } from '@playwright/test'
