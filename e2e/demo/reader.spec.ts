import type { Page } from '@playwright/test'
import { encodeKey } from '../../src/demo/group-key.ts'
import { anchored, logged } from '../backend-oracle.ts'
import { lookIntoFile, playFile } from '../in-page/media-file.ts'
import { openDemo, pressOn } from '../in-page/demo-tab.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { hex } from '../second-implementation/bytes.ts'
import { groupOf, tagOf, type Group } from '../second-implementation/recording.ts'

/** Chunks of a recording that is looked at while it goes on. */
const SOME = 2

test(
  'with nothing but the group’s key, in a browser that has seen none of it, all recordings are found and played, the running one while it is made',
  { tag: LANDING },
  async ({ stack, context, launch }) => {
    const { url } = stack
    // One that is whole, one that is interrupted, one that goes on.
    const whole = await openDemo(context, { url })
    await whole.record()
    await whole.acknowledged(SOME)
    await whole.stop()
    const cutOff = await openDemo(context, { url })
    await cutOff.record()
    await cutOff.acknowledged(SOME)
    await cutOff.page.close()
    const running = await openDemo(context, { url })
    await running.record()
    await running.acknowledged(SOME)

    const elsewhere = await launch()
    const page = await elsewhere.context.newPage()
    await page.goto(`${url}/read.html#key=${encodeKey(whole.groupKey)}`)
    const listed = page.getByTestId('listed')
    await expect(listed).toHaveCount(3)

    const [newest, , oldest] = await listed.all()
    if (!newest || !oldest) throw new Error('Fewer than three are listed')
    await newest.getByTestId('open-button').click()
    const opened = newest.locator('.player')
    const pieces = async () => Number(await opened.getAttribute('data-proved'))
    await expect.poll(pieces).toBeGreaterThanOrEqual(1)
    const before = await pieces()
    const player = newest.getByTestId('player')
    await player.evaluate((video: HTMLVideoElement) => {
      video.muted = true
      return video.play()
    })
    await expect
      .poll(() => player.evaluate((video: HTMLVideoElement) => video.currentTime))
      .toBeGreaterThan(0.1)
    await expect(newest.getByTestId('proof-now')).toContainText('proved. It existed before')
    // More of it comes while it plays.
    await running.acknowledged(running.slices.length + SOME)
    await expect.poll(pieces).toBeGreaterThan(before)
    await running.stop()
    await expect(opened).toHaveAttribute('data-ending', 'complete')
    await expect.poll(pieces).toBe(running.slices.length)

    await expect(oldest).toHaveAttribute('data-ended', 'true')
    for (const [row, ending, count] of [
      [oldest, 'complete', whole.slices.length],
      [listed.nth(1), 'interrupted', SOME],
    ] as const) {
      await row.getByTestId('open-button').click()
      await expect(row.locator('.player')).toHaveAttribute('data-ending', ending)
      await expect
        .poll(async () => Number(await row.locator('.player').getAttribute('data-proved')))
        .toBeGreaterThanOrEqual(count)
    }
    // The list itself knows of no interruption: once it is known, it says nothing else.
    await expect(listed.nth(1).locator('.session-when')).toHaveText('It was interrupted.')

    const video = page.waitForEvent('download')
    await oldest.getByRole('button', { name: 'Save the video' }).click()
    const saved = await (await video).createReadStream()
    const bytes: Buffer[] = []
    for await (const part of saved) bytes.push(part as Buffer)
    const file = Buffer.concat(bytes)
    const recorded = await lookIntoFile(Buffer.concat(whole.slices))
    expect(recorded).toMatchObject({ lengthSeconds: null, hasCues: false })
    const found = await lookIntoFile(file)
    expect(found).toMatchObject({ hasCues: true, beginsWithKey: true })
    expect(found.lengthSeconds).toBeCloseTo(recorded.endsAtSeconds, 1)
    const elsewhereToo = await elsewhere.context.newPage()
    const played = await playFile(elsewhereToo, file, 'video/webm')
    expect(played.duration).toBeCloseTo(recorded.endsAtSeconds, 1)
    expect(played.seekableTo).toBe(played.duration)
    expect(played.endedAt).toBeCloseTo(played.duration, 1)

    const proof = page.waitForEvent('download')
    await oldest.getByRole('button', { name: 'Save the proof' }).click()
    const text: Buffer[] = []
    for await (const part of await (await proof).createReadStream()) text.push(part as Buffer)
    const told = JSON.parse(Buffer.concat(text).toString()) as { pieces: { verdict: string }[]; link: string }
    expect(told.pieces.map(({ verdict }) => verdict)).toEqual(whole.slices.map(() => 'proved'))
    expect(told.link).not.toContain(encodeKey(whole.groupKey))
  },
)

