import { groupsDigest, importSigningKey, signHead } from '../../src/evidence/head.ts'
import { linksOf, withPage } from '../../src/evidence/page-chain.ts'
import { MAX_PAGE_ENTRIES, pageCid, serialisePage } from '../../src/evidence/page.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { appendEntries, rootOf } from '../../src/evidence/tree.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { NEW_EFFORT } from '../core/effort.ts'
import type { HeadRecord, Listed, Listing, SessionRecord } from '../core/record.ts'
import { change } from './change.ts'
import { signingKeyName } from '../core/session.ts'
import { alsoCloseCircuit } from './circuits.ts'
import type { Context } from './context.ts'
import { deliverFor, type Delivery } from './deliver.ts'

/** Takes a session's listing one step further: makes the next page of its log, or brings the one in flight to the store. */
export async function listStep(context: Context, session: SessionRecord, signal: AbortSignal): Promise<void> {
  const { listing } = session
  await (listing ? publish(context, session, listing, signal) : begin(context, session))
}

/** The page that comes next, with the entries up to `to`. */
async function nextPage(
  { store }: Context,
  { id, name, listed: { tree, pages } }: SessionRecord,
  to: number,
) {
  const entries = await store.read((tx) => tx.entries(id, tree.size, to))
  const bytes = serialisePage({
    name,
    number: pages.number + 1,
    from: tree.size,
    frontier: tree.frontier,
    links: linksOf(pages),
    entries,
  })
  return { entries, bytes, page: await sha256Hex(bytes) }
}

/** What is in a page is fixed here, before anything of it leaves: a repetition is the same object. */
async function begin(context: Context, session: SessionRecord): Promise<void> {
  const { tree } = session.listed
  // No further than the session as it was read, which says what the last of these entries is.
  const to = Math.min(session.size, tree.size + MAX_PAGE_ENTRIES)
  const { entries, bytes, page } = await nextPage(context, session, to)
  const after = await appendEntries(tree, entries)
  const end = session.logEnd === 'complete' && after.size === session.size
  await change(context, session.id, {
    type: 'listing-began',
    listing: {
      ...NEW_EFFORT,
      from: tree.size,
      tree: after,
      page,
      sizeBytes: bytes.length,
      end,
      sent: false,
    },
  })
}

async function publish(
  context: Context,
  session: SessionRecord,
  listing: Listing,
  signal: AbortSignal,
): Promise<void> {
  const { id } = session
  const { page: sha256, sizeBytes, sent, resumeToken } = listing
  const delivery: Delivery = {
    sent,
    resumeToken,
    async bytes() {
      const { bytes, page } = await nextPage(context, session, listing.tree.size)
      if (page !== sha256) throw new HoldfastError('defect', `The page is ${page}, not ${sha256}.`)
      return bytes
    },
    record: (event) => change(context, id, { type: 'listing', of: listing, event }),
  }
  const object = { cid: pageCid(sha256), sha256, sizeBytes }
  if (!(await deliverFor(context, session, object, delivery, signal))) return
  const { tree } = listing
  const listed: Listed = { tree, pages: withPage(session.listed.pages, sha256) }
  const head = await signedHead(context, session, listing)
  const also = alsoCloseCircuit(context, context.transport.name)
  await change(context, id, { type: 'page-stored', of: listing, listed, head }, also)
}

/** Signs what the log is after this page. Its entries are on the disk: no death makes another history of them. */
async function signedHead(
  { store }: Context,
  session: SessionRecord,
  { tree, page, end }: Listing,
): Promise<HeadRecord> {
  const { id, name, access, listed } = session
  const { size } = tree
  const stored = await store.read((tx) => tx.meta(signingKeyName(id)))
  const key = stored instanceof ArrayBuffer ? await importSigningKey(stored) : (stored as CryptoKey)
  const said = { size, root: await rootOf(tree), page, previous: listed.pages.digests.at(-1) ?? null, end }
  const groups = await groupsDigest(access)
  return { ...said, sessionId: id, signature: await signHead(key, { ...said, name, groups }) }
}
