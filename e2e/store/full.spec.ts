import { openSession } from '../../src/verify/index.ts'
import { forceCloseDatabases } from '../page/force-close.ts'
import { expect, test } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../oracle.ts'
import { openDemo } from '../page/witness.ts'

const MIB = 1024 * 1024

test('a device that is full in mid-recording: the page keeps the rest and says so, and uploads make room for it', async ({
  stack,
  launch,
}) => {
  test.setTimeout(180_000)
  const { backend, url, sinceEntry } = stack
  const { context } = await launch()
  const witness = await openDemo(context, { url })
  const { page } = witness
  await backend.pause()
  // Before the first byte is written Chromium takes it exactly: room for the reserve and a few chunks.
  const cdp = await context.newCDPSession(page)
  const used = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0)
  await cdp.send('Storage.overrideQuotaForOrigin', { origin: url, quotaSize: used + 4 * MIB + 300_000 })
  await witness.record()
  const heldUp = page.getByTestId('held-up')
  await expect(heldUp).toContainText('no room', { timeout: 60_000 })
  await expect(heldUp).toContainText('Recording goes on')
  const acks = page.getByTestId('ack-count')
  const captured = async () => Number(await acks.getAttribute('data-captured'))
  const atRefusal = await captured()
  await expect.poll(captured).toBeGreaterThan(atRefusal)

  await backend.unpause()
  await page.getByTestId('stop-button').click()
  await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle', { timeout: 120_000 })
  await expect(heldUp).toBeHidden()
  const id = (await witness.session().getAttribute('data-session-id')) ?? ''
  const manifest = await anchored(backend, id, 'complete', witness.slices.length)
  expect(manifest.chunks.map(({ index }) => index)).toEqual([...witness.slices.keys()])
  expectNothingTwice(backend, manifest, sinceEntry)

  const { rpcUrl, registry, gateway } = backend.endpoints
  const { groupSecret } = witness
  const verified = await openSession({ chain: { rpcUrl, registry }, gateway, sessionId: id, groupSecret })
  expect(Buffer.from(await verified.bytes()).equals(Buffer.concat([...witness.slices]))).toBe(true)
})

test('the database is closed by force in mid-recording, twice: the recording goes on, nothing is sent twice', async ({
  stack,
  launch,
}) => {
  const { backend, url, sinceEntry } = stack
  const { context } = await launch()
  const witness = await openDemo(context, { url })
  await witness.record()
  await witness.acknowledged(2)
  await forceCloseDatabases(context)
  await witness.acknowledged(witness.slices.length + 2)
  await forceCloseDatabases(context)
  await witness.acknowledged(witness.slices.length + 2)
  await witness.page.bringToFront()
  await witness.stop()
  const id = (await witness.session().getAttribute('data-session-id')) ?? ''
  const manifest = await anchored(backend, id, 'complete', witness.slices.length)
  expect(manifest.chunks.map(({ index }) => index)).toEqual([...witness.slices.keys()])
  expectNothingTwice(backend, manifest, sinceEntry)
})