test('a recording key, or what is no key, opens nothing, and is told in words', async ({
  stack,
  context,
}) => {
  const page = await context.newPage()
  await page.goto(`${stack.url}/read.html`)
  await page.getByTestId('reader-key').fill('not a key')
  await page.getByTestId('reader-open').click()
  await expect(page.getByRole('alert')).toContainText('A key has only letters')
  await page.getByTestId('reader-key').fill(`record_${'A'.repeat(43)}`)
  await page.keyboard.press('Tab')
  await page.getByTestId('reader-open').click()
  await expect(page.getByRole('alert')).toContainText('which opens nothing')
  await expect(page.getByTestId('listed')).toHaveCount(0)
})

test('a link that was cut off says so and asks for the key; who has used another group’s key can take a new one', async ({
  stack,
  context,
}) => {
  const page = await context.newPage()
  await page.goto(`${stack.url}/read.html#key=${'A'.repeat(20)}`)
  await expect(page.getByRole('alert')).toBeVisible()
  await expect(page.getByTestId('reader-key')).toBeFocused()
  await page.getByTestId('reader-key').fill('A'.repeat(43))
  await page.getByTestId('reader-open').click()
  await expect(page.getByTestId('reader-status')).toHaveText('No recording of this group yet.')
  await page.getByTestId('reader-other').click()
  await expect(page.getByTestId('reader-key')).toBeVisible()
  await expect(page.getByTestId('reader-key')).toHaveValue('')
  expect(new URL(page.url()).hash).toBe('')
})

/** How often the reader looks; what is on the chain then is there with one look and one reading. */
const LOOK_MS = 3_000

test(
  'what was anchored is there with the reader’s next look, within 10 s of its clock, also where it was reading meanwhile',
  { tag: LANDING },
  async ({ stack, context, launch }) => {
    const { backend, url } = stack
    const tab = await openDemo(context, { url })
    await tab.record()
    await tab.acknowledged(SOME)
    const id = (await tab.session().getAttribute('data-session-id')) ?? ''
    await logged(backend, id, 'recording', SOME)

    // A clock is that of a browser.
    const page = await (await launch()).context.newPage()
    await page.clock.install()
    await page.goto(`${url}/read.html#key=${encodeKey(tab.groupKey)}`)
    await page.getByTestId('open-button').click()
    const opened = page.locator('.player')
    const pieces = async () => Number(await opened.getAttribute('data-proved'))
    await expect.poll(pieces).toBeGreaterThanOrEqual(SOME)
    // From here on it stands still, but for what the test lets pass. On a slow machine that moment may be over.
    await expect(() => page.clock.pauseAt(Date.now() + LOOK_MS)).toPass()
    await expect(page.getByTestId('reader-status')).toHaveText('1 recording.')
    const before = await pieces()

    let passedMs = 0
    const pass = async (ms: number) => {
      passedMs += ms
      await page.clock.runFor(ms)
    }
    /** However slow the machine: a millisecond of the reader's clock for each time that is looked. */
    const piecesSoon = async () => {
      await pass(10)
      return pieces()
    }

    // One look finds what is new, and is held up while it reads.
    await anchored(backend, id, 'recording', before + 1)
    const hold = backend.faults.add({ service: 'gateway', kind: 'hold', times: 1 })
    let isHeld = false
    void hold.arrived.then(() => (isHeld = true))
    // What was asked before the clock stood may have found that already: then it is one of the next looks.
    await expect
      .poll(async () => {
        await pass(LOOK_MS / 10)
        return isHeld
      })
      .toBe(true)
    await tab.acknowledged(tab.slices.length + 1)
    await tab.stop()
    const { chunks } = await anchored(backend, id, 'complete', tab.slices.length)
    passedMs = 0
    // The next one finds more, and the one that reads goes on to it.
    await pass(LOOK_MS)
    await expect(page.getByTestId('listed')).toHaveAttribute('data-ended', 'true')
    hold.release()
    await expect.poll(piecesSoon, { intervals: [50] }).toBe(chunks.length)
    expect(passedMs).toBeLessThanOrEqual(10_000)
    await expect(opened).toHaveAttribute('data-ending', 'complete')
  },
)

