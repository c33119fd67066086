import type { Page } from '@playwright/test'
import { expect, test, LANDING } from '../fixtures.ts'
import { anchored } from '../backend-oracle.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { loseSource } from '../in-page/sources.ts'

/** Runs in the page: the person has said no. */
function allowNoCamera(): void {
  const { mediaDevices } = navigator
  if (mediaDevices)
    mediaDevices.getUserMedia = () => Promise.reject(new DOMException('No', 'NotAllowedError'))
}

/** Ends the camera's tracks, and tells how many tenths of a second passed, by timers of the page, until it showed that. */
const loseCamera = (page: Page) =>
  page.locator('.caption-alert').evaluate(async (told) => {
    const recorder = told.getRootNode() as ShadowRoot
    const stream = recorder.querySelector('video')?.srcObject as MediaStream
    const before = told.textContent
    for (const track of stream.getVideoTracks()) track.stop()
    const isTold = () => told.textContent !== before
    let passed = 0
    for (; !isTold(); passed++) await new Promise((resolve) => setTimeout(resolve, 100))
    return passed
  })

/** Runs in the page: nothing lies over it, and it is in the window, whole. */
function isInSight(element: Element): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect()
  const root = element.getRootNode() as ShadowRoot
  const middle = (left + right) / 2
  return [top + 2, bottom - 2].every((y) => element.contains(root.elementFromPoint(middle, y)))
}

// Held to what is promised, a second, by timers that come late where the page does.
const WITHIN_TENTHS = 10

test(
  'a camera that is lost is told within a second; the sound goes on, and the recording is not told as whole',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url })
    const { page } = tab
    const told = page.locator('.caption-alert')
    await tab.record()
    await tab.acknowledged(1)
    await expect(told).toBeHidden()
    expect(await loseCamera(page)).toBeLessThanOrEqual(WITHIN_TENTHS)
    await expect(told).toHaveText('The camera is gone: no picture is recorded. The sound goes on.')
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'recording')
    await page.setViewportSize({ width: 320, height: 568 })
    await expect.poll(() => told.evaluate(isInSight)).toBe(true)
    const { length } = tab.slices
    await tab.acknowledged(length + 1)
    await tab.stop()

    const session = tab.session()
    await expect(session).toHaveAttribute('data-ending', 'interrupted')
    const id = (await session.getAttribute('data-session-id')) ?? ''
    const log = await anchored(stack.backend, id, 'interrupted', tab.slices.length)
    expect(log.chunks).toHaveLength(tab.slices.length)

    // Whoever reads it is told why the picture ends.
    await expect(session).toHaveAttribute('data-upload', 'confirmed')
    await session.getByTestId('verify-button').click()
    await expect(session.getByTestId('verify-note')).toContainText(
      'as its recorder wrote: the camera is gone, the microphone gives sound.',
    )
  },
)

test(
  'a recording that has lost all that it was made of ends by itself, as interrupted, and that is told',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url })
    const { page } = tab
    await tab.record()
    await tab.acknowledged(1)
    await page.setViewportSize({ width: 320, height: 568 })
    await loseSource(page)
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')
    await expect(page.getByText('Recording ended: camera and microphone are gone.')).toBeVisible()
    await expect.poll(() => page.getByTestId('recorder').locator('.notice').evaluate(isInSight)).toBe(true)
    await expect(tab.session()).toHaveAttribute('data-ending', 'interrupted')
  },
)

test(
  'without a camera nothing is recorded unless the person says so, and then it is marked',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url, first: allowNoCamera })
    const { page } = tab
    const recorder = page.getByTestId('recorder')
    await page.getByTestId('record-button').click()
    await expect(page.getByText('This page may not use the camera.')).toBeVisible()
    // What is pressed without reading records nothing.
    await page.keyboard.press('Enter')
    await expect(recorder).toHaveAttribute('data-state', 'idle')
    await expect(page.getByTestId('session')).toHaveCount(0)
    await expect(page.getByTestId('record-button')).toBeFocused()

    await page.getByTestId('record-button').click()
    await page.getByTestId('camera-again').click()
    await page.getByTestId('record-test-picture').click()
    await expect(recorder).toHaveAttribute('data-state', 'recording')
    await expect(page.locator('.caption:not([role])')).toContainText('it proves nothing')
    // In each frame: a dark text on a yellow ground, where the camera's picture would be.
    const stamp = await page.locator('#preview').evaluate(async (video: HTMLVideoElement) => {
      while (video.videoWidth === 0) await new Promise((resolve) => setTimeout(resolve, 50))
      const canvas = document.createElement('canvas')
      Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight })
      const pen = canvas.getContext('2d')
      pen?.drawImage(video, 0, 0)
      return [...(pen?.getImageData(8, video.videoHeight - 8, 1, 1).data ?? [])].slice(0, 3)
    })
    expect(stamp[0]).toBeGreaterThan(stamp[2] ?? 255)
    expect(stamp[0]).toBeGreaterThan(180)
    await tab.acknowledged(1)
    await tab.stop()
    // And in what a reader is told of it.
    const session = tab.session()
    await expect(session).toHaveAttribute('data-upload', 'confirmed')
    await session.getByTestId('verify-button').click()
    await expect(session.getByTestId('verify-note')).toHaveText(/This is a test picture, and no evidence/)
  },
)
