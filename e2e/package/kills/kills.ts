import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { openSession } from '../../../src/verify/index.ts'
import { findChromium } from '../../driver/find-chromium.ts'
import { launchBrowser, type RealBrowser } from '../../driver/real-browser.ts'
import { stopWorkers } from '../../driver/worker-control.ts'
import { publishedLog } from '../../backend-oracle.ts'
import { isPage } from '../../../sw/testing/is-page.ts'
import { parsePage } from '../../../src/evidence/page-parse.ts'
import { parseSignedHead, SIGNED_HEAD_BYTES } from '../../../src/evidence/head-parse.ts'
import { unlessLate, sleep } from '../../soak/unless-late.ts'
import { seeded } from '../../soak/seeded-random.ts'
import { STORES as CONTENT } from '../../stores.ts'
import { builtApp, type AppWindow, type StoreName, type Told } from './app.ts'
import { requestsOf, wasOvertaken } from './bucket.ts'
import { contentOf } from './content.ts'
import { logsIn, openEvidence } from './evidence.ts'
import { logOf } from './leveldb-log.ts'
import { openPlace } from './place.ts'

export interface KillOptions {
  readonly store: StoreName
  readonly uploads: number
  /** Over all of them. */
  readonly kills: number
  /** How fast the server reads, so that a kill finds parts in every state. Default 200,000. */
  readonly bytesPerSec?: number
  readonly seed: number
  /** The longest time from a pick to the kill, ms. Default 2,500. */
  readonly withinMs?: number
  /** Which, by chance; default: all three. */
  readonly kinds?: readonly Kind[]
  /** The first browser that is killed dies in the middle of a write to its databases. */
  readonly tears?: boolean
  /** Emptied first; what happened is kept here. */
  readonly folder: string
  readonly log: (line: string) => void
}

/** What came of it; anything but zero lost and doubled is a bug. */
export interface Outcome {
  readonly kills: Readonly<Record<string, number>>
  readonly parts: number
  /** In words. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /** Files that were picked when they were whole already, just after the device had said that they were not. */
  readonly again: readonly string[]
  /**
   * Sent again, and not stored again: the first had been sent whole by a worker that died, and who asked was told that it
   * is not there while it was still being read.
   */
  readonly overtaken: readonly string[]
  /** Times that Chromium threw all of the site's databases away, in words, as docs/guarantees.md tells. */
  readonly wiped: readonly string[]
  /** In words, which killed browsers left their databases' log broken, and whether the last one did. */
  readonly torn: { readonly ever: readonly string[]; readonly last: readonly string[] }
  /** Objects that were brought before that, and are in no log that the device knows since then. */
  readonly forgotten: number
}

export const KINDS = ['tab', 'worker', 'browser'] as const
type Kind = (typeof KINDS)[number]
const PART_BYTES = 128 * 1024
const PARTS = 160
const SIZE_BYTES = PART_BYTES * PARTS - 4
/** A last net, for a machine however slow. */
const SETTLES_WITHIN_MS = 1_200_000

declare const window: Window & AppWindow

/**
 * Uploads files by an app that has nothing but the packed library, and kills its tab, its worker or its browser at random
 * times until all kills are used; then a person picks what is unfinished again. The judge is what the store has: whether
 * a reader gets every byte, and whether anything was brought twice or for nothing.
 */
