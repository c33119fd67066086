import type { BrowserContext, Page } from '@playwright/test'
import { forceCloseDatabases } from '../in-page/force-close.ts'
import { expect, test, LANDING, WHOLE, type Stack } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { readBack } from '../read-back.ts'
import { openApp, serveVersions } from '../update/versions.ts'

const MIB = 1024 * 1024
/** Bytes above which the recorder of these tests pauses. */
const MAX_WAITING_BYTES = 100_000

/** Lets the origin store so many bytes more than it has now. */
async function limitQuota(page: Page, origin: string, moreBytes: number) {
  const cdp = await page.context().newCDPSession(page)
  const used = await page.evaluate(async () => (await navigator.storage?.estimate())?.usage ?? 0)
  await cdp.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: used + moreBytes })
  return { lift: () => cdp.send('Storage.overrideQuotaForOrigin', { origin }) }
}

test('a device that is full in mid-recording: the page keeps the rest and says so, and the recording goes on', async ({
  stack,
  context,
}) => {
  const { backend, url, sinceEntry } = stack
  // Chromium believes for 30 s what it last found to be free, so before the demo first asks: room for the app's own
  // files, the reserve and a few chunks.
  const quota = await limitQuota(await context.newPage(), url, 4 * MIB + 400_000)
  const tab = await openDemo(context, { url })
  const { page } = tab
  // Nothing is confirmed either, which would make room.
  await backend.pause()
  await tab.record()
  const stalledBy = page.locator('.caption[role=status]')
  await expect(stalledBy).toContainText('The device is full')
  await expect(stalledBy).toContainText('Recording goes on')
  const acks = page.getByTestId('ack-count')
  const captured = async () => Number(await acks.getAttribute('data-captured'))
  const atRefusal = await captured()
  await expect.poll(captured).toBeGreaterThan(atRefusal)

  await quota.lift()
  await backend.unpause()
  await tab.acknowledged(atRefusal + 1)
  await expect(stalledBy).toBeHidden()
  await tab.stop()
  const id = (await tab.session().getAttribute('data-session-id')) ?? ''
  const log = await anchored(backend, id, 'complete', tab.slices.length)
  expect(log.chunks.map(({ index }) => index)).toEqual([...tab.slices.keys()])
  expectNothingTwice(backend, log, sinceEntry)

  const { session } = await readBack(backend, log.name, tab.groupKey)
  expect(Buffer.from(await session.bytes()).equals(Buffer.concat([...tab.slices]))).toBe(true)
})

// Promise 1 of docs/guarantees.md.
for (const seal of ['page', 'worker'] as const)
  test(
    `chunks that are confirmed make room for those that wait in the page, sealed by the ${seal}`,
    { tag: seal === 'worker' ? WHOLE : LANDING },
    ({ stack, context }) => confirmedMakeRoom(stack, context, seal),
  )

/** More chunks than the device has room for: they come in as others are confirmed, and nobody waits for the interval. */
async function confirmedMakeRoom(stack: Stack, context: BrowserContext, seal: 'page' | 'worker') {
  const { backend, sinceEntry } = stack
  const app = await serveVersions(backend.endpoints)
  const page = await openApp(context, app)
  await backend.pause()
  await limitQuota(page, app.url, 4 * MIB + 5 * MIB)
  const id = await page.evaluate((how) => window.app.begin(0, how), seal)
  const acknowledged = await page.evaluate(async () => {
    const { session } = window.app
    const state = { order: [] as number[], refused: 0, all: Promise.resolve([] as unknown[]) }
    const firstRefusal = new Promise<void>((resolve) => {
      const onStalled = () => {
        state.refused++
        resolve()
      }
      state.all = Promise.all(
        Array.from({ length: 14 }, async (_, fill) => {
          const chunk = await session?.append(new Blob([new Uint8Array(500_000).fill(fill)]), { onStalled })
          state.order.push(chunk?.index ?? -1)
        }),
      )
    })
    Object.assign(window, { state })
    await firstRefusal
    return { before: state.order.length, waiting: session?.waiting, stalledBy: session?.stalledBy?.code }
  })
  expect(acknowledged.before).toBeGreaterThan(3)
  expect(acknowledged.before + (acknowledged.waiting ?? 0)).toBe(14)
  expect(acknowledged.stalledBy).toBe('storage-full')

  await backend.unpause()
  await page.evaluate(() => window.app.connect())
  const order = await page.evaluate(async () => {
    const { state } = window as Window & { state?: { order: number[]; all: Promise<unknown> } }
    await state?.all
    return state?.order
  })
  expect(order?.toSorted((a, b) => a - b)).toEqual([...Array(14).keys()])
  await page.evaluate(() => window.app.session?.end())
  expectNothingTwice(backend, await anchored(backend, id, 'complete', 14), sinceEntry)
  await app.close()
}

