import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Page } from '@playwright/test'
import { expect, LANDING, test } from '../fixtures.ts'
import { lookAtFirstVisit, lookAtRecording, lookAtRefusals, type Look } from './states.ts'

const THEMES = ['light', 'dark'] as const
const SIZES = [
  [360, 640],
  [390, 844],
  [1280, 800],
] as const

/** Where screenshots of each state go, to be looked at: only where it is asked for. */
const SHOTS = process.env['HOLDFAST_SHOTS']

interface Violation {
  readonly id: string
  readonly nodes: readonly string[]
}

/** What axe (www.deque.com/axe) holds against the page as it is. */
async function violationsOf(page: Page): Promise<readonly Violation[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const { run } = Reflect.get(window, 'axe') as typeof axe
    const { violations } = await run(document, { resultTypes: ['violations'] })
    return violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`),
    }))
  })
}

function looking() {
  const states: string[] = []
  const found: Record<string, readonly Violation[]> = {}
  const look: Look = async (page, state) => {
    states.push(state)
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const violations = await violationsOf(page)
      if (violations.length > 0) found[`${state}, ${colorScheme}`] = violations
      if (SHOTS) await takeShots(page, `${SHOTS}/${state}-${colorScheme}`)
    }
    await expectNoOverflow(page, state)
    await expectWholePicture(page, state)
  }
  return { states, found, look }
}

/** As wide as the smallest phone, and no wider; there with text of twice the size, too (WCAG 2.2, 1.4.4). */
async function expectNoOverflow(page: Page, state: string): Promise<void> {
  const before = page.viewportSize()
  for (const [width, textSize] of [
    [360, ''],
    [320, ''],
    [320, '200%'],
  ] as const) {
    await page.setViewportSize({ width, height: 568 })
    const needed = await page.evaluate((size) => {
      document.documentElement.style.fontSize = size
      const dialog = document.querySelector('dialog[open]')
      const beside = dialog ? dialog.scrollWidth - dialog.clientWidth : 0
      return document.documentElement.scrollWidth + beside
    }, textSize)
    expect(needed, `${state}, text ${textSize}`).toBeLessThanOrEqual(width)
  }
  await page.evaluate(() => document.documentElement.style.removeProperty('font-size'))
  if (before) await page.setViewportSize(before)
}

/** Record and Stop are fixed to a phone's screen; what is recorded is seen whole above them. */
async function expectWholePicture(page: Page, state: string): Promise<void> {
  const recorder = page.locator('holdfast-recorder[data-state=recording]')
  if ((await recorder.count()) === 0) return
  const before = page.viewportSize()
  for (const [width, height] of [...SIZES, [320, 480], [640, 360], [768, 800]] as const) {
    await page.setViewportSize({ width, height })
    const [picture, controls] = await recorder.evaluate(({ shadowRoot }) => {
      scrollTo(0, 0)
      return ['viewfinder', 'controls'].map((part) =>
        shadowRoot!.querySelector(`[part=${part}]`)!.getBoundingClientRect(),
      )
    })
    expect(picture!.bottom, `${state}, ${width} by ${height}`).toBeLessThanOrEqual(controls!.top)
  }
  if (before) await page.setViewportSize(before)
}

async function takeShots(page: Page, name: string): Promise<void> {
  const before = page.viewportSize()
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    await page.screenshot({ path: `${name}-${width}.png` })
    if (await isModal(page)) continue
    // As high as all of it, so that what is fixed to the screen covers nothing.
    const all = await page.evaluate(() => document.documentElement.scrollHeight)
    await page.setViewportSize({ width, height: all })
    await page.screenshot({ path: `${name}-${width}-all.png` })
  }
  if (before) await page.setViewportSize(before)
}

const isModal = (page: Page) => page.evaluate(() => document.querySelector('dialog[open]') !== null)

test.beforeAll(async () => {
  if (SHOTS) await mkdir(join(SHOTS), { recursive: true })
})

test('where nothing can be recorded axe finds nothing, in light and in dark, and nothing is wider than a small phone', async ({
  stack,
  context,
}) => {
  const { states, found, look } = looking()
  await lookAtRefusals(stack, context, look)
  expect(found).toEqual({})
  expect(states).toHaveLength(2)
})

test(
  'in no state of a first visit axe finds anything, in light and in dark',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { states, found, look } = looking()
    await lookAtFirstVisit(stack, context, look)
    expect(found).toEqual({})
    expect(states).toHaveLength(10)
  },
)

test(
  'in no state of a recording axe finds anything, in light and in dark',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { states, found, look } = looking()
    await lookAtRecording(stack, context, look)
    expect(found).toEqual({})
    expect(states).toHaveLength(15)
  },
)
