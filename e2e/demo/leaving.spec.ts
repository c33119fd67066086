import { chromium } from '@playwright/test'
import { newGroup } from '../../src/group.ts'
import { anchored, expectNothingTwice } from '../backend-oracle.ts'
import type { Backend } from '../backend/index.ts'
import { builtScript, withEndpoints } from '../built-scripts.ts'
import { expect, test as base, LANDING, type Launch } from '../fixtures.ts'
import { contentOf } from '../in-page/file-content.ts'
import type { AfterMidway, LeavingFile } from '../in-page/leaving-page.ts'
import { serveLeavingSite, type LeavingSite } from '../in-page/leaving-site.ts'
import { readBack } from '../read-back.ts'

const PARTS = 8
const HANDED = 3
const partBytes = 64 * 1024

interface Scene {
  readonly backend: Backend
  readonly sinceEntry: number
  readonly site: LeavingSite
  /** Where the file is uploaded. */
  readonly url: string
  /** The store holds its answers from the beginning, until this is called. */
  readonly letStoreAnswer: () => void
  /** Once all of it is on the chain: one session has every byte, and each was stored once. */
  expectWhole(sessionId: string): Promise<void>
}

const test = base.extend<{ readonly scene: Scene }>({
  scene: async ({ backend }, use) => {
    const { privateKey, publicKey } = await newGroup()
    const sinceEntry = backend.ledger.all().length
    const hold = backend.faults.add({ service: 'ipfs', match: '/api/v0/add', kind: 'hold' })
    const worker = withEndpoints(await builtScript('kill/workers/patient.ts'), backend.endpoints)
    const site = await serveLeavingSite(worker)
    const file: LeavingFile = {
      sizeBytes: PARTS * partBytes - 1,
      seed: 5,
      partBytes,
      handedParts: HANDED,
      group: publicKey,
    }
    await use({
      backend,
      sinceEntry,
      site,
      url: site.urlOf(file),
      letStoreAnswer: () => hold.release(),
      async expectWhole(sessionId) {
        const log = await anchored(backend, sessionId, 'complete', PARTS)
        expectNothingTwice(backend, log, sinceEntry)
        const { session, proved } = await readBack(backend, log.name, privateKey)
        expect(session).toMatchObject({ ending: 'complete', missingIndexes: [] })
        const bytes = Buffer.concat(proved.map(({ plaintext }) => plaintext))
        expect(bytes.equals(contentOf(file.sizeBytes, file.seed))).toBe(true)
      },
    })
    await site.close()
  },
})

const whole = (sessionId: string) => ({
  sessionId,
  parts: PARTS,
  progress: { handedBytes: PARTS * partBytes - 1, storedBytes: PARTS * partBytes - 1, settled: true },
})

/**
 * Uploads in a browser without a debugger, until the page leaves in the middle of it.
 *
 * @returns the session of the upload
 */
async function leaveMidway({ site, url }: Scene, launch: Launch, how: AfterMidway): Promise<string> {
  await launch({ debuggable: false, url })
  const midway = await site.hears('midway')
  midway.answer(how)
  return midway.told.sessionId
}

// Promise 1 of docs/guarantees.md. With a worker that has nothing to tell meanwhile.
test(
  'a page that is left in mid-upload is kept for Back, and its upload goes on to the end there',
  { tag: LANDING },
  async ({ scene, launch }) => {
    const { site, letStoreAnswer, expectWhole } = scene
    const sessionId = await leaveMidway(scene, launch, 'leave unheard')
    ;(await site.hears('away')).answer()

    const back = await site.hears('back')
    expect(back.told).toEqual({ kept: true, reasons: null })
    letStoreAnswer()
    back.answer()
    const { told } = await site.hears('over')
    expect(told).toMatchObject(whole(sessionId))
    await expectWhole(sessionId)
  },
)

// Promises 1, 2 of docs/guarantees.md. What the worker tells a page that was put aside has Chromium throw it away.
test(
  'a page that is left in mid-upload, and not kept: the worker finishes what it has, and the same call the rest',
  { tag: LANDING },
  async ({ scene, launch }) => {
    const { backend, sinceEntry, site, letStoreAnswer, expectWhole } = scene
    const sessionId = await leaveMidway(scene, launch, 'leave')
    const away = await site.hears('away')
    letStoreAnswer()
    const log = await anchored(backend, sessionId, 'interrupted', HANDED)
    expect(log.chunks).toHaveLength(HANDED)
    expectNothingTwice(backend, log, sinceEntry)

    away.answer()
    const back = await site.hears('back')
    expect(back.told.kept, 'an interrupted upload cannot go on in its page').toBe(false)
    back.answer()
    const { told } = await site.hears('over')
    expect(told).toMatchObject(whole(sessionId))
    await expectWhole(sessionId)
  },
)

// Promise 1 of docs/guarantees.md.
test(
  'a page that the browser freezes in mid-upload, while the worker goes on, takes it up where it was',
  { tag: LANDING },
  async ({ scene, launch }) => {
    const { backend, sinceEntry, site, url, letStoreAnswer, expectWhole } = scene
    let said = ''
    await launch({ debuggable: 'later', url, onSaid: (more) => (said += more.toString()) })
    const midway = await site.hears('midway')
    const { sessionId } = midway.told
    // Else Playwright has each page seen, and what is seen is not frozen.
    const endpoint = /DevTools listening on (ws:\S+)/.exec(said)?.[1] ?? ''
    const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true })
    const [context] = browser.contexts()
    const [page] = context!.pages()
    const cdp = await context!.newCDPSession(page!)
    await (await context!.newPage()).bringToFront()
    await expect.poll(() => page!.evaluate(() => document.visibilityState)).toBe('hidden')
    await cdp.send('Page.setWebLifecycleState', { state: 'frozen' })
    letStoreAnswer()
    // What it was handed the worker brings to the store, whoever is frozen.
    const stored = () =>
      backend.ledger
        .all()
        .filter(({ id, service, changed }) => id > sinceEntry && service === 'ipfs' && changed).length
    await expect.poll(stored).toBeGreaterThanOrEqual(HANDED)

    midway.answer('go on' satisfies AfterMidway)
    await cdp.send('Page.setWebLifecycleState', { state: 'active' })
    const { told } = await site.hears('over')
    expect(told).toMatchObject({ ...whole(sessionId), heard: ['freeze', 'resume'] })
    await expectWhole(sessionId)
  },
)
