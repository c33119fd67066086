import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test'
import { encodeKey } from '../../src/demo/group-key.ts'
import { groupIdOf, newGroup } from '../../src/group.ts'
import { keepAcknowledgements, type Acknowledgements } from './acknowledgements.ts'

/**
 * What a page's MediaRecorder produced, slice by slice: the truth that a verified recording is held against. They
 * come on a way of their own, so the last ones of a page that dies may be missing.
 */
export type Slices = readonly Buffer[]

export interface DemoTabOptions {
  readonly url: string
  /** Length of a chunk, ms. */
  readonly timesliceMs?: number
  /** Who encrypts. Default: the page. */
  readonly seal?: 'page' | 'worker'
  /** Proved copies that are enough. Default: one in each store. */
  readonly atLeast?: number
  /** The device knows a group, or the person makes one, where there is none. Default: it is known. */
  readonly group?: 'known' | 'made'
  /** As large as the demo asks for; default: small, which costs a busy machine less. */
  readonly pictures?: 'small' | 'as-asked'
  /** Runs in the page before its own scripts do. */
  readonly first?: () => void
}

/** A person with the demo open in a tab. */
export interface DemoTab {
  readonly page: Page
  readonly slices: Slices
  /** What the worker promised this page to keep. */
  readonly acknowledgements: Acknowledgements
  /** Of the group that is recorded for: opens what it records. */
  readonly groupKey: Uint8Array<ArrayBuffer>
  /** Presses Record; resolves once the recorder runs. */
  record(): Promise<void>
  /** Resolves once the page says that this many chunks are acknowledged, and their slices are here too. */
  acknowledged(count: number): Promise<void>
  stop(): Promise<void>
  /** Resolves once the slices of a recording that is over are all here. */
  allSlices(): Promise<void>
  session(id?: string): Locator
}

/**
 * Presses a button while the page records. `click` waits until the page has drawn it twice: minutes on a busy machine, and
 * hundreds of chunks meanwhile.
 */
export async function tap(button: Locator): Promise<void> {
  await expect(button).toBeEnabled()
  await button.dispatchEvent('click')
}

/** Presses a key on what a person could be at. `press` alone focuses what is still hidden, and the key goes to the page. */
export async function pressOn(target: Locator, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await expect(target).toBeVisible()
  await expect(target).toBeEnabled()
  await target.press(key)
}

/** Opens the demo in a new tab of this browser, with a group to record for. */
export async function openDemo(context: BrowserContext, options: DemoTabOptions): Promise<DemoTab> {
  const { url, timesliceMs = 500, seal = 'page', atLeast = 0, group = 'known', pictures = 'small' } = options
  const page = await context.newPage()
  const slices: Buffer[] = []
  await page.exposeFunction('keepSlice', (at: number, base64: string) => {
    slices[at] = Buffer.from(base64, 'base64')
  })
  await page.addInitScript(keepSlices)
  if (pictures === 'small') await page.addInitScript(takeSmallPictures)
  if (options.first !== undefined) await page.addInitScript(options.first)
  if (group === 'known') await page.addInitScript(knowGroup, await knownGroup())
  const acknowledgements = await keepAcknowledgements(page)
  /** How many slices are here, up to the first that is not: each comes on its own. */
  const kept = () => {
    const missing = slices.findIndex((slice) => !slice)
    return missing < 0 ? slices.length : missing
  }
  // Each slice is a chunk, however slow the machine: so what was stored is held against what was made, one by one.
  await page.goto(`${url}/?timeslice=${timesliceMs}&chunk=0&seal=${seal}&atLeast=${atLeast}`)
  await expect(page.getByTestId('record-button')).toBeEnabled()
  const groupKey = await chosenKey(page)

  const allSlices = async () => expect.poll(kept, OFTEN).toBe(await told(page, 'captured'))

  return {
    page,
    slices,
    acknowledgements,
    groupKey,
    async record() {
      await page.getByTestId('record-button').click()
      await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'recording')
    },
    async acknowledged(count) {
      await expect.poll(() => told(page, 'acknowledged'), OFTEN).toBeGreaterThanOrEqual(count)
      await expect.poll(kept, OFTEN).toBeGreaterThanOrEqual(count)
    },
    async stop() {
      await tap(page.getByTestId('stop-button'))
      await expect(page.getByTestId('recorder')).toHaveAttribute('data-state', 'idle')
      await allSlices()
    },
    allSlices,
    session: (id) =>
      id === undefined
        ? page.getByTestId('session').first()
        : page.locator(`[data-testid=session][data-session-id="${id}"]`),
  }
}

