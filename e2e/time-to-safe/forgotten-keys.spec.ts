import type { CDPSession, Page } from '@playwright/test'
import { randomBytes } from 'node:crypto'
import { newGroup } from '../../src/group.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import type { Backend } from '../backend/index.ts'
import { reachable, type Inspected, type Reachable } from '../driver/reachable.ts'
import { workerSession } from '../driver/worker-control.ts'
import { expect, test, LANDING, WHOLE } from '../fixtures.ts'
import { needlesOf, searchFor, type Needle } from '../transports/profile-search.ts'
import { openApp, serveVersions } from '../update/versions.ts'
import { secretsOf, type Listed } from './chunk-secrets.ts'
import { listedEntries } from './heads-witness.ts'

// Promise 7 of docs/guarantees.md. What this cannot see, and docs/privacy.md says: memory that is free, and not yet used again.

/** Shorter ones hold no key, and longer ones no key alone. */
const mayBeKey = (byteLength: number) => byteLength >= 16 && byteLength < 1_024
/** HKDF’s salt where there is none, and the base point of X25519. */
const CONSTANTS = [32, 32]

for (const moments of [2, 20])
  for (const seal of ['page', 'worker'] as const)
    test(
      `at ${moments} moments after chunks were acknowledged and sealed by the ${seal}, nothing that opens one is in the profile folder or in reach of a script${seal === 'page' ? ', nor a plaintext on the disk' : ''}`,
      { tag: moments > 2 ? WHOLE : LANDING },
      async ({ stack, launch }) => {
        // A last net, as the configuration's: each look takes seconds, and a minute on a busy machine.
        test.setTimeout(600_000 + moments * 60_000)
        const { backend } = stack
        const browser = await launch()
        const { profile } = browser
        const app = await serveVersions(backend.endpoints)
        const page = await openApp(browser.context, app)
        // Made here: the page has no private key of it.
        const { publicKey, privateKey } = await newGroup()
        const name = await begin(page, publicKey, seal)
        const contexts: readonly (readonly [string, Inspected])[] = [
          ['page', inspectedPage(await page.context().newCDPSession(page))],
          ['worker', await workerSession(page)],
        ]
        const plaintext = randomBytes(32)
        const plain = [{ secret: 'plaintext', form: 'bytes', bytes: plaintext }]
        for (let chunks = 1; chunks <= moments; chunks++) {
          await page.evaluate(
            (bytes) =>
              window.app.session?.append(
                new Blob(Array.from({ length: 1_500 }, () => new Uint8Array(bytes))),
              ),
            [...plaintext],
          )
          // The worker may seal a chunk after it has acknowledged it, and has its key until then.
          if (seal === 'worker') await expect.poll(() => areSealed(page)).toBe(true)
          const seen: { where: string; inspected: Inspected; all: Reachable }[] = []
          for (const [where, inspected] of contexts)
            seen.push({ where, inspected, all: await reachable(inspected) })
          await expect.poll(async () => (await listed(backend, name))?.chunks.length).toBe(chunks)

          const log = (await listed(backend, name))!
          const needles = needlesFor(log, privateKey)
          for (const { where, inspected, all } of seen) {
            expect(foundIn(all, needles), `in the ${where}, chunk ${chunks}`).toEqual([])
            // One that signs opens nothing.
            expect(all.keys.filter((key) => !key.startsWith('ECDSA '))).toEqual([])
            await expectLengths(inspected, all, CONSTANTS, `in the ${where}, chunk ${chunks}`)
          }
          // Those of earlier chunks were looked for when they were new, and are once more at the end.
          const newest = { ...log, chunks: log.chunks.filter(({ index }) => index === chunks - 1) }
          const onDisk = chunks === moments ? needles : needlesFor(newest, privateKey)
          expect(await searchFor(profile, onDisk)).toEqual([])
          // By the worker it is sealed after it was stored.
          if (seal === 'page') expect(await searchFor(profile, plain)).toEqual([])
        }

        // Finding nothing means something only where what is there is found.
        for (const [where, inspected] of contexts) {
          const planted = await plant(inspected)
          const all = await reachable(inspected)
          for (const [form, secret] of Object.entries(planted))
            expect(foundIn(all, needlesOf(form, secret)), `${form} in the ${where}`).not.toEqual([])
          await expectLengths(inspected, all, [...CONSTANTS, 32, 32], `what was planted in the ${where}`)
          expect(all.keys).toContain('AES-GCM secret encrypt')
        }
        const stored = needlesOf('stored', await store(page))
        await browser.kill()
        expect((await searchFor(profile, stored)).map(({ form }) => form)).toContain('bytes')
        await app.close()
      },
    )

