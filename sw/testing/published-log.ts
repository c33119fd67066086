import { expect } from 'vitest'
import { toHex } from '../../src/evidence/bytes.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { parseEntry } from '../../src/evidence/entry-parse.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import { verifyHead } from '../../src/evidence/head.ts'
import { parsePage } from '../../src/evidence/page-parse.ts'
import { linkNumbers, PAGE_LABEL, pageCid, type Page } from '../../src/evidence/page.ts'
import { appendEntries, EMPTY_TREE, rootOf, type Tree } from '../../src/evidence/tree.ts'
import type { SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { AnchorRequest } from '../ports/anchor.ts'
import type { FakeStoreServer } from './fake-servers.ts'
import type { World } from './world.ts'

/** A page, and what the log is after it. */
export interface PublishedPage extends Page {
  readonly digest: Sha256Hex
  readonly tree: Tree
}

/** A session's log as a reader finds it at the store. */
export interface PublishedLog {
  /** All that were ever published, in that order. */
  readonly pages: readonly PublishedPage[]
  /** Those that are found from the last one, oldest first. */
  readonly view: readonly PublishedPage[]
  readonly entries: readonly Entry[]
}

const isPage = (object: Uint8Array) =>
  new TextDecoder().decode(object.subarray(0, PAGE_LABEL.length)) === PAGE_LABEL

/**
 * Reads a session's log off the store. Expects of its pages that no two end with one entry, and that each lies at its
 * address, follows on one before it, where that ends, and links to the right ones; and that they hold the first entries of
 * the log on this device, byte for byte.
 */
export async function publishedLog(
  world: World,
  id: SessionId,
  { bytes: objects }: FakeStoreServer = world.server,
): Promise<PublishedLog> {
  const { name } = await world.session(id)
  const found = [...objects]
    .filter(([, object]) => isPage(object))
    .map(([cid, object]) => ({ cid, object, page: parsePage(object) }))
    .filter(({ page }) => page.name === name)
    .toSorted((a, b) => endOf(a.page) - endOf(b.page))
  const pages: PublishedPage[] = []
  const viewOf = (last: PublishedPage | undefined): PublishedPage[] => {
    const before = last && pages.find(({ digest }) => digest === last.links[0])
    return last ? [...viewOf(before), last] : []
  }
  const size = found.length > 0 ? endOf(found.at(-1)!.page) : 0
  const log = await world.disk.read((tx) => tx.entries(id, 0, size))
  for (const { cid, object, page } of found) {
    const { number, from, frontier, links, entries } = page
    expect(endOf(page), 'how far it lists').toBeGreaterThan(pages.at(-1)?.tree.size ?? 0)
    const before = viewOf(pages.find(({ digest }) => digest === links[0]))
    const tree = before.at(-1)?.tree ?? EMPTY_TREE
    expect({ number, from, frontier }).toEqual({
      number: before.length + 1,
      from: tree.size,
      frontier: tree.frontier,
    })
    expect(links).toEqual(linkNumbers(number).map((linked) => before[linked - 1]?.digest))
    const digest = await sha256Hex(object)
    expect(cid).toBe(pageCid(digest))
    expect(entries.map(toHex)).toEqual(log.slice(from, endOf(page)).map(toHex))
    pages.push({ ...page, digest, tree: await appendEntries(tree, entries) })
  }
  return { pages, view: viewOf(pages.at(-1)), entries: log.map(parseEntry) }
}

const endOf = ({ from, entries }: Page) => from + entries.length

/** Expects that a head that was handed over says what is true of the published log, signed by the session's key. */
export async function expectTrueHead(
  { pages, entries }: PublishedLog,
  { head, groups }: AnchorRequest,
): Promise<void> {
  const page = pages.find(({ digest }) => digest === head.page)
  expect(head.size).toBe(page?.tree.size)
  expect(head.root).toBe(page && (await rootOf(page.tree)))
  expect(head.previous).toBe(pages.findLast(({ tree }) => tree.size < head.size)?.digest ?? null)
  const last = entries[head.size - 1]
  expect(head.end).toBe(last?.kind === 'end' && last.how === 'complete')
  const [first] = entries
  expect(first).toMatchObject({ kind: 'session', publicKey: head.publicKey, groups })
  expect(await verifyHead(head, head.publicKey, head.signature)).toBe(true)
}
