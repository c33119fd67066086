import { encodeKey } from '../../src/demo/group-key.ts'
import { anchored } from '../backend-oracle.ts'
import { expect, test } from '../fixtures.ts'
import { openDemo } from '../page/witness.ts'

test('a device with the recording key alone records, and opens nothing until it is given the group key', async ({
  stack,
  context,
}) => {
  const witness = await openDemo(context, { url: stack.url, group: 'made' })
  const { page, groupKey } = witness
  const holds = page.getByTestId('group-holds')
  const dialogKey = page.getByTestId('group-key-input')
  const stored = () => page.evaluate(() => JSON.stringify({ ...localStorage }))

  await expect(holds).toContainText('needs only the public part')
  await page.getByTestId('group-key').click()
  const recordingKey = (await page.getByTestId('recording-key').textContent()) ?? ''
  await page.keyboard.press('Escape')

  // Another phone, which was given no more than that.
  await page.evaluate(() => localStorage.clear())
  await page.reload()
  await page.getByTestId('group-join').click()
  await dialogKey.fill(recordingKey)
  await expect(page.getByTestId('group-key-kind')).toContainText('cannot open')
  await page.getByTestId('group-key-save').click()
  await expect(holds).toHaveAttribute('data-key', 'elsewhere')

  await witness.record()
  await witness.acknowledged(3)
  await witness.stop()
  const session = witness.session()
  await expect(session).toHaveAttribute('data-upload', 'confirmed')
  expect(await stored()).not.toContain(encodeKey(groupKey))

  await session.getByTestId('verify-button').click()
  await dialogKey.fill(recordingKey)
  await page.getByTestId('group-key-save').click()
  await expect(page.getByText('a recording key, which opens nothing')).toBeVisible()
  await dialogKey.fill(encodeKey(groupKey))
  await page.getByTestId('group-key-save').click()
  await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', 'verified')
  // It was not to be kept: it goes with the tab.
  await expect(holds).toHaveAttribute('data-key', 'tab')
  expect(await stored()).not.toContain(encodeKey(groupKey))
})

test('a key is forgotten only after a question, and recording goes on without it', async ({
  stack,
  context,
}) => {
  const { page, record, stop } = await openDemo(context, { url: stack.url })
  const holds = page.getByTestId('group-holds')
  const forget = async () => {
    await page.getByTestId('group-key').click()
    await page.getByRole('button', { name: 'Forget it here' }).click()
  }
  await forget()
  // What is pressed without reading keeps it.
  await page.keyboard.press('Enter')
  await expect(holds).toHaveAttribute('data-key', 'kept')
  await forget()
  await page.getByTestId('forget-key-confirm').click()
  await expect(holds).toHaveAttribute('data-key', 'elsewhere')
  await record()
  await stop()
})

test('what is proved is played where a chunk is gone, and the chunk is named', async ({ stack, context }) => {
  const { backend, url } = stack
  const witness = await openDemo(context, { url })
  await witness.record()
  await witness.acknowledged(3)
  await witness.stop()
  const session = witness.session()
  await expect(session).toHaveAttribute('data-upload', 'confirmed')
  const id = (await session.getAttribute('data-session-id')) ?? ''
  const { chunks } = await anchored(backend, id, 'complete', witness.slices.length)
  backend.faults.add({ service: 'gateway', match: chunks[1]?.cid ?? '', kind: 'status', status: 404 })

  await session.getByTestId('verify-button').click()
  await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', 'partial')
  await expect(session.getByTestId('verify-proved')).toContainText(
    `Proved: ${chunks.length - 1} of ${chunks.length} chunks.`,
  )
  const error = session.getByTestId('verify-error')
  await expect(error).toHaveAttribute('data-code', 'chunk-missing')
  await expect(error).toHaveAttribute('data-index', '1')
  await expect(error).toContainText('Chunk 1 is not at the store.')
  const left = witness.slices.filter((_, index) => index !== 1)
  const player = session.getByTestId('player')
  await expect(player).toHaveAttribute('data-size', String(Buffer.concat(left).byteLength))
  await expect.poll(() => player.evaluate((video: HTMLVideoElement) => video.readyState)).toBeGreaterThan(0)
})
