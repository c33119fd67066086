import { contentAddress } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { serialiseManifest } from '../../src/evidence/manifest.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { ChunkStatus } from '../../src/protocol/snapshot.ts'
import { closeCircuit, floorsOf, recordFailure } from './circuits.ts'
import { change } from './change.ts'
import type { Context } from './context.ts'
import { publicationDueMs, type PublicationEvent } from '../core/publication.ts'
import type { ManifestName, Publication, SessionRecord } from '../core/record.ts'
import { DUE_NOW, resubmitDelayMs, STANDING_MS, TAKEN_TO_TELL } from '../core/retry-policy.ts'
import { deliver, type Delivery } from './deliver.ts'
import type { Witnessed } from '../ports/anchor.ts'
import { storeChoice } from './store-choice.ts'
import { limited } from './time-limit.ts'
import { manifestOf, rootOf, type VerifiedChunk } from './manifest.ts'

/** A session with the publication that is in flight. */
type Publishing = SessionRecord & { readonly publication: Publication }

/**
 * Takes one session's publication one step further: begin, name the manifest, store it, anchor it, look at the chain,
 * conclude. Each step ends in the store, a failure too; only a failing store rejects. A step that is late, because
 * another worker has gone on meanwhile, changes nothing.
 */
export async function publishStep(context: Context, id: SessionId, signal: AbortSignal): Promise<void> {
  const { store, clock } = context
  const session = await store.read((tx) => tx.session(id))
  if (session === undefined) return
  const dueMs = publicationDueMs(session, clock.now())
  if (dueMs === undefined || dueMs > clock.now()) return
  try {
    if (!isPublishing(session)) await begin(context, session)
    else {
      const { stage, manifest } = session.publication
      await limited(clock, manifest?.sizeBytes ?? 0, signal, (until) =>
        stage === 'manifesting' || manifest === undefined
          ? publishManifest(context, session, until)
          : anchor(context, session, manifest, until),
      )
    }
  } catch (thrown) {
    await fail(context, session, HoldfastError.from(thrown))
  }
}

const isPublishing = (session: SessionRecord): session is Publishing => session.publication !== undefined

/** The session's verified chunks with one of these statuses, in index order. */
async function chunksIn({ store }: Context, { id }: SessionRecord, ...statuses: readonly ChunkStatus[]) {
  const chunks = await store.read((tx) => tx.chunksOf(id))
  return chunks.filter((chunk): chunk is VerifiedChunk => statuses.includes(chunk.state.status))
}

async function begin(context: Context, session: SessionRecord): Promise<void> {
  const verified = await chunksIn(context, session, 'uploaded', 'confirmed')
  const publication: Publication = {
    stage: 'manifesting',
    ending: session.ending,
    lastUpdatedMs: context.clock.now(),
    merkleRoot: await rootOf(verified),
    chunkCount: verified.length,
    sent: false,
    failures: 0,
    wait: DUE_NOW,
  }
  const chunks = new Set(verified.map(({ id }) => id))
  await change(context, session.id, { type: 'publication-began', publication, chunks })
}

async function publishManifest(context: Context, session: Publishing, signal: AbortSignal): Promise<void> {
  const { transport } = context
  const { publication } = session
  const chunks = await chunksIn(context, session, 'manifesting', 'anchoring', 'confirmed')
  const uploader = publication.manifest?.uploader ?? (await context.anchor.uploader(signal))
  const bytes = serialiseManifest(manifestOf(session, publication, uploader, chunks))
  const cid = await contentAddress(bytes)
  if (publication.manifest === undefined) {
    const manifest = { uploader, cid, sha256: await sha256Hex(bytes), sizeBytes: bytes.byteLength }
    await closeCircuit(context, context.anchor.name)
    await record(context, session, { type: 'manifest-built', manifest })
    return
  }
  if (cid !== publication.manifest.cid)
    throw new HoldfastError('defect', `The manifest is ${cid}, not ${publication.manifest.cid}.`)

  const delivery: Delivery = {
    ...publication,
    floors: floorsOf(context),
    bytes: async () => bytes,
    intend: () => record(context, session, { type: 'manifest-sent' }),
    saveResumeToken: async (resumeToken) =>
      void (await record(context, session, { type: 'manifest-token-saved', resumeToken })),
  }
  const upload = { ...publication.manifest, to: storeChoice(transport, session) }
  if (!(await deliver(transport, upload, delivery, signal))) return
  await closeCircuit(context, transport.name)
  await record(context, session, { type: 'manifest-stored' })
}

