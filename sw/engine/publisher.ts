import { contentAddress } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { SessionId } from '../../src/protocol/ids.ts'
import { closeCircuit, recordFailure } from './circuits.ts'
import {
  afterFailure,
  clearError,
  changeSession,
  commitEvent,
  withError,
  saveSession,
  trySignIn,
} from './commit.ts'
import { nowOf, type Context } from './context.ts'
import type { ChunkEvent } from '../core/machine.ts'
import { nextStepMs } from '../core/plan.ts'
import { concluded, publicationStep, RESUBMIT_AFTER_MS, type PublicationEvent } from '../core/publication.ts'
import type { ChunkRecord, Publication, SessionRecord } from '../core/record.ts'
import { deliver, type Delivery } from './deliver.ts'
import type { Witnessed } from '../ports/anchor.ts'
import type { WriteTransaction } from '../ports/store.ts'
import { storeChoice } from './store-choice.ts'
import { manifestBytes, rootOf } from './manifest.ts'

/** A session with the publication that is in flight. */
type Publishing = SessionRecord & { readonly publication: Publication }

/**
 * Takes one session's publication one step further: begin, name the manifest, store it, anchor it, look at the
 * chain, conclude; or tries a sign-in again that was refused. Each step ends in the store, a failure too; only a failing store rejects.
 */
export async function publishStep(context: Context, id: SessionId, signal: AbortSignal): Promise<void> {
  const { store, clock, announce } = context
  const session = await store.read((tx) => tx.session(id))
  if (session === undefined) return
  const dueMs = nextStepMs(session)
  if (dueMs === undefined || dueMs > clock.now()) return
  try {
    if (dueMs === session.signIn?.retryAtMs) await store.write((tx) => trySignIn(tx, id, nowOf(clock)))
    else if (!isPublishing(session)) await begin(context, session)
    else if (session.publication.stage === 'manifesting') await publishManifest(context, session, signal)
    else await anchor(context, session, signal)
  } catch (thrown) {
    await fail(context, session, HoldfastError.from(thrown))
  }
  announce(id)
}

const isPublishing = (session: SessionRecord): session is Publishing => session.publication !== undefined

/** Chunks that the publication in flight covers. */
const covered = (chunks: readonly ChunkRecord[]) =>
  chunks.filter(({ state }) => ['manifesting', 'anchoring', 'confirmed'].includes(state.status))

async function begin({ store, clock }: Context, session: SessionRecord): Promise<void> {
  const moment = nowOf(clock)
  const chunks = await store.read((tx) => tx.chunksOf(session.id))
  const verified = chunks.filter(({ state }) => state.status === 'uploaded' || state.status === 'confirmed')
  const publication: Publication = {
    stage: 'manifesting',
    ending: session.ending,
    lastUpdatedMs: moment.nowMs,
    merkleRoot: await rootOf(verified),
    chunkCount: verified.length,
    sent: false,
    failures: 0,
    wait: { kind: 'due', notBeforeMs: 0 },
  }
  await store.write(async (tx) => {
    for (const chunk of verified) await commitEvent(tx, chunk.id, { type: 'manifest-began' }, moment)
    await changeSession(tx, session.id, (current) => ({ ...current, publication }))
  })
}

async function publishManifest(context: Context, session: Publishing, signal: AbortSignal): Promise<void> {
  const { store, transport } = context
  const { publication } = session
  const chunks = covered(await store.read((tx) => tx.chunksOf(session.id)))
  const uploader = publication.manifest?.uploader ?? (await context.anchor.uploader(signal))
  const bytes = manifestBytes(session, publication, uploader, chunks)
  const cid = await contentAddress(bytes)
  if (publication.manifest === undefined) {
    const manifest = { uploader, cid, sha256: await sha256Hex(bytes), sizeBytes: bytes.byteLength }
    await closeCircuit(context, context.anchor.name)
    return record(context, session, { type: 'manifest-built', manifest })
  }
  if (cid !== publication.manifest.cid)
    throw new HoldfastError(
      'defect',
      `The manifest of ${session.id} was ${publication.manifest.cid}, and is ${cid} now.`,
    )

  const delivery: Delivery = {
    sent: publication.sent,
    ...(publication.resumeToken !== undefined && { resumeToken: publication.resumeToken }),
    bytes: async () => bytes,
    intend: async () => {
      await record(context, session, { type: 'manifest-sent' })
      return true
    },
    saveResumeToken: (resumeToken) => record(context, session, { type: 'manifest-token-saved', resumeToken }),
  }
  const upload = { ...publication.manifest, to: storeChoice(transport, session) }
  await deliver(transport, upload, delivery, signal)
  await closeCircuit(context, transport.name)
  await record(context, session, { type: 'manifest-stored' }, chunks, { type: 'anchor-began' })
}

