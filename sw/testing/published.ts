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
  readonly pages: readonly PublishedPage[]
  readonly entries: readonly Entry[]
}

const isPage = (object: Uint8Array) =>
  new TextDecoder().decode(object.subarray(0, PAGE_LABEL.length)) === PAGE_LABEL

/**
 * Reads a session's log off the store. Expects of its pages that each number is there once, lies at its address, begins
 * where the one before ends, and links to the right ones; and that they hold the first entries of the log on this
 * device, byte for byte.
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
    .toSorted((a, b) => a.page.number - b.page.number)
  const pages: PublishedPage[] = []
  let tree = EMPTY_TREE
  for (const [at, { cid, object, page }] of found.entries()) {
    const { number, from, frontier, links, entries } = page
    expect({ number, from, frontier }).toEqual({ number: at + 1, from: tree.size, frontier: tree.frontier })
    expect(links).toEqual(linkNumbers(number).map((linked) => pages[linked - 1]?.digest))
    const digest = await sha256Hex(object)
    expect(cid).toBe(pageCid(digest))
    tree = await appendEntries(tree, entries)
    pages.push({ ...page, digest, tree })
  }
  const published = pages.flatMap(({ entries }) => entries)
  const log = await world.disk.read((tx) => tx.entries(id, 0, published.length))
  expect(published.map(toHex)).toEqual(log.map(toHex))
  return { pages, entries: published.map(parseEntry) }
}

/** Expects that a head that was handed over says what is true of the published log, signed by the session's key. */
export async function expectTrueHead(
  { pages, entries }: PublishedLog,
  { head, groups }: AnchorRequest,
): Promise<void> {
  const page = pages.find(({ digest }) => digest === head.page)
  expect(head.size).toBe(page?.tree.size)
  expect(head.root).toBe(page && (await rootOf(page.tree)))
  expect(head.previous).toBe(pages.find(({ number }) => number + 1 === page?.number)?.digest ?? null)
  const last = entries[head.size - 1]
  expect(head.end).toBe(last?.kind === 'end' && last.how === 'complete')
  const [first] = entries
  expect(first).toMatchObject({ kind: 'session', publicKey: head.publicKey, groups })
  expect(await verifyHead(head, head.publicKey, head.signature)).toBe(true)
}
