import { expect } from '@playwright/test'
import { parseEntry } from '../src/evidence/entry-parse.ts'
import type { ChunkEntry, EndEntry } from '../src/evidence/entry.ts'
import { parsePage } from '../src/evidence/page-parse.ts'
import { pageCid, type Page } from '../src/evidence/page.ts'
import { ANCHORED, decodeAnchored, type AnchoredHead, type EventLog } from '../src/evidence/registry.ts'
import type { Cid, SessionName, Sha256Hex } from '../src/protocol/ids.ts'
import type { Backend } from './backend/index.ts'
import { STORES } from './stores.ts'

// Promise 4 of docs/guarantees.md.

/** What a session's last entry says of it. */
export type LoggedEnding = 'recording' | EndEntry['how']

/** A session's log, up to the newest head that the chain holds. */
export interface PublishedLog {
  readonly name: SessionName
  readonly ending: LoggedEnding
  /** By index. */
  readonly chunks: readonly ChunkEntry[]
  /** Oldest first. */
  readonly pages: readonly Cid[]
}

/**
 * What the chain says of a session, past everything that runs in the browser: its newest head. Of a session's name the
 * id is the first half, so it is found in the events.
 */
export async function witnessed(
  { chain: { registry, rpc } }: Backend,
  id: string,
): Promise<AnchoredHead | undefined> {
  const filter = { address: registry, fromBlock: '0x0', toBlock: 'latest', topics: [ANCHORED] }
  const logs = (await rpc('eth_getLogs', [filter])) as readonly EventLog[]
  const prefix = `0x${id.replaceAll('-', '')}`
  const latest = logs.findLast(({ topics }) => topics[1]?.startsWith(prefix) === true)
  return latest && decodeAnchored(latest)
}

/** The name of a session that is on the chain: what a reader asks for. */
export async function nameOf(backend: Backend, id: string): Promise<SessionName> {
  const head = await witnessed(backend, id)
  if (head === undefined) throw new Error(`The chain has nothing of ${id}.`)
  return head.name
}

/** Reads the log that a head ends from the gateway, page by page. */
export async function publishedLog(
  backend: Backend,
  { name, page: newest }: Pick<AnchoredHead, 'name' | 'page'>,
): Promise<PublishedLog> {
  const pages: Page[] = []
  const cids: Cid[] = []
  for (let digest: Sha256Hex | undefined = newest; digest !== undefined;) {
    const cid = pageCid(digest)
    const response = await fetch(`${backend.endpoints.gateway}/ipfs/${cid}`)
    expect(response.status).toBe(200)
    const page = parsePage(new Uint8Array(await response.arrayBuffer()))
    pages.unshift(page)
    cids.unshift(cid)
    digest = page.links[0]
  }
  expect(pages.map(({ number }) => number)).toEqual(pages.map((_page, at) => at + 1))
  const entries = pages.flatMap((page) => page.entries.map(parseEntry))
  const last = entries.at(-1)
  return {
    name,
    ending: last?.kind === 'end' ? last.how : 'recording',
    chunks: entries.filter((entry) => entry.kind === 'chunk').toSorted((a, b) => a.index - b.index),
    pages: cids,
  }
}

/** Waits until the chain holds a head whose log ends so, and lists at least `chunks` chunks. */
export const logged = (
  backend: Backend,
  id: string,
  ending: LoggedEnding,
  chunks: number,
): Promise<PublishedLog> => untilLogged(backend, id, ending, chunks, () => undefined)

/** The same, with each of these chunks in a store. */
export const anchored = (
  backend: Backend,
  id: string,
  ending: LoggedEnding,
  chunks: number,
): Promise<PublishedLog> =>
  untilLogged(backend, id, ending, chunks, (log) => {
    const sent = new Set(sends(backend).map(({ key }) => key))
    const away = log.chunks.filter(({ cid }) => !sent.has(cid))
    return away.length > 0 ? `${away.length} chunks in no store` : undefined
  })

async function untilLogged(
  backend: Backend,
  id: string,
  ending: LoggedEnding,
  chunks: number,
  lacks: (log: PublishedLog) => string | undefined,
): Promise<PublishedLog> {
  let log: PublishedLog | undefined
  await expect
    .poll(
      async () => {
        const head = await witnessed(backend, id)
        if (head === undefined) return 'nothing on the chain'
        log = await publishedLog(backend, head)
        if (log.chunks.length < chunks) return `${log.chunks.length} chunks`
        return lacks(log) ?? log.ending
      },
      { intervals: [100] },
    )
    .toBe(ending)
  if (log === undefined) throw new Error('unreachable')
  return log
}

/** Each chunk and each page was stored by exactly one request, and no request changed anything twice. */
export function expectNothingTwice(
  backend: Backend,
  { chunks, pages }: Pick<PublishedLog, 'chunks' | 'pages'>,
  sinceEntry: number,
): void {
  const sent = sends(backend)
  const sendsOf = (cid: Cid) => sent.filter(({ key }) => key === cid)
  for (const { cid, index } of chunks) expect(sendsOf(cid), `chunk ${index}`).toHaveLength(1)
  for (const [at, cid] of pages.entries()) expect(sendsOf(cid), `page ${at + 1}`).toHaveLength(1)
  expect(backend.ledger.duplicates().filter(({ id }) => id > sinceEntry)).toEqual([])
}

/** The requests that brought content to a store; the ledger, which is copied for it, has those of all tests so far. */
const sends = (backend: Backend) =>
  backend.ledger.all().filter(({ changed, service, method }) => changed && isSend(service, method))

const isSend = (service: string, method: string) =>
  Object.values(STORES).some((store) => store.service === service && store.method === method)