const begin = (page: Page, publicKey: string, seal: 'page' | 'worker'): Promise<SessionName> =>
  page.evaluate(
    async ([publicKey, seal]) => {
      const { app } = window
      app.holdfast = await app.connect()
      app.session = await app.holdfast.startSession({ groups: [{ publicKey }], mimeType: 'video/webm', seal })
      return app.session.name
    },
    [publicKey, seal] as const,
  )

const areSealed = (page: Page) =>
  page.evaluate(async () => {
    const { holdfast, session } = window.app
    const chunks = session && (await holdfast?.chunks(session.id))
    return chunks?.every(({ status }) => !['captured', 'hashing', 'encrypting'].includes(status))
  })

function inspectedPage(session: CDPSession): Inspected {
  const any = session as unknown as {
    send(method: string, params?: object): Promise<unknown>
    on(event: string, heard: (params: unknown) => void): void
  }
  return { send: (method, params) => any.send(method, params), on: (event, heard) => any.on(event, heard) }
}

/** What the store has of a session's log; undefined before its first entry. */
async function listed(backend: Backend, name: SessionName): Promise<Listed | undefined> {
  const entries = await listedEntries(backend, name, backend.ledger.all())
  const first = entries.map(({ entry }) => entry).find((entry) => entry.kind === 'session')
  const chunks = entries.map(({ entry }) => entry).filter((entry) => entry.kind === 'chunk')
  return first && { name, first, chunks }
}

const needlesFor = (log: Listed, groupKey: Uint8Array) =>
  secretsOf(log, groupKey).flatMap(({ what, bytes }) => needlesOf(what, bytes))

/** A buffer of such a length may be a page of the log on its way to the store, or a head: that one does not stay. */
async function expectLengths(
  inspected: Inspected,
  first: Reachable,
  lengths: readonly number[],
  what: string,
) {
  const looks = [first]
  const found = async () => (looks.pop() ?? (await reachable(inspected))).lengths.filter(mayBeKey)
  await expect.poll(found, what).toEqual(lengths)
}

/** Which of these a script could still get at, as bytes or in a string. */
function foundIn({ bytes, strings }: Reachable, needles: readonly Needle[]): string[] {
  const text = strings.join('\n')
  return needles
    .filter(
      (needle) =>
        bytes.some((each) => each.includes(needle.bytes)) || text.includes(needle.bytes.toString('latin1')),
    )
    .map(({ secret, form }) => `${secret} as ${form}`)
}

/** Has the context keep secrets, each in another way, two buffers and a key among them; tells those that have bytes. */
async function plant(inspected: Inspected): Promise<Record<string, Buffer>> {
  const expression = `(async () => {
    const fresh = () => crypto.getRandomValues(new Uint8Array(32))
    const made = { list: fresh(), hex: fresh(), base64: fresh(), blob: fresh() }
    globalThis.kept = {
      list: Array.from(made.list),
      hex: Array.from(made.hex, (byte) => byte.toString(16).padStart(2, '0')).join(''),
      base64: btoa(String.fromCharCode(...made.base64)),
      blob: new Blob([made.blob]),
      view: fresh(),
      buffer: fresh().slice().buffer,
      key: await crypto.subtle.importKey('raw', fresh(), 'AES-GCM', false, ['encrypt']),
    }
    return Object.entries(made).map(([form, bytes]) => [form, Array.from(bytes)])
  })()`
  const options = { expression, awaitPromise: true, returnByValue: true }
  const said = (await inspected.send('Runtime.evaluate', options)) as {
    readonly result: { readonly value: readonly (readonly [string, readonly number[]])[] }
  }
  return Object.fromEntries(said.result.value.map(([form, bytes]) => [form, Buffer.from(bytes)]))
}

/** Has the page store 32 random bytes. */
const store = async (page: Page): Promise<Buffer> =>
  Buffer.from(
    await page.evaluate(
      () =>
        new Promise<number[]>((resolve) => {
          const bytes = crypto.getRandomValues(new Uint8Array(32))
          const opening = indexedDB.open('planted')
          opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('bytes'))
          opening.addEventListener('success', () => {
            const tx = opening.result.transaction('bytes', 'readwrite', { durability: 'strict' })
            tx.objectStore('bytes').put(bytes, 0)
            tx.addEventListener('complete', () => resolve(Array.from(bytes)))
          })
        }),
    ),
  )
