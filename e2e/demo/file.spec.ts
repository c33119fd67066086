import type { BrowserContext, Page } from '@playwright/test'
import { newGroup } from '../../src/group.ts'
import { anchored } from '../backend-oracle.ts'
import { builtScript } from '../built-scripts.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { storedChunks } from '../in-page/stored.ts'
import { contentOf } from '../in-page/file-content.ts'
import { readBack } from '../read-back.ts'

const PARTS = 40
const partBytes = 64 * 1024
const file = { sizeBytes: PARTS * partBytes - 1, seed: 3, partBytes }

async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.addScriptTag({ content: await builtScript('in-page/upload-page.ts') })
  return page
}

// Promise 1 of docs/guarantees.md.
test(
  'a file whose tab is closed in mid-upload goes on where the person picks it again, as one session',
  { tag: LANDING },
  async ({ stack: { backend, url }, context }) => {
    const { privateKey, publicKey } = await newGroup()
    const page = await openPage(context, url)
    const given = { ...file, group: publicKey }
    // Nothing leaves, so that whatever was handed over is found on the device.
    const hold = backend.faults.add({ service: 'ipfs', kind: 'down' })
    await page.evaluate((asked) => {
      // The tab closes while the worker takes a part.
      const { postMessage } = ServiceWorker.prototype
      let parts = 0
      ServiceWorker.prototype.postMessage = function (message: { type?: string }, ...rest: [never]) {
        if (message.type === 'chunk' && ++parts > 7) return
        postMessage.call(this, message, ...rest)
      }
      void window.uploadPage.uploadFile(asked)
    }, given)
    await expect
      .poll(async () => (await page.evaluate(() => window.uploadPage.progress()))?.handedBytes)
      .toBe(7 * partBytes)
    const before = await storedChunks(page)
    expect(before).toHaveLength(7)
    await page.close()

    const again = await openPage(context, url)
    await again.evaluate((asked) => window.uploadPage.uploadFile(asked), given)
    const after = await storedChunks(again)
    expect(after).toHaveLength(PARTS)
    expect(new Set(after.map(({ sessionId }) => sessionId)).size).toBe(1)
    // What the first tab handed over was not sealed again.
    expect(after.map(({ id, encryptedHash }) => [id, encryptedHash])).toEqual(
      expect.arrayContaining(before.map(({ id, encryptedHash }) => [id, encryptedHash])) as unknown,
    )
    hold.remove()

    const [{ sessionId } = { sessionId: '' }] = after
    const { name } = await anchored(backend, sessionId, 'complete', PARTS)
    const { session, proved } = await readBack(backend, name, privateKey)
    expect(session).toMatchObject({
      ending: 'complete',
      mimeType: 'video/mp4',
      metadata: { title: 'The holiday' },
    })
    expect(session.missingIndexes).toEqual([])
    const bytes = Buffer.concat(proved.map(({ plaintext }) => plaintext))
    expect(bytes.equals(contentOf(file.sizeBytes, file.seed))).toBe(true)
  },
)
