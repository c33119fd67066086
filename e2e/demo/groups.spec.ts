import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { encodeKey } from '../../src/demo/group-key.ts'
import { anchored } from '../backend-oracle.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { lookIntoFile } from '../in-page/media-file.ts'
import { openDemo, tap } from '../in-page/demo-tab.ts'

/** All that a page of the origin finds of its groups and keys. */
const storedIn = (page: Page) =>
  page.evaluate(async () => {
    const keys = await caches.open('holdfast-demo-keys')
    const answers = await Promise.all((await keys.keys()).map((address) => keys.match(address)))
    const texts = await Promise.all(answers.map((answer) => answer?.text()))
    return JSON.stringify([{ ...localStorage }, texts])
  })

test(
  'a device with the recording key alone records, and opens nothing until it is given the group key',
  { tag: LANDING },
  async ({ stack, context }) => {
    const tab = await openDemo(context, { url: stack.url, group: 'made' })
    const { page, groupKey } = tab
    const holds = page.getByTestId('group-holds')
    const dialogKey = page.getByTestId('group-key-input')
    const stored = () => storedIn(page)

    await expect(holds).toContainText('on this device only')
    await page.getByTestId('group-key').click()
    const shown = page.getByTestId('recording-key')
    await expect(shown).toHaveText(/^record_/)
    const recordingKey = (await shown.textContent()) ?? ''
    await page.keyboard.press('Escape')

    // Another phone, which was given no more than that.
    await page.evaluate(async () => {
      localStorage.clear()
      await caches.delete('holdfast-demo-keys')
    })
    await page.reload()
    await page.getByTestId('group-join').click()
    await dialogKey.fill(recordingKey)
    await expect(page.getByTestId('group-key-kind')).toContainText('cannot open')
    await page.getByTestId('group-key-save').click()
    await expect(holds).toHaveAttribute('data-key', 'elsewhere')

    await tab.record()
    await tab.acknowledged(3)
    await tab.stop()
    const session = tab.session()
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
  },
)

test(
  'the last copy of a key is lost by no tap: a copy is proved first, then it goes, and recording goes on',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { page, record, stop, groupKey } = await openDemo(context, { url: stack.url, group: 'made' })
    const holds = page.getByTestId('group-holds')
    const key = encodeKey(groupKey)
    const isStored = async () => (await storedIn(page)).includes(key)
    await expect(holds).toHaveAttribute('data-key', 'only-here')
    await page.getByTestId('group-key').click()
    await expect(page.getByRole('button', { name: 'Forget it here' })).toBeHidden()
    await page.getByTestId('prove-copy').click()
    const proof = page.getByTestId('prove-end')
    for (const wrong of ['', key.slice(0, 4)]) {
      await proof.fill(wrong)
      await page.getByTestId('prove-done').click()
      await expect(page.getByText('That is not the end of this key')).toBeVisible()
    }
    await page.keyboard.press('Escape')
    expect(await isStored()).toBe(true)

    await page.getByTestId('group-key').click()
    await page.getByTestId('prove-copy').click()
    await proof.fill(key.slice(-4))
    await page.getByTestId('prove-done').click()
    await expect(holds).toHaveAttribute('data-key', 'elsewhere')
    expect(await isStored()).toBe(false)
    await record()
    await stop()
  },
)

/** Files below this folder that have one of these, by their paths. */
async function filesWith(folder: string, wanted: readonly Buffer[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = await readFile(path).catch(() => Buffer.alloc(0))
    if (wanted.some((bytes) => content.includes(bytes))) found.push(path)
  }
  return found
}

test(
  'who takes the phone finds no key in the browser’s folder once a copy is proved, nor one that was only typed',
  { tag: LANDING },
  async ({ stack, launch }) => {
    const browser = await launch()
    const { page, groupKey } = await openDemo(browser.context, { url: stack.url, group: 'made' })
    const keyText = encodeKey(groupKey)
    const [wide, plain] = [Buffer.from(keyText, 'utf16le'), Buffer.from(keyText)]
    const search = () => filesWith(browser.profile, [plain, wide, Buffer.from(groupKey)])
    // As long as it is the only copy, it is there.
    await expect.poll(async () => (await search()).length).toBe(1)
    await page.getByTestId('group-key').click()
    await page.getByTestId('prove-copy').click()
    await page.getByTestId('prove-end').fill(keyText.slice(-4))
    await page.getByTestId('prove-done').click()
    await expect(page.getByTestId('group-holds')).toHaveAttribute('data-key', 'elsewhere')

    await page.getByTestId('group-key').click()
    await page.getByRole('button', { name: 'Enter the group key' }).click()
    await page.getByTestId('group-key-input').fill(keyText)
    await page.getByTestId('group-key-save').click()
    await expect(page.getByTestId('group-secret-shown')).toHaveText(keyText)
    // What it has not written yet it writes at its end.
    await browser.close()
    expect(await search()).toEqual([])
  },
)