/** What a recording waits for comes within moments; left alone, Playwright soon looks once a second only. */
const OFTEN = { intervals: [50] }

/** A count that the page tells of its recording. */
const told = async (page: Page, what: 'acknowledged' | 'captured') =>
  Number(await page.getByTestId('ack-count').getAttribute(`data-${what}`))

/** Runs in the page: hands every slice of every MediaRecorder to the test as well, and tells the window of it. */
function keepSlices(): void {
  const keep: (at: number, base64: string) => Promise<void> = Reflect.get(window, 'keepSlice')
  let kept: Promise<void>[] = []
  window.MediaRecorder = class extends MediaRecorder {
    constructor(...args: ConstructorParameters<typeof MediaRecorder>) {
      super(...args)
      let count = 0
      kept = []
      Reflect.set(window, 'keptSlices', kept)
      let half: Blob | undefined
      this.addEventListener('dataavailable', ({ data: piece }) => {
        if (piece.size === 0) return
        dispatchEvent(new Event('slice'))
        // Where the first picture is late the first one has a byte, and belongs to the next.
        const data: Blob = half ? new Blob([half, piece]) : piece
        half = count === 0 && data.size === 1 ? data : undefined
        if (half) return
        const at = count++
        kept[at] = new Promise((resolve, reject) => {
          const reader = new FileReader()
          reader.addEventListener('load', () => {
            const [, base64 = ''] = String(reader.result).split(';base64,')
            keep(at, base64).then(resolve, reject)
          })
          reader.addEventListener('error', () => reject(reader.error))
          reader.readAsDataURL(data)
        })
      })
    }
  }
}

/** Runs in the page: to encode a large picture, and to clean the sound, takes more of the machine than all that is tested. */
function takeSmallPictures(): void {
  const { mediaDevices } = navigator
  // Of a page without TLS there is none.
  if (!mediaDevices) return
  const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices)
  const video = { width: 160, height: 120, frameRate: 5 }
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
  mediaDevices.getUserMedia = (wish) => getUserMedia({ ...wish, video, ...(wish?.audio && { audio }) })
}

/** A new group, as the demo stores it. */
async function knownGroup() {
  const { publicKey, privateKey } = await newGroup()
  return { id: await groupIdOf({ publicKey }), publicKey, name: 'Neighbours', key: encodeKey(privateKey) }
}

/** Runs in the page: an earlier tab's group stays. */
function knowGroup(group: Awaited<ReturnType<typeof knownGroup>>): void {
  if (!location.protocol.startsWith('http')) return
  localStorage.setItem(
    'holdfast-demo-groups',
    localStorage.getItem('holdfast-demo-groups') ?? JSON.stringify([group]),
  )
}

/** The key of the chosen group; makes a group as a person would where there is none. */
async function chosenKey(page: Page): Promise<Uint8Array<ArrayBuffer>> {
  // Before that there seem to be none.
  await page.locator('#group-picker[data-drawn]').waitFor({ state: 'attached' })
  if (await page.getByTestId('group-select').isHidden()) {
    await page.getByTestId('group-create').click()
    await page.getByTestId('group-name').fill('Neighbours')
    await page.getByTestId('group-save').click()
    await expect(page.getByTestId('group-select')).toBeVisible()
  }
  const key = await page.evaluate(async () => {
    const groups = JSON.parse(localStorage.getItem('holdfast-demo-groups') ?? '[]') as {
      id: string
      key?: string
    }[]
    // One that was known already is being moved into its file.
    const [{ id, key: moving } = { id: '' }] = groups
    return moving ?? (await caches.match(`/keys/${id}`))?.text() ?? ''
  })
  return Uint8Array.from(Buffer.from(key, 'base64url'))
}
