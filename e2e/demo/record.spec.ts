import { storedChunks } from '../in-page/stored.ts'
import { lookIntoFile } from '../in-page/media-file.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { expect, test } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'

test('a recording that is ended is uploaded, anchored, deleted from the device, verified and played', async ({
  stack,
  context,
}) => {
  const tab = await openDemo(context, { url: stack.url })
  await tab.record()
  await tab.acknowledged(3)
  await tab.stop()

  const session = tab.session()
  await expect(session).toHaveAttribute('data-upload', 'confirmed')
  await expect(session).toHaveAttribute('data-ending', 'complete')
  const id = (await session.getAttribute('data-session-id')) ?? ''
  const log = await anchored(stack.backend, id, 'complete', tab.slices.length)
  expect(log.chunks).toHaveLength(tab.slices.length)
  expectNothingTwice(stack.backend, log, stack.sinceEntry)
  for (const { status, payloadHash } of await storedChunks(tab.page)) {
    expect(status).toBe('confirmed')
    expect(payloadHash).toBeUndefined()
  }

  await session.getByTestId('verify-button').click()
  const player = session.getByTestId('player')
  // Made a file that has its length, whatever the recorder knew of it.
  const { endsAtSeconds } = await lookIntoFile(Buffer.concat(tab.slices))
  const lengthOf = (video: HTMLVideoElement) => video.duration
  await expect.poll(() => player.evaluate(lengthOf)).toBeCloseTo(endsAtSeconds, 1)
  await player.evaluate((video: HTMLVideoElement) => video.play())
  await expect.poll(() => player.evaluate((video: HTMLVideoElement) => video.currentTime)).toBeGreaterThan(1)
})
