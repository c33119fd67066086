import { isPage } from '../../../sw/testing/is-page.ts'
import { parseSignedHead, SIGNED_HEAD_BYTES } from '../../../src/evidence/head-parse.ts'
import { parsePage } from '../../../src/evidence/page-parse.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { openSession } from '../../../src/verify/index.ts'
import { publishedLog } from '../../backend-oracle.ts'
import { STORES as CONTENT } from '../../stores.ts'
import type { AppFile, StoreName, Told } from './app.ts'
import { broughtTo } from './brought.ts'
import { requestsOf, wasOvertaken } from './bucket.ts'
import { contentOf } from './content.ts'
import type { Wiped } from './evidence.ts'
import type { Place } from './place.ts'

/** What is wrong with what the store has; anything but zero lost and doubled is a bug. */
export interface Judgement {
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
  /** Objects that were brought before the device lost its databases, and are in no log that it knows since then. */
  readonly forgotten: number
}

/** What the logs of all sessions list. */
interface Listed {
  /** Pages and chunks, by address. */
  readonly objects: Set<string>
  /** Of the sessions. */
  readonly names: Set<string>
}

type Complaints = { -readonly [Of in 'lost' | 'doubled' | 'again' | 'overtaken']: string[] }

/** Asks the store, as a reader and by its ledger: whether each file is there byte for byte, and nothing twice or for nothing. */
export async function judge(
  place: Place,
  store: StoreName,
  files: readonly AppFile[],
  told: readonly Told[],
  wiped: readonly Wiped[],
): Promise<Judgement> {
  const found: Complaints = { lost: [], doubled: [], again: [], overtaken: [] }
  const listed: Listed = { objects: new Set(), names: new Set() }
  for (const { isExplained, words } of wiped)
    if (!isExplained) found.lost.push(`the databases, for no known reason: ${words}`)
  for (const file of files) {
    const sessions = told
      .filter(({ label }) => label === file.label)
      .sort((a, b) => a.startedAtMs - b.startedAtMs)
    if (sessions.length === 0) found.lost.push(`${file.label} has no session`)
    for (const [at, session] of sessions.entries()) {
      await judgeSession(place, store, file, session, found, listed)
      const before = sessions[at - 1]
      // Whoever picks a file that is whole uploads it again.
      if (before && (before.confirmedAtMs ?? Infinity) <= session.startedAtMs) found.again.push(file.label)
      else if (before) found.doubled.push(`${file.label} is another session, too`)
    }
  }
  const forgotten = await judgeObjects(place, store, wiped.at(-1)?.atMs ?? 0, found, listed)
  return { ...found, forgotten }
}

/** Reads a session as somebody elsewhere would, and adds what its log lists. */
async function judgeSession(
  { privateKey, server }: Place,
  store: StoreName,
  { label, sizeBytes, seed }: AppFile,
  told: Told,
  { lost, doubled }: Complaints,
  listed: Listed,
): Promise<void> {
  if (told.head === undefined) return void lost.push(`${label} has no head: ${JSON.stringify(told)}`)
  const places = { gateway: server, groupKey: privateKey }
  const session = await openSession({ head: told.head, ...places })
  if (store === 'put') {
    // This gateway has heads by name, too.
    const byName = await openSession({ head: 'newest', name: told.name, ...places })
    if (byName.size !== session.size) lost.push(`${label}: by its name ${byName.size} entries`)
  }
  const bytes = await session.bytes().catch((error: unknown) => String(error))
  const isWhole = session.ending === 'complete' && session.missingCount === 0
  if (!isWhole) lost.push(`${label}: ${session.ending}, ${session.missingCount} parts missing`)
  if (typeof bytes === 'string') lost.push(`${label}: ${bytes}`)
  else if (!Buffer.from(bytes).equals(contentOf(sizeBytes, seed))) lost.push(`${label}: other bytes`)
  const head = parseSignedHead(await objectOf(server, told.head))
  const gateway = { endpoints: { gateway: server } } as Place['backend']
  const log = await publishedLog(gateway, { name: told.name as SessionName, page: head.page })
  listed.names.add(head.name)
  const indexes = log.chunks.map(({ index }) => index)
  if (new Set(indexes).size !== indexes.length) doubled.push(`${label}: an index twice in the log`)
  for (const cid of [...log.pages, ...log.chunks.map((chunk) => chunk.cid)]) listed.objects.add(cid)
}

/**
 * Looks at each object that the store was brought.
 *
 * @param wipedAtMs what was brought before that belongs to sessions that the device cannot know
 * @returns how many of these there are
 */
async function judgeObjects(
  { server, bucket, backend }: Place,
  store: StoreName,
  wipedAtMs: number,
  { lost, doubled, overtaken }: Complaints,
  { objects, names }: Listed,
): Promise<number> {
  const brought = broughtTo(store, { bucket, backend })
  const requests = store === 'put' ? bucket : requestsOf(backend.ledger.all(), CONTENT[store])
  const pageEnds = new Set<string>()
  let forgotten = 0
  for (const [key, { times, atMs }] of brought) {
    const isForgotten = atMs < wipedAtMs
    if (times > 1 && wasOvertaken(requests, key)) overtaken.push(key)
    else if (times > 1) doubled.push(`${key} was stored ${times} times`)
    const object = await objectOf(server, key)
    const page = isPage(object) ? parsePage(object) : undefined
    if (page) {
      // A full page takes the place of small ones; no two end with one entry.
      const end = `${page.name} ${page.from + page.entries.length}`
      if (isForgotten && !names.has(page.name)) forgotten++
      else if (pageEnds.has(end) || !names.has(page.name)) doubled.push(`${key} is one page too much`)
      pageEnds.add(end)
    }
    if (objects.has(key) || page) continue
    if (isForgotten) forgotten++
    else // Of heads each page has one; anything else that no log lists was brought for nothing.
    if (object.length !== SIGNED_HEAD_BYTES) doubled.push(`${key} is in no log`)
  }
  for (const cid of objects) if (!brought.has(cid)) lost.push(`${cid} was never stored`)
  return forgotten
}

async function objectOf(server: string, cid: string): Promise<Uint8Array> {
  const response = await fetch(`${server}/ipfs/${cid}`)
  return new Uint8Array(await response.arrayBuffer())
}