test(
  'who presses Record first records at once, for a new group whose key stays until a copy is proved',
  { tag: LANDING },
  async ({ stack, context }) => {
    const page = await context.newPage()
    await page.goto(stack.url)
    await page.getByTestId('record-button').click()
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'recording')
    await tap(page.getByTestId('stop-button'))
    await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')
    await expect(page.getByTestId('group-holds')).toHaveAttribute('data-key', 'only-here')
    await expect(page.getByTestId('group-key')).toHaveText('Save the key')
  },
)

/** Runs in the page: notes when the browser is asked to keep what is here, and when a key is kept. */
function noteAsks(): void {
  const noted: string[] = []
  Reflect.set(window, 'noted', noted)
  if (!navigator.storage) return
  navigator.storage.persist = async () => {
    noted.push('asked')
    return false
  }
  const put = Cache.prototype.put
  Cache.prototype.put = function noting(this: Cache, ...args: Parameters<Cache['put']>) {
    if (String(args[0]).startsWith('/keys/')) noted.push('key')
    return put.apply(this, args)
  }
}

test(
  'the browser is asked to keep the only copy of a key before it is there; where it refuses, that is beside it, with what to do',
  { tag: LANDING },
  async ({ stack, context }) => {
    const page = await context.newPage()
    await page.addInitScript(noteAsks)
    await page.goto(stack.url)
    await page.getByTestId('group-create').click()
    await page.getByTestId('group-save').click()
    const holds = page.getByTestId('group-holds')
    const atRisk = 'the browser may clear it when space runs out: save a copy now.'
    await expect(holds).toContainText(atRisk)
    await expect(page.getByTestId('group-key')).toHaveText('Save the key')
    expect(await page.evaluate(() => Reflect.get(window, 'noted') as string[])).toEqual(['asked', 'key'])
    await page.getByTestId('group-key').click()
    await expect(page.locator('#show-key-kept')).toContainText('The browser did not agree to keep it')
    await page.keyboard.press('Escape')

    // At the next visit it is not asked again, and it is told all the same.
    await page.reload()
    await expect(holds).toContainText(atRisk)
    expect(await page.evaluate(() => Reflect.get(window, 'noted') as string[])).toEqual([])
  },
)

test(
  'what is proved is played where a chunk is gone, and the chunk is named',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { backend, url } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(3)
    await tab.stop()
    const session = tab.session()
    await expect(session).toHaveAttribute('data-upload', 'confirmed')
    const id = (await session.getAttribute('data-session-id')) ?? ''
    const { chunks } = await anchored(backend, id, 'complete', tab.slices.length)
    backend.faults.add({ service: 'gateway', match: chunks[1]?.cid ?? '', kind: 'status', status: 404 })

    await session.getByTestId('verify-button').click()
    await expect(session.getByTestId('verify-panel')).toHaveAttribute('data-state', 'partial')
    await expect(session.getByTestId('verify-proved')).toContainText(
      `Proved: ${chunks.length - 1} of ${chunks.length} pieces.`,
    )
    const error = session.getByTestId('verify-error')
    await expect(error).toHaveAttribute('data-code', 'chunk-missing')
    await expect(error).toHaveAttribute('data-index', '1')
    await expect(error).toContainText('Piece 1 is no longer where the recording is kept.')
    const player = session.getByTestId('player')
    // The rest plays to the end, past the gap.
    const { endsAtSeconds } = await lookIntoFile(Buffer.concat(tab.slices))
    await expect
      .poll(() => player.evaluate((video: HTMLVideoElement) => video.duration))
      .toBeCloseTo(endsAtSeconds, 0)
    await expect.poll(() => player.evaluate((video: HTMLVideoElement) => video.readyState)).toBeGreaterThan(0)
  },
)
