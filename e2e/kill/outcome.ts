import type { Manifest } from '../../src/evidence/manifest.ts'
import { openSession } from '../../src/verify/index.ts'
import type { RealBrowser } from '../browser/real-browser.ts'
import { expect } from '../fixtures.ts'
import { anchored, expectNothingTwice } from '../oracle.ts'
import { storedChunks } from '../page/stored.ts'
import { openDemo } from '../page/witness.ts'
import type { Scene } from './scene.ts'

const sessionOf = (chunkId: string) => chunkId.slice(0, chunkId.lastIndexOf('/'))
const indexOf = (chunkId: string) => Number(chunkId.slice(chunkId.lastIndexOf('/') + 1))

/**
 * All that a death must leave true: the chain holds the final manifest, it lists every chunk that was acknowledged,
 * nothing was sent twice, a reader gets the recorder's bytes, and the device keeps none of them.
 *
 * @param browser the one that runs now
 */
export async function expectWhole(
  scene: Scene,
  browser: RealBrowser,
  ending: Manifest['status'],
): Promise<void> {
  const { backend, witness, sinceEntry } = scene
  const acknowledged = [...new Set(witness.acknowledgements)]
  const [first = ''] = acknowledged
  const sessionId = sessionOf(first)
  expect(acknowledged.length).toBeGreaterThan(0)
  expect(new Set(acknowledged.map(sessionOf))).toEqual(new Set([sessionId]))

  const manifest = await anchored(backend, sessionId, ending, acknowledged.length)
  const listed = manifest.chunks.map(({ index }) => index)
  expect(listed).toEqual(expect.arrayContaining(acknowledged.map(indexOf)))
  if (ending === 'complete') expect(listed).toEqual([...witness.slices.keys()])

  await expectNothingKept(scene, browser, sessionId)
  expectNothingTwice(backend, manifest, sinceEntry)
  await expectRecorderBytes(scene, sessionId, acknowledged.map(indexOf))
}

/** A page is opened last, when only it can tell: the engine says that it is done, and its database agrees. */
async function expectNothingKept({ launch, url }: Scene, browser: RealBrowser, sessionId: string) {
  if (!browser.debuggable) await browser.kill()
  const { context } = browser.debuggable ? browser : await launch()
  const visitor = await openDemo(context, { url })
  await expect(visitor.session(sessionId)).toHaveAttribute('data-settled', 'true')
  for (const chunk of await storedChunks(visitor.page)) {
    expect(chunk).toMatchObject({ status: 'confirmed', payloadHash: undefined })
  }
}

async function expectRecorderBytes({ backend, witness }: Scene, sessionId: string, acknowledged: number[]) {
  const { rpcUrl, registry, gateway } = backend.endpoints
  const { groupSecret, slices } = witness
  const session = await openSession({ chain: { rpcUrl, registry }, gateway, sessionId, groupSecret })
  expect(session.missingIndexes).toEqual([])
  const verified = new Map((await session.readAll()).map(({ index, plaintext }) => [index, plaintext]))
  for (const index of acknowledged) {
    const slice = slices[index]
    expect(slice, `slice ${index} reached the test`).toBeDefined()
    expect(slice?.equals(verified.get(index) ?? Buffer.alloc(0)), `bytes of chunk ${index}`).toBe(true)
  }
}
