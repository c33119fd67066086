import { parseEntry } from '../../src/evidence/entry-parse.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import { parsePage } from '../../src/evidence/page-parse.ts'
import { isPage } from '../../sw/testing/is-page.ts'
import { decodeSession, encodeSessionsCall } from '../../src/evidence/registry.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import type { Backend, LedgerEntry } from '../backend/index.ts'
import type { Said } from './safe-plan.ts'
import type { ChunkTimes } from './timeline.ts'

// What the store, the chain and the page say of a recording, each by its own clock of the same machine: the worker is not
// asked.

/** A head that a block was seen to have. */
export interface SeenHead {
  readonly size: number
  readonly atMs: number
}

const LOOK_EVERY_MS = 100

/** Looks at the chain itself, past link and ledger, until it is stopped. */
export function watchHeads(backend: Backend, name: SessionName): { readonly seen: SeenHead[]; stop(): void } {
  const { rpc, registry } = backend.chain
  const seen: SeenHead[] = []
  let busy = false
  let block: unknown
  const look = async () => {
    const newest = await rpc('eth_blockNumber')
    const atMs = Date.now()
    if (newest === block) return
    const answer = await rpc('eth_call', [{ to: registry, data: encodeSessionsCall(name) }, 'latest'])
    block = newest
    const size = decodeSession(String(answer))?.size ?? 0
    if (size > (seen.at(-1)?.size ?? 0)) seen.push({ size, atMs })
  }
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    look()
      .catch(() => undefined)
      .finally(() => {
        busy = false
      })
  }, LOOK_EVERY_MS)
  return { seen, stop: () => clearInterval(timer) }
}

/** An entry of the log, and when the store had the first page with it: a full one has it again. */
export interface ListedEntry {
  readonly position: number
  readonly entry: Entry
  readonly atMs: number
}

const doneAtMs = ({ at, durationMs = 0 }: LedgerEntry) => at + durationMs

/** What the store took, by content address: when it had all of it. */
function storedObjects(ledger: readonly LedgerEntry[]): Map<string, number> {
  const stored = new Map<string, number>()
  for (const entry of ledger)
    if (entry.service === 'ipfs' && entry.changed && entry.key !== undefined && !stored.has(entry.key))
      stored.set(entry.key, doneAtMs(entry))
  return stored
}

/** The entries of a session that the store has pages of, read past the engine and its reader. */
export async function listedEntries(
  backend: Backend,
  name: SessionName,
  ledger: readonly LedgerEntry[],
): Promise<ListedEntry[]> {
  const listed = new Map<number, ListedEntry>()
  for (const [cid, atMs] of storedObjects(ledger)) {
    const response = await fetch(`${backend.endpoints.gateway}/ipfs/${cid}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    if (!isPage(bytes)) continue
    const page = parsePage(bytes)
    if (page.name !== name) continue
    for (const [at, each] of page.entries.entries()) {
      const position = page.from + at
      if (atMs < (listed.get(position)?.atMs ?? Infinity))
        listed.set(position, { position, entry: parseEntry(each), atMs })
    }
  }
  return [...listed.values()]
}

/** What became of each chunk that the page has told of. */
export async function timesOf(
  backend: Backend,
  name: SessionName,
  said: readonly Said[],
  heads: readonly SeenHead[],
  ledger: readonly LedgerEntry[],
): Promise<ChunkTimes[]> {
  const stored = storedObjects(ledger)
  const entries = await listedEntries(backend, name, ledger)
  const byIndex = new Map(
    entries.flatMap(({ position, entry, atMs }) =>
      entry.kind === 'chunk' ? [[entry.index, { position, atMs, cid: entry.cid }] as const] : [],
    ),
  )
  const acknowledged = new Map(
    said.flatMap((each) => (each.type === 'acknowledged' ? [[each.index, each.atMs] as const] : [])),
  )
  return said.flatMap((each) => {
    if (each.type !== 'captured') return []
    const { index, atMs, durationMs, sizeBytes } = each
    const listed = byIndex.get(index)
    return {
      index,
      sizeBytes,
      durationMs,
      capturedAtMs: atMs,
      acknowledgedAtMs: acknowledged.get(index),
      listedAtMs: listed?.atMs,
      storedAtMs: listed && stored.get(listed.cid),
      anchoredAtMs: listed && heads.find(({ size }) => size > listed.position)?.atMs,
    }
  })
}
