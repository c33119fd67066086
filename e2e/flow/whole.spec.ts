import { openSession } from '../../src/verify/index.ts'
import { expect, test } from '../fixtures.ts'
import { anchored } from '../backend-oracle.ts'
import { storedChunks } from '../page/stored.ts'
import { openDemo } from '../page/witness.ts'

test('what a reader verifies in Node is byte for byte what the camera gave, and a browser plays it', async ({
  stack,
  context,
}) => {
  const { backend, url } = stack
  const witness = await openDemo(context, { url })
  await witness.record()
  await witness.acknowledged(4)
  const acknowledged = (await storedChunks(witness.page)).length
  await witness.acknowledged(acknowledged)
  const [{ sessionId: id } = { sessionId: '' }] = await storedChunks(witness.page)
  const { slices, groupSecret } = witness
  await witness.page.close()
  await anchored(backend, id, 'interrupted', acknowledged)

  const { rpcUrl, registry, gateway } = backend.endpoints
  const verified = await openSession({ chain: { rpcUrl, registry }, gateway, sessionId: id, groupSecret })
  const chunks = await verified.readAll()
  expect(chunks.length).toBeGreaterThanOrEqual(acknowledged)
  expect(verified.missingIndexes).toEqual([])
  const bytes = Buffer.concat(chunks.map(({ plaintext }) => plaintext))
  const recorded = Buffer.concat(slices.slice(0, acknowledged))
  expect(bytes.subarray(0, recorded.byteLength).equals(recorded)).toBe(true)

  const beyondSecondChunkMs = verified.manifest.chunks
    .slice(0, 2)
    .reduce((ms, { duration }) => ms + duration, 0)
  const player = await context.newPage()
  await player.setContent('<video muted></video>')
  const video = player.locator('video')
  await video.evaluate((element: HTMLVideoElement, base64) => {
    const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    element.src = URL.createObjectURL(new Blob([data], { type: 'video/webm' }))
    return element.play()
  }, bytes.toString('base64'))
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime * 1000))
    .toBeGreaterThan(beyondSecondChunkMs)
})

test('another group’s secret, or a store that changes a chunk, is named by the reader', async ({
  stack,
  context,
}) => {
  const { backend, url } = stack
  const witness = await openDemo(context, { url })
  await witness.record()
  await witness.acknowledged(2)
  await witness.stop()
  await expect(witness.session()).toHaveAttribute('data-upload', 'confirmed')
  const id = (await witness.session().getAttribute('data-session-id')) ?? ''
  const { rpcUrl, registry, gateway } = backend.endpoints
  const options = { chain: { rpcUrl, registry }, gateway, sessionId: id, groupSecret: witness.groupSecret }

  const stranger = crypto.getRandomValues(new Uint8Array(32))
  await expect(openSession({ ...options, groupSecret: stranger })).rejects.toMatchObject({ code: 'group' })

  const verified = await openSession(options)
  const second = verified.manifest.chunks[1]
  backend.faults.add({ service: 'gateway', match: second?.cid ?? '', kind: 'lie' })
  await expect(verified.readAll()).rejects.toMatchObject({ code: 'chunk-address', index: 1 })

  await witness.session().getByTestId('verify-button').click()
  await expect(witness.session().getByTestId('verify-error')).toHaveAttribute('data-code', 'chunk-address')
})