test(
  'that nobody can be asked is told in words, and it is asked again',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { groupKey } = await openDemo(context, { url: stack.url })
    const page = await context.newPage()
    const fault = stack.backend.faults.add({ service: 'chain', kind: 'down' })
    await page.goto(`${stack.url}/read.html#key=${encodeKey(groupKey)}`)
    const status = page.getByTestId('reader-status')
    await expect(status).toHaveText(
      'The public record gives no answer. Check the network and try again: this says nothing about the recording.',
    )
    fault.remove()
    await expect(status).toHaveText('No recording of this group yet.')
  },
)

/** Runs in the page: a browser that reads codes, and what it reads, one look after the other. */
function readCodes(): void {
  const codes = ['https://example.org/#menu']
  Reflect.set(window, 'codes', codes)
  class Detector {
    static getSupportedFormats = async () => ['qr_code']
    detect = async () => codes.splice(0, 1).map((rawValue) => ({ rawValue }))
  }
  Reflect.set(window, 'BarcodeDetector', Detector)
}

test(
  'a code that the phone shows, once it is asked for it, is read by the reader’s camera; any other code is told',
  { tag: LANDING },
  async ({ stack, context }) => {
    const phone = await openDemo(context, { url: stack.url })
    const { page } = phone
    await page.getByTestId('group-key').click()
    const code = page.getByRole('img', { name: 'QR code' })
    await expect(code).toHaveCount(0)
    const show = page.getByTestId('show-code')
    await pressOn(show)
    await expect(code).toBeVisible()
    await expect(show).toHaveAttribute('aria-expanded', 'true')
    await expect(show).toBeFocused()
    // Nobody finds it there later.
    await page.keyboard.press('Escape')
    await expect(code).toHaveCount(0)

    const reader = await context.newPage()
    await reader.addInitScript(readCodes)
    await reader.goto(`${stack.url}/read.html`)
    await pressOn(reader.getByTestId('scan'))
    const video = reader.getByTestId('scan-video')
    await expect(video).toBeVisible()
    await expect(reader.getByText('This code has no key of a group.')).toBeVisible()
    await pressOn(reader.getByRole('button', { name: 'Stop the camera' }))
    await expect(video).toBeHidden()
    await pressOn(reader.getByTestId('scan'))
    await expect(video).toBeVisible()
    const link = `${stack.url}/read.html#key=${encodeKey(phone.groupKey)}`
    await reader.evaluate((text) => void (Reflect.get(window, 'codes') as string[]).push(text), link)
    await expect(reader.getByTestId('reader-status')).toHaveText('No recording of this group yet.')
    // The camera is let go, and the key is in no address.
    expect(await video.evaluate((one: HTMLVideoElement) => one.srcObject)).toBeNull()
    expect(reader.url()).toBe(`${stack.url}/read.html`)

    // So it is where the key comes another way meanwhile.
    await reader.reload()
    await pressOn(reader.getByTestId('scan'))
    await expect(reader.getByText('This code has no key of a group.')).toBeVisible()
    await reader.getByTestId('reader-key').fill(encodeKey(phone.groupKey))
    await pressOn(reader.getByTestId('reader-open'))
    await expect(reader.getByTestId('reader-status')).toHaveText('No recording of this group yet.')
    await expect.poll(() => video.evaluate((one: HTMLVideoElement) => one.srcObject === null)).toBe(true)
  },
)

