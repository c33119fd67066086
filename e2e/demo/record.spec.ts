import { storedChunks } from '../in-page/stored.ts'
import { lookIntoFile } from '../in-page/media-file.ts'
import { openDemo } from '../in-page/witness.ts'
import { expect, test } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'

test('a recording that is ended is uploaded, anchored, deleted from the device, verified and played', async ({
  stack,
  context,
}) => {
  const witness = await openDemo(context, { url: stack.url })
  await witness.record()
  await witness.acknowledged(3)
  await witness.stop()

  const session = witness.session()
  await expect(session).toHaveAttribute('data-upload', 'confirmed')
  await expect(session).toHaveAttribute('data-ending', 'complete')
  const id = (await session.getAttribute('data-session-id')) ?? ''
  const log = await anchored(stack.backend, id, 'complete', witness.slices.length)
  expect(log.chunks).toHaveLength(witness.slices.length)
  expectNothingTwice(stack.backend, log, stack.sinceEntry)
  for (const { status, payloadHash } of await storedChunks(witness.page)) {
    expect(status).toBe('confirmed')
    expect(payloadHash).toBeUndefined()
  }

  await session.getByTestId('verify-button').click()
  const player = session.getByTestId('player')
  // Made a file that has its length, whatever the recorder knew of it.
  const { endsAtSeconds } = await lookIntoFile(Buffer.concat(witness.slices))
  const lengthOf = (video: HTMLVideoElement) => video.duration
  await expect.poll(() => player.evaluate(lengthOf)).toBeCloseTo(endsAtSeconds, 1)
  await player.evaluate((video: HTMLVideoElement) => video.play())
  // How much picture there is in so many slices depends on how busy the machine is.
  await expect
    .poll(() => player.evaluate((video: HTMLVideoElement) => video.currentTime))
    .toBeGreaterThan(endsAtSeconds / 2)
})
