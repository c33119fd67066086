import { openSession } from '../../src/verify/index.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { anchored } from '../backend-oracle.ts'
import { storedChunks } from '../in-page/stored.ts'
import { openDemo } from '../in-page/demo-tab.ts'
import { readBack } from '../read-back.ts'

test(
  'what a reader verifies in Node is byte for byte what the camera gave, and a browser plays it',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(4)
    const acknowledged = (await storedChunks(tab.page)).length
    await tab.acknowledged(acknowledged)
    const [{ sessionId: id } = { sessionId: '' }] = await storedChunks(tab.page)
    const { slices, groupKey } = tab
    await tab.page.close()
    const { name } = await anchored(backend, id, 'interrupted', acknowledged)

    const { session, proved, bad } = await readBack(backend, name, groupKey)
    expect(bad).toEqual([])
    expect(proved.length).toBeGreaterThanOrEqual(acknowledged)
    expect(session.missingIndexes).toEqual([])
    const bytes = Buffer.concat(proved.map(({ plaintext }) => plaintext))
    const recorded = Buffer.concat(slices.slice(0, acknowledged))
    expect(bytes.subarray(0, recorded.byteLength).equals(recorded)).toBe(true)

    const beyondSecondChunkMs = proved.slice(0, 2).reduce((ms, { durationMs }) => ms + durationMs, 0)
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
  },
)

test(
  'another group’s key, or a store that changes a chunk, is named by the reader',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(2)
    await tab.stop()
    await expect(tab.session()).toHaveAttribute('data-upload', 'confirmed')
    const id = (await tab.session().getAttribute('data-session-id')) ?? ''
    const { rpcUrl, registry, gateway } = backend.endpoints
    const { name, chunks } = await anchored(backend, id, 'complete', 2)
    const options = { chain: { rpcUrl, registry }, gateway, name, groupKey: tab.groupKey }

    const stranger = crypto.getRandomValues(new Uint8Array(32))
    await expect(openSession({ ...options, groupKey: stranger })).rejects.toMatchObject({ code: 'group' })

    backend.faults.add({ service: 'gateway', match: chunks[1]?.cid ?? '', kind: 'lie' })
    const { proved, bad } = await readBack(backend, name, tab.groupKey)
    expect(bad).toMatchObject([{ verdict: 'chunk-address', index: 1 }])
    expect(proved).toHaveLength(tab.slices.length - 1)

    await tab.session().getByTestId('verify-button').click()
    await expect(tab.session().getByTestId('verify-error')).toHaveAttribute('data-code', 'chunk-address')
  },
)