test(
  'a browser that reads no codes is told of the camera app, and takes the link as it was sent',
  { tag: LANDING },
  async ({ stack, context }) => {
    const { groupKey } = await openDemo(context, { url: stack.url })
    const page = await context.newPage()
    await page.addInitScript(() => void Reflect.deleteProperty(window, 'BarcodeDetector'))
    await page.goto(`${stack.url}/read.html`)
    await expect(page.getByText('The camera app of a phone opens it here, too.')).toBeVisible()
    await expect(page.getByTestId('scan')).toBeHidden()
    await page.getByTestId('reader-key').fill(`${stack.url}/read.html#key=${encodeKey(groupKey)}`)
    await page.getByTestId('reader-open').click()
    await expect(page.getByTestId('reader-status')).toHaveText('No recording of this group yet.')
  },
)

/** Answers for a registry that has so many recordings of a group; blocks are the chain's own. */
async function registered(page: Page, group: Group, count: number): Promise<void> {
  const word = (value: number) => value.toString(16).padStart(64, '0')
  const nameOf = (at: number) => Buffer.from(word(at + 1), 'hex')
  const answers: Readonly<Record<string, (args: readonly number[]) => readonly string[]>> = {
    '9f70ed81': () => [word(count)],
    '34401b5c': ([, from = 0, wanted = 0]) => {
      const members = Array.from({ length: wanted }, (_, at) => nameOf(from + at))
      return [word(32), word(wanted), ...members.flatMap((name) => [hex(name), hex(tagOf(group, name))])]
    },
    // root, page, size, anchors, first block, last block, its time, which is later than that of the chain's first, not ended
    '7dbd2832': () => [1, 1, 2, 1, 1, 1, 4_000_000_000, 0].map(word),
  }
  await page.route('**/*', async (route) => {
    const { method, params, id } = (route.request().postDataJSON() ?? {}) as {
      readonly method?: string
      readonly params?: readonly { readonly data?: string }[]
      readonly id?: number
    }
    const data = params?.[0]?.data ?? ''
    const answer = answers[data.slice(2, 10)]
    if (method !== 'eth_call' || !answer) return route.continue()
    const args = (data.slice(10).match(/.{64}/g) ?? []).map((text) => Number(`0x${text}`))
    return route.fulfill({ json: { jsonrpc: '2.0', id, result: `0x${answer(args).join('')}` } })
  })
}

test(
  'of more recordings than are asked for at once it says that there are older ones, and lists them when it is asked to',
  { tag: LANDING },
  async ({ stack, context }) => {
    const page = await context.newPage()
    const privateKey = Buffer.alloc(32, 9)
    await registered(page, groupOf(privateKey), 60)
    await page.goto(`${stack.url}/read.html#key=${encodeKey(Uint8Array.from(privateKey))}`)
    const status = page.getByTestId('reader-status')
    await expect(status).toHaveText('The newest 50 recordings. There are older ones.')
    await expect(page.getByTestId('listed')).toHaveCount(50)
    await pressOn(page.getByTestId('reader-older'))
    await expect(status).toHaveText('60 recordings.')
    await expect(page.getByTestId('listed')).toHaveCount(60)
    await expect(page.getByTestId('reader-older')).toBeHidden()
    await expect(status).toBeFocused()
  },
)
