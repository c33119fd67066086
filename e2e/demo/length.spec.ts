import type { BrowserContext, Page } from '@playwright/test'
import type { Answers } from '../../src/protocol/messages.ts'
import { nameOf, anchored } from '../backend-oracle.ts'
import { stopWorkers } from '../driver/worker-control.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { expect, test, LANDING, WHOLE, type Launch, type Stack } from '../fixtures.ts'
import { lookIntoFile } from '../in-page/media-file.ts'
import { ask } from '../in-page/messages.ts'
import { loseSource } from '../in-page/sources.ts'
import { openDemo, type DemoTab } from '../in-page/demo-tab.ts'
import { readBack } from '../read-back.ts'

const HOUR_MS = 3_600_000

/** Of a browser that is opened an hour later: its pages and workers, which know no other way, take it from its name. */
const LATER = 'An hour later'

/** Runs in a page, and before all else in a worker: there it is an hour later where the browser is called so. */
function moveClock(later: string, hourMs: number): void {
  if (navigator.userAgent !== later) return
  const { now } = Date
  Date.now = () => now() + hourMs
}

/** The worker has the same clock as its pages. */
const moveWorkersClock = ({ site }: Stack) =>
  site.deploy(`(${String(moveClock)})(${JSON.stringify(LATER)}, ${HOUR_MS});\n${site.worker}`)

async function visitLater(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.addInitScript(
    ({ move, later, hourMs }) => {
      Object.defineProperty(navigator, 'userAgent', { value: later })
      // oxlint-disable-next-line no-eval -- the same as the worker's
      ;(0, eval)(`(${move})`)(later, hourMs)
    },
    { move: String(moveClock), later: LATER, hourMs: HOUR_MS },
  )
  await page.goto(url)
  expect(await page.evaluate(() => Date.now())).toBeGreaterThan(Date.now() + HOUR_MS / 2)
  return page
}

/** In whole seconds, as a person reads it. */
async function shownSeconds(page: Page, id: string): Promise<number> {
  const when = page.locator(`holdfast-status[session-id="${id}"] .when`)
  await expect(when).toContainText(/ · \d\d:\d\d/)
  const [, minutes, seconds] = /(\d\d):(\d\d)(?: ·.*)?$/.exec((await when.textContent()) ?? '') ?? []
  return 60 * Number(minutes) + Number(seconds)
}

interface Told {
  readonly value: Answers['sessions']
}

interface Dying {
  readonly tab: DemoTab
  readonly url: string
  readonly browser: RealBrowser
  readonly launch: Launch
}

interface Death {
  readonly die: (dying: Dying) => Promise<void>
  /** The page in which the recording is seen after its death. */
  readonly visit: (dying: Dying) => Promise<Page>
  readonly ending: 'complete' | 'interrupted'
  readonly isSampled?: boolean
}

const samePage = async ({ tab }: Dying) => tab.page

async function closeTab({ tab: { page } }: Dying): Promise<void> {
  await page.close()
}

async function nextTab({ tab, url }: Dying): Promise<Page> {
  const visit = await tab.page.context().newPage()
  await visit.goto(url)
  return visit
}

/** `npm test` has the one that is the hardest to tell. */
const DEATHS: Readonly<Record<string, Death>> = {
  'Stop was pressed': {
    die: ({ tab }) => tab.stop(),
    visit: samePage,
    ending: 'complete',
  },
  'the tab was closed': { die: closeTab, visit: nextTab, ending: 'interrupted' },
  'its worker was stopped, and then the tab was closed': {
    async die(dying) {
      const { page, slices } = dying.tab
      await stopWorkers(page)
      await dying.tab.acknowledged(slices.length + 1)
      await stopWorkers(page)
      await closeTab(dying)
    },
    visit: nextTab,
    ending: 'interrupted',
  },
  'camera and microphone were lost': {
    async die({ tab: { page } }) {
      await loseSource(page)
      await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')
    },
    visit: samePage,
    ending: 'interrupted',
  },
  'the browser was killed, and nobody noticed for an hour': {
    die: ({ browser }) => browser.kill(),
    async visit({ url, launch }) {
      const later = await launch({ args: [`--user-agent=${LATER}`] })
      return visitLater(later.context, url)
    },
    ending: 'interrupted',
    isSampled: true,
  },
}

for (const [death, { die, visit, ending, isSampled }] of Object.entries(DEATHS))
  test(
    `the length that is shown is no less than that of the file, and no more than what was recorded, also an hour later: ${death}`,
    { tag: isSampled ? LANDING : WHOLE },
    async ({ stack, launch }) => {
      moveWorkersClock(stack)
      const browser = await launch()
      const tab = await openDemo(browser.context, { url: stack.url })
      const beganAtMs = Date.now()
      await tab.record()
      await tab.acknowledged(6)
      const id = (await tab.session().getAttribute('data-session-id')) ?? ''
      const dying = { tab, url: stack.url, browser, launch }
      await die(dying)
      const recordedMs = Date.now() - beganAtMs
      const page = await visit(dying)

      await anchored(stack.backend, id, ending, 6)
      const { proved } = await readBack(stack.backend, await nameOf(stack.backend, id), tab.groupKey)
      const file = Buffer.concat(proved.map(({ plaintext }) => plaintext))
      const { endsAtSeconds } = await lookIntoFile(file)
      await expect(page.locator(`[data-session-id="${id}"][data-upload=confirmed]`)).toHaveCount(1)
      for (const seen of [page, await visitLater(page.context(), stack.url)]) {
        const { value } = (await ask(seen, { type: 'sessions' })) as unknown as Told
        const lengthMs = value.find((one) => one.id === id)?.progress.totalMs ?? 0
        // A recorder is as late with its pictures as its machine is slow: what it was still busy with when it died is in no file.
        expect(lengthMs).toBeGreaterThanOrEqual(1_000 * endsAtSeconds - 500)
        expect(lengthMs).toBeLessThanOrEqual(recordedMs)
        // The last second counts once it is full.
        await expect.poll(() => shownSeconds(seen, id)).toBe(Math.floor(lengthMs / 1_000))
      }
    },
  )
