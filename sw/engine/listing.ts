import { groupsDigest, importSigningKey, signHead } from '../../src/evidence/head.ts'
import { linksOf, newestOf, withPage } from '../../src/evidence/page-chain.ts'
import { MAX_PAGE_ENTRIES } from '../../src/evidence/limits.ts'
import { pageCid, fittingEntries, serialisePage } from '../../src/evidence/page.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { appendEntries, rootOf } from '../../src/evidence/tree.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { NEW_EFFORT } from '../core/effort.ts'
import { pageBefore } from '../core/listing.ts'
import type { HeadRecord, Listing, PageFrame, SessionRecord } from '../core/record.ts'
import { asRead } from './read-error.ts'
import { change } from './change.ts'
import { signingKeyName } from '../core/session.ts'
import type { Context } from './context.ts'
import { deliverFor, type Delivery } from './deliver.ts'

/** A session with a page in flight, and its bytes as they were made just now: nothing of it has left before. */
export interface Begun {
  readonly session: SessionRecord
  /** Absent where the page may be at the store. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined
}

/** The page with this frame and the entries up to `to`, or as many of them as it holds. */
async function pageOf({ store }: Context, { id, name }: SessionRecord, frame: PageFrame, to: number) {
  const there = await asRead(() => store.read((tx) => tx.entries(id, frame.from, to)))
  // A page of what is left would be another history.
  if (frame.from + there.length < to) throw new HoldfastError('defect', 'The page has changed.')
  const entries = fittingEntries(there)
  const bytes = serialisePage({ name, ...frame, entries })
  return { entries, bytes, page: await sha256Hex(bytes) }
}

/**
 * Makes the next page of a session's log, or an older one again whose proof is old. What is in it is fixed here, before
 * anything of it leaves: a repetition is the same object.
 *
 * @returns the session with that page in flight, and the page; undefined where there is one already, or more to list by now
 */
export async function beginPage(context: Context, session: SessionRecord): Promise<Begun | undefined> {
  const { size, listed } = session
  // What has not been at the store at all goes first.
  const expired = size > listed.tree.size ? undefined : session.expired?.[0]
  const again = expired && (await headAt(context, session.id, expired.to))
  const made = async (from?: number) => {
    const { tree, pages } = pageBefore(listed, size, from)
    const next = { number: pages.number + 1, from: tree.size, frontier: tree.frontier, links: linksOf(pages) }
    const frame = again?.frame ?? next
    const to = again?.size ?? Math.min(size, tree.size + MAX_PAGE_ENTRIES)
    return { frame, to, ...(await pageOf(context, session, frame, to)) }
  }
  let begins = await made()
  // With long notes a full one does not hold all that is new.
  if (begins.frame.from + begins.entries.length < begins.to) begins = await made(listed.tree.size)
  const { frame, entries, bytes, page } = begins
  const after = await appendEntries({ size: frame.from, frontier: frame.frontier }, entries)
  const begun = await change(context, session.id, {
    type: 'listing-began',
    of: {
      ...NEW_EFFORT,
      frame,
      tree: after,
      // Of one that has been signed it is that: other entries on the disk are noticed before they leave.
      page: again?.page ?? page,
      sizeBytes: bytes.length,
    },
  })
  return begun && { session: begun, bytes: again ? undefined : bytes }
}

/** A head that the session has signed. */
export async function headAt({ store }: Context, id: SessionId, size: number): Promise<HeadRecord> {
  const head = await asRead(() => store.read((tx) => tx.head(id, size)))
  if (!head) throw new HoldfastError('defect', 'The head is missing.')
  return head
}

/**
 * Brings the page in flight to the store, and signs what the log is after it. That it is in flight is the intent to send it.
 *
 * @param made the page, where it was begun just now
 */
export async function publishPage(
  context: Context,
  session: SessionRecord,
  listing: Listing,
  signal: AbortSignal,
  made?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { id } = session
  const { frame, tree, page: sha256, sizeBytes, resumeToken } = listing
  const delivery: Delivery = {
    sent: !made,
    resumeToken,
    async bytes() {
      if (made) return made
      const { bytes, page } = await pageOf(context, session, frame, tree.size)
      if (page !== sha256) throw new HoldfastError('defect', 'The page has changed.')
      return bytes
    },
    record: async (event) =>
      event.type === 'send-began' || change(context, id, { type: 'listing', of: listing, event }),
  }
  const object = { cid: pageCid(sha256), sha256, sizeBytes }
  if (!(await deliverFor(context, session, object, delivery, signal))) return
  const isNew = tree.size > session.listed.tree.size
  const { pages, full } = pageBefore(session.listed, tree.size, frame.from)
  const listed = isNew ? { tree, pages: withPage(pages, sha256), full } : session.listed
  const head = isNew ? await signedHead(context, session, listing) : await headAt(context, id, tree.size)
  await change(context, id, { type: 'page-stored', of: listing, listed, head })
}

/** Signs what the log is after this page. Its entries are on the disk: no death makes another history of them. */
async function signedHead(
  { store }: Context,
  session: SessionRecord,
  { frame, tree, page }: Listing,
): Promise<Omit<HeadRecord, 'provedAtMs'>> {
  const { id, name, access, listed } = session
  const { size } = tree
  // Nothing follows a complete end: what is read of it here stays so, however late.
  const end = session.logEnd === 'complete' && size === session.size
  const stored = await store.read((tx) => tx.meta(signingKeyName(id)))
  const key = stored instanceof ArrayBuffer ? await importSigningKey(stored) : (stored as CryptoKey)
  const said = { size, root: await rootOf(tree), page, previous: newestOf(listed.pages) ?? null, end }
  const groups = await groupsDigest(access)
  return { ...said, frame, sessionId: id, signature: await signHead(key, { ...said, name, groups }) }
}
