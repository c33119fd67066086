import { randomBytes } from 'node:crypto'
import type { Page } from '@playwright/test'
import type { Backend, LedgerEntry, ServiceName } from '../backend/index.ts'
import { expect, test, LANDING } from '../fixtures.ts'
import { builtScript } from '../built-scripts.ts'
import { dump } from '../in-page/dump.ts'
import { serve } from '../in-page/serve.ts'
import { A_CHUNK, A_PAGE } from '../stores.ts'
import { searchFiles } from './profile-search.ts'
import type { StoreKind } from './secrets-worker.ts'
import { newToken } from './variants.ts'

// Promise 7 of docs/guarantees.md.

/** Requests that send content. */
const SENDS: Readonly<Record<StoreKind, { service: ServiceName; method: string; match: string }>> = {
  ipfs: { service: 'ipfs', method: 'POST', match: '/api/v0/add' },
  'tus-plain': { service: 'tus', method: 'PATCH', match: '/tus-plain/' },
  put: { service: 'put', method: 'PUT', match: '/put/objects/' },
  pinata: { service: 'pinata', method: 'POST', match: '/pinata/v3/files' },
  'pinata-signed': { service: 'pinata', method: 'POST', match: '/pinata/signed' },
}
/** The two of Pinata in turn: what breaks the one's uploads would break what the other's are signed by. */
const CONCURRENT_STORES: readonly (readonly StoreKind[])[] = [
  ['ipfs'],
  ['tus-plain'],
  ['put'],
  ['pinata', 'pinata-signed'],
]
const CHUNKS = 6

test(
  'what sign-in hooks give is nowhere in the profile folder, also where stores repeat it in their errors',
  { tag: LANDING },
  async ({ stack, launch }, testInfo) => {
    const { backend, sinceEntry } = stack
    const worker = await builtScript('transports/secrets-worker.ts')
    const script = await builtScript('update/update-page.ts')
    const profile = testInfo.outputPath('profile')
    const browser = await launch({ profile })
    const secrets = new Set(['signature=secret'])
    const told: string[] = []

    // Each on an origin of its own, all at once: most of the time they wait for their next attempt.
    const uploadTo = async (store: StoreKind) => {
      const token = await newToken(backend.endpoints)
      secrets.add(token)
      const head = `var ENDPOINTS = ${JSON.stringify(backend.endpoints)}, STORE = ${JSON.stringify(store)};\n`
      const app = await serve(
        new Map([
          ['/sw.js', head + worker],
          ['/page.js', script],
          ['/token', token],
        ]),
      )
      const page = await browser.context.newPage()
      await page.goto(app.url)
      await page.addScriptTag({ url: '/page.js' })
      await uploadThroughRefusals(backend, page, store)
      told.push(JSON.stringify(await dump(page)), JSON.stringify(await seenByPage(page)))
      // A browser with work left would not close.
      await resumeToEnd(page)
      told.push(JSON.stringify(await dump(page)))
      await page.close()
      await app.close()
    }
    const inTurn = async (stores: readonly StoreKind[]) => {
      for (const store of stores) await uploadTo(store)
    }
    await Promise.all(CONCURRENT_STORES.map(inTurn))
    const requests = backend.ledger.all().slice(sinceEntry)
    const signatures = signaturesIn(requests)
    expect(signatures.size).toBeGreaterThan(CHUNKS)
    for (const signature of signatures) secrets.add(signature)

    for (const text of told) {
      // What the stores said is told, without what they repeated.
      expect(text).toContain('answered 400')
      for (const secret of secrets) expect(text).not.toContain(secret)
    }

    const planted = await plant(await browser.context.newPage())
    await browser.close()
    const found = await searchFiles(profile, new Set([...secrets, ...planted.values()]))
    // The search finds what is there, in each form: else finding nothing would mean nothing.
    for (const [form, secret] of planted) {
      const files = found.filter((one) => one.secret === secret && one.form === form).map(({ file }) => file)
      expect(
        files.some((file) => file.includes('IndexedDB')),
        form,
      ).toBe(true)
    }
    expect(found.filter(({ secret }) => secrets.has(secret))).toEqual([])
  },
)

/** Chunks and a page of the log meet errors that repeat what was sent, and a lost answer; the other chunks go up. */
async function uploadThroughRefusals(backend: Backend, page: Page, store: StoreKind): Promise<void> {
  const chunk = { ...SENDS[store], content: A_CHUNK }
  const echo = { kind: 'status', echo: true } as const
  const faults = [
    backend.faults.add({ ...chunk, ...echo, status: 500, times: 1 }),
    backend.faults.add({ ...chunk, ...echo, status: 401, times: 2 }),
    backend.faults.add({ ...chunk, ...echo, status: 400, times: 1 }),
    backend.faults.add({ ...chunk, kind: 'forget-answer', times: 1 }),
    backend.faults.add({ ...SENDS[store], content: A_PAGE, ...echo, status: 400, times: 1 }),
  ]
  await page.evaluate(async (chunks) => {
    await window.app.begin(0)
    for (let index = 0; index < chunks; index += 1) await window.app.append(index)
    await window.app.session?.end()
  }, CHUNKS)
  await expect.poll(() => faults.map((fault) => fault.hits)).toEqual([1, 2, 1, 1, 1])
  await expect
    .poll(async () => {
      const { parked = 0, chunks } = (await seenByPage(page))[0]?.session ?? {}
      return parked > 0 && chunks?.uploading === parked
    })
    .toBe(true)
}

async function resumeToEnd(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const holdfast = await window.app.connect()
    for (const { id } of await holdfast.sessions()) await holdfast.resume(id)
  })
  await expect.poll(async () => (await seenByPage(page))[0]?.session.upload).toBe('confirmed')
}

const seenByPage = (page: Page) =>
  page.evaluate(async () => {
    const holdfast = await window.app.connect()
    const sessions = await holdfast.sessions()
    return Promise.all(
      sessions.map(async (session) => ({ session, chunks: await holdfast.chunks(session.id) })),
    )
  })

/** Signatures of URLs as the stores saw them. */
function signaturesIn(requests: readonly LedgerEntry[]): Set<string> {
  const signed = requests.map(({ query }) => new URLSearchParams(query))
  return new Set(
    signed
      .flatMap((query) => ['X-Amz-Signature', 'X-Signature'].map((name) => query.get(name) ?? ''))
      .filter(Boolean),
  )
}

/** Has the page store secrets of its own, each in another form. */
async function plant(page: Page): Promise<Map<string, string>> {
  const served = await serve(new Map())
  await page.goto(served.url)
  const planted = new Map(
    ['bytes', 'UTF-16LE', 'Base64'].map((form) => [form, randomBytes(32).toString('hex')]),
  )
  const texts = [
    `Bearer ${planted.get('bytes')}`,
    // A character beyond Latin 1 has the whole text stored in two bytes each.
    `Bearer … ${planted.get('UTF-16LE')}`,
    Buffer.from(`Bearer ${planted.get('Base64')}, and more`).toString('base64'),
  ]
  await page.evaluate(
    (values) =>
      new Promise<void>((resolve) => {
        const opening = indexedDB.open('planted')
        opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('texts'))
        opening.addEventListener('success', () => {
          const tx = opening.result.transaction('texts', 'readwrite', { durability: 'strict' })
          values.forEach((value, at) => tx.objectStore('texts').put({ value }, at))
          tx.addEventListener('complete', () => resolve())
        })
      }),
    texts,
  )
  await served.close()
  return planted
}