async function anchor(context: Context, session: Publishing, signal: AbortSignal): Promise<void> {
  const { clock } = context
  const { publication } = session
  const { merkleRoot, chunkCount, manifest } = publication
  if (manifest === undefined) throw new HoldfastError('defect', `The manifest of ${session.id} has no name.`)

  const witnessed = await context.anchor.read(session.id, signal)
  const isOurs = (seen: Witnessed['latest']) =>
    seen?.merkleRoot === merkleRoot && seen.manifestCid === manifest.cid && seen.chunkCount === chunkCount
  if (isOurs(witnessed.deep)) {
    await closeCircuit(context, context.anchor.name)
    return conclude(context, session, witnessed.blockNumber)
  }

  const lookAgain = { type: 'look-again', atMs: clock.now() + context.anchor.pollMs } as const
  const takenLately = clock.now() - (publication.submittedAtMs ?? 0) < RESUBMIT_AFTER_MS
  if (!isOurs(witnessed.latest) && !takenLately) {
    if (!publication.sent) await record(context, session, { type: 'anchor-sent' })
    const groupIds = session.access.map(({ groupId }) => groupId)
    const request = { sessionId: session.id, merkleRoot, manifestCid: manifest.cid, chunkCount, groupIds }
    await context.anchor.submit(request, signal)
    await record(context, session, { type: 'anchor-taken' })
  }
  // Not before the relay has answered too: a chain that can be read says nothing of it.
  await closeCircuit(context, context.anchor.name)
  await record(context, session, lookAgain)
}

async function conclude({ store, clock }: Context, session: Publishing, blockNumber: number): Promise<void> {
  const { merkleRoot, manifest, chunkCount, ending } = session.publication
  if (manifest === undefined) return
  const moment = nowOf(clock)
  await store.write(async (tx) => {
    await commitForAll(tx, covered(await tx.chunksOf(session.id)), { type: 'anchor-confirmed' }, moment)
    const anchored = {
      merkleRoot,
      manifestCid: manifest.cid,
      chunkCount,
      blockNumber,
      confirmedAtMs: moment.nowMs,
      ending,
    }
    await changeSession(tx, session.id, (current) => clearError(concluded(current, anchored)))
    await tx.addLog({ atMs: moment.nowMs, sessionId: session.id, event: 'anchored', to: ending })
  })
}

const commitForAll = async (
  tx: WriteTransaction,
  chunks: readonly ChunkRecord[],
  event: ChunkEvent,
  moment: ReturnType<typeof nowOf>,
) => {
  for (const chunk of chunks) await commitEvent(tx, chunk.id, event, moment)
}

/** Stores an event of the publication, with the event that it is for its chunks. */
async function record(
  { store, clock }: Context,
  session: Publishing,
  event: PublicationEvent,
  chunks: readonly ChunkRecord[] = [],
  chunkEvent?: ChunkEvent,
): Promise<void> {
  const moment = nowOf(clock)
  await store.write(async (tx) => {
    if (chunkEvent) await commitForAll(tx, chunks, chunkEvent, moment)
    const current = await tx.session(session.id)
    if (current?.publication === undefined) return
    const publication = publicationStep(current.publication, event, moment)
    const next = { ...current, publication }
    const troubled = event.type === 'failed' && afterFailure(next, event.failure, publication.wait, moment)
    await saveSession(tx, troubled || (event.type === 'look-again' ? next : clearError(next)))
    if (event.type !== 'look-again')
      await tx.addLog({
        atMs: moment.nowMs,
        sessionId: session.id,
        event: event.type,
        ...(event.type === 'failed' && {
          error: { code: event.failure.code, message: event.failure.message },
        }),
      })
  })
}

async function fail(context: Context, session: SessionRecord, error: HoldfastError): Promise<void> {
  if (error.code === 'storage-failed' || error.code === 'storage-full') throw error
  if (!isPublishing(session)) return setAside(context, session, error)
  const { stage, manifest } = session.publication
  const atAnchor = stage === 'anchoring' || manifest === undefined
  const failure = await recordFailure(context, atAnchor ? context.anchor.name : context.transport.name, error)
  await record(context, session, { type: 'failed', failure })
}

/** Nothing was begun that could wait or park: this session alone waits for a person. */
const setAside = ({ store }: Context, { id }: SessionRecord, error: HoldfastError) =>
  store.write(async (tx) => {
    await changeSession(tx, id, (session) =>
      withError({ ...session, paused: true }, { error: error.toWire() }),
    )
  })