export async function killUploads({
  store,
  uploads,
  kills,
  bytesPerSec: slow = 200_000,
  seed,
  withinMs = 2_500,
  kinds = KINDS,
  tears = false,
  folder,
  log,
}: KillOptions): Promise<Outcome> {
  const random = seeded(seed)
  let bytesPerSec = slow
  const place = await openPlace(folder, store, () => bytesPerSec)
  const { privateKey, publicKey: group, backend, bucket, server } = place
  const site = await builtApp(join(folder, 'app'), store, server, { tusPartBytes: 65_536 })
  if (store !== 'put') backend.faults.add({ ...CONTENT[store], kind: 'slow', bytesPerSec })

  const executable = findChromium(log)
  const profile = join(folder, 'profile')
  const evidence = await openEvidence(join(folder, 'evidence'), profile)
  let browser: RealBrowser | undefined
  let page: Page | undefined
  async function opened(): Promise<Page> {
    browser ??= await launchBrowser({
      executable,
      profile,
      args: ['--enable-logging=stderr'],
      onSaid: evidence.heard,
    })
    // However busy the machine is: a net, and no measure.
    browser.context.setDefaultTimeout(SETTLES_WITHIN_MS)
    if (page === undefined) {
      page = await browser.context.newPage()
      await page.goto(site.url)
      await page.waitForFunction(() => 'uploadApp' in window)
      evidence.visited(await page.evaluate(() => window.uploadApp.visit()))
    }
    return page
  }
  async function killBrowser() {
    const dying = browser
    page = browser = undefined
    await dying?.kill()
  }
  async function told(): Promise<readonly Told[]> {
    const all = await (await opened()).evaluate(() => window.uploadApp.told())
    evidence.note('told', all)
    return all
  }

  const counted: Record<string, number> = {}
  const strike = {
    tab: async () => {
      await page?.close()
      page = undefined
    },
    worker: async () => void (page && (await unlessLate(stopWorkers(page), 5_000))),
    browser: async () => {
      await killBrowser()
      if (tears && counted['browser'] === undefined) tearLog()
      evidence.killed()
    },
  }
  const files = Array.from({ length: uploads }, (_none, at) => ({
    label: `upload-${at}`,
    sizeBytes: SIZE_BYTES,
    seed: seed * 100 + at + 1,
    partBytes: PART_BYTES,
    group,
  }))
  const of = (all: readonly Told[], label: string) => all.filter((each) => each.label === label)
  const isSettled = (all: readonly Told[], label: string) =>
    of(all, label).length > 0 &&
    of(all, label).every(({ ending, upload }) => ending === 'complete' && upload === 'confirmed')

  try {
    for (const [at, file] of files.entries()) {
      const killsOfThis = Math.floor((kills * (at + 1)) / uploads) - Math.floor((kills * at) / uploads)
      for (let kill = 0; kill < killsOfThis; kill++) {
        const tab = await opened()
        if (isSettled(await told(), file.label)) {
          log(`${file.label} was settled after ${kill} kills`)
          break
        }
        await pick(tab, file)
        await sleep(random.between(50, withinMs))
        // There is to be something that the device can forget.
        if (tears) await untilStored()
        const kind = random.pick(kinds)
        evidence.note('kills', kind)
        await strike[kind]()
        counted[kind] = (counted[kind] ?? 0) + 1
      }
      log(`${file.label}: ${JSON.stringify(counted)} kills so far`)
    }
    backend.faults.clear()
    bytesPerSec = Infinity
    await settleAll()
    return await judged()
  } finally {
    await evidence.keep('made', store === 'put' ? bucket.made : backend.ledger.all())
    await killBrowser()
    await site.close()
    await place.close()
  }

  /** A person picks the file, again where a tab died over it; a worker that is stopped leaves its tab at it. */
  async function pick(tab: Page, file: (typeof files)[number]): Promise<void> {
    await tab.evaluate((asked) => {
      const { underWay, upload } = window.uploadApp
      if (!underWay.has(asked.label)) upload(asked).catch(() => undefined)
    }, file)
  }

  /** A person picks again what is not whole, and waits. */
  async function settleAll(): Promise<void> {
    const until = Date.now() + SETTLES_WITHIN_MS
    for (const file of files) {
      const tab = await opened()
      if (!isSettled(await told(), file.label)) await pick(tab, file)
      for (;;) {
        const all = await told()
        // Picked just before it was whole it goes up again.
        const isUnderWay = await tab.evaluate(({ label }) => window.uploadApp.underWay.has(label), file)
        if (isSettled(all, file.label) && !isUnderWay) break
        if (Date.now() > until) return log(`Not settled: ${JSON.stringify(all)}`)
        await sleep(500)
      }
    }
  }

  async function judged(): Promise<Outcome> {
    const [lost, doubled]: [string[], string[]] = [[], []]
    const [again, overtaken]: [string[], string[]] = [[], []]
    const all = await told()
    await evidence.keep('custody', await (await opened()).evaluate(() => window.uploadApp.logs()))
    const wiped = evidence.wiped()
    for (const { isExplained, words } of wiped)
      if (!isExplained) lost.push(`the databases, for no known reason: ${words}`)
    const wipedAtMs = wiped.at(-1)?.atMs ?? 0
    let forgotten = 0
    const expected = new Set<string>()
    const names = new Set<string>()
    const pageEnds = new Set<string>()
    for (const file of files) {
      const sessions = of(all, file.label).sort((a, b) => a.startedAtMs - b.startedAtMs)
      if (sessions.length === 0) lost.push(`${file.label} has no session`)
      for (const [at, found] of sessions.entries()) {
        await judge(file, found)
        const before = sessions[at - 1]
        // Whoever picks a file that is whole uploads it again.
        if (before && (before.confirmedAtMs ?? Infinity) <= found.startedAtMs) again.push(file.label)
        else if (before) doubled.push(`${file.label} is another session, too`)
      }
    }
    async function judge({ label, sizeBytes, seed: contentSeed }: (typeof files)[number], found: Told) {
      if (found.head === undefined) return void lost.push(`${label} has no head: ${JSON.stringify(found)}`)
      const places = { gateway: server, groupKey: privateKey }
      const session = await openSession({ head: found.head, ...places })
      if (store === 'put') {
        // This gateway has heads by name, too.
        const byName = await openSession({ head: 'newest', name: found.name, ...places })
        if (byName.size !== session.size) lost.push(`${label}: by its name ${byName.size} entries`)
      }
      const bytes = await session.bytes().catch((error: unknown) => String(error))
      const content = contentOf(sizeBytes, contentSeed)
      const isWhole = session.ending === 'complete' && session.missingCount === 0
      if (!isWhole) lost.push(`${label}: ${session.ending}, ${session.missingCount} parts missing`)
      if (typeof bytes === 'string') lost.push(`${label}: ${bytes}`)
      else if (!Buffer.from(bytes).equals(content)) lost.push(`${label}: other bytes`)
      const head = parseSignedHead(await objectOf(found.head))
      const gateway = { endpoints: { gateway: server } } as typeof backend
      const log = await publishedLog(gateway, { name: found.name as SessionName, page: head.page })
      names.add(head.name)
      const indexes = log.chunks.map(({ index }) => index)
      if (new Set(indexes).size !== indexes.length) doubled.push(`${label}: an index twice in the log`)
      for (const cid of [...log.pages, ...log.chunks.map((chunk) => chunk.cid)]) expected.add(cid)
    }
    const stored = storedKeys()
    const requests = requestsOf(backend.ledger.all(), CONTENT[store])
    for (const [key, { times, atMs }] of stored) {
      const isForgotten = atMs < wipedAtMs
      if (times > 1 && wasOvertaken(store === 'put' ? bucket : requests, key)) overtaken.push(key)
      else if (times > 1) doubled.push(`${key} was stored ${times} times`)
      const object = await objectOf(key)
      const page = isPage(object) ? parsePage(object) : undefined
      if (page) {
        // A full page takes the place of small ones; no two end with one entry.
        const end = `${page.name} ${page.from + page.entries.length}`
        if (isForgotten && !names.has(page.name)) forgotten++
        else if (pageEnds.has(end) || !names.has(page.name)) doubled.push(`${key} is one page too much`)
        pageEnds.add(end)
      }
      if (expected.has(key) || page) continue
      if (isForgotten) forgotten++
      else // Of heads each page has one; anything else that no log lists was brought for nothing.
      if (object.length !== SIGNED_HEAD_BYTES) doubled.push(`${key} is in no log`)
    }
    for (const cid of expected) if (!stored.has(cid)) lost.push(`${cid} was never stored`)
    return {
      kills: counted,
      parts: uploads * PARTS,
      lost,
      doubled,
      again,
      overtaken,
      wiped: wiped.map(({ words }) => words),
      torn: evidence.torn(),
      forgotten,
    }
  }

  async function objectOf(cid: string): Promise<Uint8Array> {
    const response = await fetch(`${server}/ipfs/${cid}`)
    return new Uint8Array(await response.arrayBuffer())
  }

  async function untilStored(): Promise<void> {
    while (storedKeys().size === 0) await sleep(50)
  }

  /** How often each object was brought whole, and when first, ms since the epoch, by the server's own ledger. */
  function storedKeys(): Map<string, { times: number; atMs: number }> {
    const { service: its, method: sends } = CONTENT[store]
    const brought =
      store === 'put'
        ? bucket.made
            .filter(({ status }) => status === 200 || status === 412)
            .map(({ key, fromMs }) => ({ key, at: performance.timeOrigin + fromMs }))
        : backend.ledger
            .all()
            .filter(({ service, method }) => service === its && method === sends)
            .filter(({ changed, duplicate }) => changed || duplicate)
    const stored = new Map<string, { times: number; atMs: number }>()
    for (const { key, at } of brought) {
      if (key === undefined) continue
      const { times, atMs } = stored.get(key) ?? { times: 0, atMs: at }
      stored.set(key, { times: times + 1, atMs })
    }
    return stored
  }

  /** The log goes on with the head of a record, and nothing follows: its writer died between two writes. */
  function tearLog(): void {
    const [path] = logsIn(profile).at(-1) ?? []
    if (path !== undefined) appendFileSync(path, logOf([new Uint8Array(100)]).subarray(0, 7))
  }
}