async function anchor(
  context: Context,
  session: Publishing,
  manifest: ManifestName,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = context
  const { publication } = session
  const { merkleRoot, chunkCount, ending } = publication
  const content = { merkleRoot, manifestCid: manifest.cid, chunkCount }

  const { blockNumber, latest, deep } = await context.anchor.read(session.id, signal)
  // Readers refuse a manifest that names another signer: its bytes are not let go.
  const isSigner = (address: string) => latest?.creator.toLowerCase() === address.toLowerCase()
  if (latest && !isSigner(manifest.uploader)) {
    if (isSigner(await context.anchor.uploader(signal))) {
      await record(context, session, { type: 'signer-changed' })
      return
    }
    throw new HoldfastError('anchor-rejected', `The signer is ${latest.creator}, not ${manifest.uploader}.`)
  }
  const isOurs = (seen: Witnessed['latest']) =>
    seen?.merkleRoot === merkleRoot && seen.manifestCid === manifest.cid && seen.chunkCount === chunkCount
  if (isOurs(deep) && isOurs(latest)) {
    await closeCircuit(context, context.anchor.name)
    const anchored = { ...content, blockNumber, confirmedAtMs: clock.now(), ending }
    await change(context, session.id, { type: 'anchor-confirmed', of: publication, anchored })
    return
  }

  const { submittedAtMs = 0, taken = 0 } = publication
  const isSeen = isOurs(latest)
  const atMs = clock.now() + context.anchor.pollMs
  const agoMs = clock.now() - submittedAtMs
  // A time that is yet to come is of a clock that was ahead.
  const submittedLately = agoMs >= 0 && agoMs < resubmitDelayMs(taken)
  if (!isSeen && !submittedLately) {
    if (!(await record(context, session, { type: 'anchor-sent' }))) return
    const groupIds = session.access.map(({ groupId }) => groupId)
    await context.anchor.submit({ sessionId: session.id, ...content, groupIds }, signal)
    await record(context, session, { type: 'anchor-taken' })
  }
  // Not before the relay has answered too: a chain that can be read says nothing of it.
  await closeCircuit(context, context.anchor.name)
  if (!isSeen && taken >= TAKEN_TO_TELL)
    throw new HoldfastError('anchor-unseen', `The relay took the anchor ${taken} times in vain.`)
  const { newest } = publication
  if (newest?.blockNumber === blockNumber && Math.abs(clock.now() - newest.sinceMs) > STANDING_MS)
    throw new HoldfastError('anchor-unseen', `The chain stands at block ${blockNumber}.`)
  await record(context, session, { type: 'look-again', atMs, isSeen, blockNumber })
}

/** Stores an event of the publication; undefined where another one is in flight by now. */
const record = (context: Context, { id, publication }: Publishing, event: PublicationEvent) =>
  change(context, id, { type: 'publication', of: publication, event })

async function fail(context: Context, session: SessionRecord, error: HoldfastError): Promise<void> {
  if (error.code === 'storage-failed' || error.code === 'storage-full') throw error
  if (!isPublishing(session)) {
    // Nothing was begun that could wait or park: this session is parked as a whole, and alone.
    await change(context, session.id, { type: 'set-aside', error: error.toWire() })
    return
  }
  const { stage, manifest } = session.publication
  const atAnchor = stage === 'anchoring' || manifest === undefined
  const failure = await recordFailure(context, atAnchor ? context.anchor.name : context.transport.name, error)
  await record(context, session, { type: 'failed', failure })
}
