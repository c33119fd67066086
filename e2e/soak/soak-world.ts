import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { startBackend, type Backend } from '../backend/index.ts'
import { repositoryRoot } from '../backend/repository-root.ts'
import { findChromium } from '../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../driver/real-browser.ts'
import { buildDemo, serveDemo } from '../demo-site.ts'
import { openDemo, type DemoTab, type DemoTabOptions } from '../in-page/demo-tab.ts'
import { unlessLate } from './unless-late.ts'

/** How long an action of a person may take on a loaded machine, ms. */
const ACTION_MS = 15_000

/** Everything that can be killed, and what was recorded in it. */
export interface World {
  readonly backend: Backend
  readonly url: string
  /** Every recording since the last `forget`, its tab alive or not. */
  readonly recordings: DemoTab[]
  /** Tabs that record, or did until they were stopped. */
  readonly tabs: Set<DemoTab>
  /** The browser, started if none runs. Without a debugger it has no page, and the tabs are gone. */
  browser(debuggable?: boolean): Promise<RealBrowser>
  killBrowser(): Promise<void>
  /** Opens a tab and records in it; undefined where that was killed or took too long. */
  record(options: Omit<DemoTabOptions, 'url'>): Promise<DemoTab | undefined>
  /** Any page that is open. */
  anyPage(): Page | undefined
  /** Nothing is recorded any more, and nothing recorded is remembered. */
  forget(): void
  end(): Promise<void>
}

/** Starts a backend, the demo and a browser profile, all of their own. */
export async function openWorld(seed: number): Promise<World> {
  const root = join(repositoryRoot(), '.holdfast', `soak-${seed}`)
  const profile = join(root, 'profile')
  await rm(root, { recursive: true, force: true })
  await mkdir(profile, { recursive: true })
  const backend = await startBackend({
    dataDir: join(root, 'data'),
    port: 0,
    chainPort: 0,
    fresh: true,
    blockTimeSec: 1,
  })
  const folder = join(root, 'demo')
  await buildDemo(folder)
  const site = await serveDemo({ endpoints: backend.endpoints, folder })
  const executable = findChromium(() => undefined)
  const recordings: DemoTab[] = []
  const tabs = new Set<DemoTab>()
  let running: RealBrowser | undefined

  const killBrowser = async () => {
    const dying = running
    running = undefined
    tabs.clear()
    await dying?.kill()
  }
  const browser = async (debuggable = true) => {
    if (running !== undefined && running.debuggable !== debuggable) await killBrowser()
    running ??= await launchBrowser({ executable, profile, debuggable })
    return running
  }

  return {
    backend,
    url: site.url,
    recordings,
    tabs,
    browser,
    killBrowser,
    async record(options) {
      const { context } = await browser()
      const before = new Set(context.pages())
      const open = async () => {
        const tab = await openDemo(context, { url: site.url, ...options })
        recordings.push(tab)
        tabs.add(tab)
        await tab.record()
        return tab
      }
      const tab = await unlessLate(open(), ACTION_MS)
      if (tab !== undefined) return tab
      // Half open: it must not go on recording unseen. What it had acknowledged is remembered.
      const halfOpen = context.pages().filter((page) => !before.has(page))
      for (const tab of tabs) if (halfOpen.includes(tab.page)) tabs.delete(tab)
      await Promise.all(halfOpen.map((page) => unlessLate(page.close(), ACTION_MS)))
      return undefined
    },
    anyPage: () =>
      running?.debuggable === true ? running.context.pages().find((page) => !page.isClosed()) : undefined,
    forget() {
      recordings.length = 0
      tabs.clear()
    },
    async end() {
      await killBrowser()
      await site.close()
      await backend.stop()
      await rm(root, { recursive: true, force: true })
    },
  }
}