// Promise 9 of docs/guarantees.md.
test(
  'a recorder whose slices the worker cannot take pauses before the tab grows too large, and goes on when it can',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, sinceEntry } = stack
    const app = await serveVersions(backend.endpoints)
    const page = await openApp(context, app)
    const quota = await limitQuota(page, app.url, 4 * MIB + 200_000)
    const id = await page.evaluate(() => window.app.begin(0))
    await page.evaluate((bytes) => window.app.record(bytes), MAX_WAITING_BYTES)

    // Each of the last is a refusal: time goes by, and nothing is recorded. What was filmed before the pause may still come.
    await page.waitForFunction(() => {
      const last = window.app.progress.slice(-4)
      return last.length === 4 && last.every((each) => each.paused && each.captured === last[0]!.captured)
    })
    const told = await page.evaluate(() =>
      window.app.progress.map(({ captured, waitingBytes, paused, stalledBy }) => ({
        captured,
        waitingBytes,
        paused,
        code: stalledBy?.code,
      })),
    )
    const paused = told.filter((each) => each.paused)
    const sliceBytes = Math.max(
      ...told.map(({ waitingBytes }, at) => waitingBytes - (told[at - 1]?.waitingBytes ?? 0)),
    )
    for (const { waitingBytes, code } of paused) {
      expect(code).toBe('storage-full')
      expect(waitingBytes).toBeGreaterThan(MAX_WAITING_BYTES)
    }
    expect(paused[0]?.waitingBytes).toBeLessThanOrEqual(MAX_WAITING_BYTES + sliceBytes)

    await quota.lift()
    const captured = told.at(-1)?.captured ?? 0
    await page.waitForFunction(
      (count) => window.app.progress.some((each) => each.captured > count + 2),
      captured,
    )
    await page.evaluate(() => window.app.recording?.stop())
    const last = await page.evaluate(() => window.app.progress.at(-1))
    const whole = last?.captured ?? 0
    expect(last).toMatchObject({ waitingBytes: 0, paused: false, acknowledged: whole })
    const log = await anchored(backend, id, 'complete', whole)
    expect(log.chunks.map(({ index }) => index)).toEqual([...Array(whole).keys()])
    expectNothingTwice(backend, log, sinceEntry)
    await app.close()
  },
)

// Promise 8 of docs/guarantees.md.
test(
  'the database is closed by force in mid-recording, twice: the recording goes on, nothing is sent twice',
  { tag: WHOLE },
  async ({ stack, context }) => {
    const { backend, url, sinceEntry } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(2)
    await forceCloseDatabases(context)
    await tab.acknowledged(tab.slices.length + 2)
    await forceCloseDatabases(context)
    await tab.acknowledged(tab.slices.length + 2)
    await tab.page.bringToFront()
    await tab.stop()
    const id = (await tab.session().getAttribute('data-session-id')) ?? ''
    const log = await anchored(backend, id, 'complete', tab.slices.length)
    expect(log.chunks.map(({ index }) => index)).toEqual([...tab.slices.keys()])
    expectNothingTwice(backend, log, sinceEntry)
  },
)
