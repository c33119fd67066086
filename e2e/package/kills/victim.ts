import { appendFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { findChromium } from '../../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../../driver/real-browser.ts'
import { stopWorkers } from '../../driver/worker-control.ts'
import { unlessLate } from '../../soak/unless-late.ts'
import type { AppFile, AppWindow, Told } from './app.ts'
import { logsIn, type Evidence } from './evidence.ts'
import { logOf } from './leveldb-log.ts'

export const KINDS = ['tab', 'worker', 'browser'] as const
export type Kind = (typeof KINDS)[number]

/** A last net, for a machine however slow. */
export const SETTLES_WITHIN_MS = 1_200_000

declare const window: Window & AppWindow

/** The app in a tab of a real browser, of which any may be killed: what is missing is started for the next question. */
export interface Victim {
  kill(kind: Kind): Promise<void>
  /** A person picks the file, again where a tab died over it; a worker that is stopped leaves its tab at it. */
  pick(file: AppFile): Promise<void>
  /** Whether the tab is at this file. */
  isUnderWay(file: AppFile): Promise<boolean>
  /** What the app tells of its uploads. */
  told(): Promise<readonly Told[]>
  /** The custody log of each session. */
  logs(): Promise<unknown>
  close(): Promise<void>
}

export interface VictimOptions {
  readonly profile: string
  /** Of the app. */
  readonly url: string
  readonly evidence: Evidence
  /** The first browser that is killed dies in the middle of a write to its databases. */
  readonly tears: boolean
  readonly log: (line: string) => void
}

export function newVictim({ profile, url, evidence, tears, log }: VictimOptions): Victim {
  const executable = findChromium(log)
  let browser: RealBrowser | undefined
  let page: Page | undefined
  let isToTear = tears

  async function opened(): Promise<Page> {
    browser ??= await launchBrowser({
      executable,
      profile,
      args: ['--enable-logging=stderr'],
      onSaid: evidence.heard,
    })
    // However busy the machine is: a net, and no measure.
    browser.context.setDefaultTimeout(SETTLES_WITHIN_MS)
    if (page === undefined) {
      page = await browser.context.newPage()
      await page.goto(url)
      await page.waitForFunction(() => 'uploadApp' in window)
      evidence.visited(await page.evaluate(() => window.uploadApp.visit()))
    }
    return page
  }

  async function killBrowser(): Promise<void> {
    const dying = browser
    page = browser = undefined
    await dying?.kill()
  }

  const killers: Readonly<Record<Kind, () => Promise<void>>> = {
    async tab() {
      await page?.close()
      page = undefined
    },
    worker: async () => void (page && (await unlessLate(stopWorkers(page), 5_000))),
    async browser() {
      await killBrowser()
      if (isToTear) tearLog(profile)
      isToTear = false
      evidence.killed()
    },
  }

  return {
    async kill(kind) {
      evidence.note('kills', kind)
      await killers[kind]()
    },
    pick: async (file) =>
      (await opened()).evaluate((asked) => {
        const { underWay, upload } = window.uploadApp
        if (!underWay.has(asked.label)) upload(asked).catch(() => undefined)
      }, file),
    isUnderWay: async ({ label }) =>
      (await opened()).evaluate((asked) => window.uploadApp.underWay.has(asked), label),
    async told() {
      const all = await (await opened()).evaluate(() => window.uploadApp.told())
      evidence.note('told', all)
      return all
    },
    logs: async () => (await opened()).evaluate(() => window.uploadApp.logs()),
    close: killBrowser,
  }
}

/** The log goes on with the head of a record, and nothing follows: its writer died between two writes. */
function tearLog(profile: string): void {
  const [path] = logsIn(profile).at(-1) ?? []
  if (path !== undefined) appendFileSync(path, logOf([new Uint8Array(100)]).subarray(0, 7))
}
