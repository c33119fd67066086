import { expect } from '@playwright/test'
import { parseSignedHead, SIGNED_HEAD_BYTES } from '../../src/evidence/head-parse.ts'
import { verifyHead, type SignedHead } from '../../src/evidence/head.ts'
import type { Backend } from '../backend/index.ts'
import { publishedLog, type LoggedEnding, type PublishedLog } from '../backend-oracle.ts'
import { STORES } from '../stores.ts'

/** A head that lies at a store as an object. */
export interface StoredHead {
  readonly address: string
  readonly head: SignedHead
  /** When the request that brought it began, ms since the epoch. */
  readonly atMs: number
}

const isSend = (service: string, method: string) =>
  Object.values(STORES).some((store) => store.service === service && store.method === method)

/** Of what was brought to a store since then: the heads of this session, past everything that runs in the browser. */
async function storedHeads(backend: Backend, id: string, sinceEntry: number): Promise<StoredHead[]> {
  const sent = backend.ledger
    .all()
    .filter((entry) => entry.id > sinceEntry && entry.changed && isSend(entry.service, entry.method))
  const found: StoredHead[] = []
  for (const { key: address, at } of sent) {
    if (address === undefined || found.some((other) => other.address === address)) continue
    const response = await fetch(`${backend.endpoints.gateway}/ipfs/${address}`)
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length !== SIGNED_HEAD_BYTES) continue
    const head = parseSignedHead(bytes)
    if (!head.name.startsWith(id.replaceAll('-', ''))) continue
    expect(await verifyHead(head, head.publicKey, head.signature), 'signed by the session').toBe(true)
    found.push({ address, head, atMs: at })
  }
  return found.toSorted((a, b) => a.head.size - b.head.size)
}

export interface SettledLog extends PublishedLog {
  readonly newest: StoredHead
  readonly heads: readonly StoredHead[]
}

/** Waits until the store has a head whose log ends so, and lists at least `chunks` chunks. */
export async function published(
  backend: Backend,
  id: string,
  ending: LoggedEnding,
  chunks: number,
  sinceEntry: number,
): Promise<SettledLog> {
  let log: SettledLog | undefined
  await expect
    .poll(
      async () => {
        const heads = await storedHeads(backend, id, sinceEntry)
        const newest = heads.at(-1)
        if (newest === undefined) return 'no head'
        log = { ...(await publishedLog(backend, newest.head)), newest, heads }
        return log.chunks.length < chunks ? `${log.chunks.length} chunks` : log.ending
      },
      { intervals: [200] },
    )
    .toBe(ending)
  if (log === undefined) throw new Error('unreachable')
  return log
}
