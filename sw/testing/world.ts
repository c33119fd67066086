import { setMaxListeners } from 'node:events'
import { toHex } from '../../src/evidence/bytes.ts'
import { sealChunk } from '../../src/evidence/chunk-seal.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { sessionName } from '../../src/evidence/name.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { GroupId, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { HandedChunk, SealedChunk, SessionStart } from '../../src/protocol/messages.ts'
import type { SessionEnding } from '../../src/protocol/snapshot.ts'
import { admitChunk } from '../engine/admit.ts'
import { sealInWorker } from '../seal.ts'
import { watchSettled } from '../engine/watch.ts'
import type { AnchoredContext, Context } from '../engine/context.ts'
import { admissionRoom } from '../engine/context.ts'
import type { InLane } from '../engine/lanes.ts'
import { transfer } from '../engine/transfer.ts'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import { createDrain, type Outcome, type WakeKind } from '../engine/drain.ts'
import { statusOf } from '../core/session.ts'
import type { Store } from '../ports/store.ts'
import { createProgress } from '../engine/progress.ts'
import type { Delivering } from '../engine/silence.ts'
import { endSession, interruptSession, startSession } from '../engine/sessions.ts'
import { memoryStore } from './fake-disk.ts'
import { fakeChain, fakeStoreServer } from './fake-servers.ts'
import { fakeLocks } from './fake-locks.ts'
import { workerLifetime, type WorkerLifetime } from './worker-lifetime.ts'
import { virtualClock } from './virtual-clock.ts'

// Each request of a drain hears of its end, and its limits allow more than the ten at once that Node takes for a leak.
setMaxListeners(50)

export type World = ReturnType<typeof createWorld>

/** A device with its disk, its servers and its time; workers live and die in it. */
export function createWorld() {
  const clock = virtualClock()
  const disk = memoryStore()
  const server = fakeStoreServer(clock)
  const chain = fakeChain(clock)
  const locks = fakeLocks()
  const announced: SessionId[] = []
  /** What the browser tells of the network. */
  const network = { metered: false }

  /** A fresh worker on this device. */
  const worker = (
    alive: WorkerLifetime = workerLifetime(),
  ): AnchoredContext & { readonly lifetime: WorkerLifetime; armed: number } => {
    const context = {
      progress: createProgress(clock),
      room: admissionRoom(),
      ailing: new Set<string>(),
      known: new Map(),
      delivering: new Set<Delivering>(),
      lifetime: alive,
      armed: 0,
      store: mortalStore(disk, alive),
      transport: server.transportOf(alive),
      anchor: chain.anchorOf(alive),
      identity: 'fake-store fake-chain',
      sealer: sealInWorker,
      watch: watchSettled,
      metered: () => network.metered,
      lock: locks.lockOf(alive),
      clock: {
        ...clock,
        sleep: (ms: number, signal: AbortSignal) => alive.query(() => clock.sleep(ms, signal)),
      },
      wake: {
        arm: async () => {
          context.armed++
        },
        spent: new Set<string>(),
      },
      announce: (id: SessionId) => void announced.push(id),
    }
    return context
  }

  return {
    clock,
    disk,
    server,
    chain,
    locks,
    network,
    announced,
    worker,
    session: async (id: SessionId): Promise<SessionRecord> => {
      const found = await disk.read((tx) => tx.session(id))
      if (found === undefined) throw new Error(`No session ${id}`)
      return found
    },
    chunks: (id: SessionId): Promise<ChunkRecord[]> => disk.read((tx) => tx.chunksOf(id)),
    statuses: async (id: SessionId) => {
      const [session, chunks] = await disk.read((tx) => Promise.all([tx.session(id), tx.chunksOf(id)]))
      return session ? chunks.map((chunk) => statusOf(chunk, session)) : []
    },
    hasPayload: (chunk: ChunkRecord) =>
      disk.payload(chunk.id).then(
        () => true,
        () => false,
      ),
  }
}

/** The disk as one worker reaches it. */
const mortalStore = (disk: Store, alive: WorkerLifetime): Store => ({
  read: (work) => alive.query(() => disk.read(work)),
  write: (work, needs) => alive.effect(() => disk.write(work, needs)),
  payload: (id) => alive.query(() => disk.payload(id)),
  close: () => undefined,
})

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }
const signing = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
const signingKey = await crypto.subtle.exportKey('pkcs8', signing.privateKey)
const publicKey = toHex(new Uint8Array(await crypto.subtle.exportKey('raw', signing.publicKey))).slice(2)
/** The public key of RFC 7748 §6.1: nobody here needs to open anything. */
const sealingKey = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'

/** Content address of a chunk; empty while it has none. */
export const cidOf = (chunk: ChunkRecord | undefined): string => chunk?.state.seal?.cid ?? ''

/** A session id, the same for the same number. */
export const sessionIdOf = (number: number) =>
  `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}` as SessionId

export const aStart = (number = 1, startedAtMs = Date.UTC(2026, 0, 1) - 1_000): SessionStart => ({
  sessionId: sessionIdOf(number),
  publicKey,
  signingKey,
  sealingKey,
  mimeType: 'video/webm',
  startedAtMs,
  access: [
    {
      id: `0x${'1'.repeat(64)}` as GroupId,
      tag: '2'.repeat(64) as Sha256Hex,
      sealedKey: '3'.repeat(160),
    },
  ],
  seal: 'page',
})

/** The same, for a session whose chunks the worker seals. */
export const aRawStart = (number = 1): SessionStart => ({ ...aStart(number), seal: 'worker' })

const plaintextOf = (id: SessionId, index: number) => new TextEncoder().encode(`${id} ${index}`).buffer

/** A chunk as a page hands it over; the same plaintext for the same place. */
export async function sealedChunk(id: SessionId, index: number): Promise<SealedChunk> {
  const name = await sessionName(id, publicKey)
  const plaintext = plaintextOf(id, index)
  const { ciphertext, plaintextHash, ...seal } = await sealChunk({ sealingKey, name, index, plaintext })
  return {
    sessionId: id,
    index,
    plaintextHash,
    capturedAtMs: Date.UTC(2026, 0, 1) + index,
    durationMs: 3_000,
    payload: new Blob([ciphertext]),
    seal,
  }
}

export async function rawChunk(id: SessionId, index: number): Promise<HandedChunk> {
  const plaintext = plaintextOf(id, index)
  return {
    sessionId: id,
    index,
    plaintextHash: await sha256Hex(plaintext),
    capturedAtMs: Date.UTC(2026, 0, 1) + index,
    durationMs: 3_000,
    payload: new Blob([plaintext]),
  }
}

/** Starts a session and hands over this many chunks, each durable when this resolves. */
export async function recordSession(
  world: World,
  { number = 1, chunks = 1, ending = 'complete', startedAtMs, seal = 'page', worker }: RecordedOptions = {},
): Promise<SessionId> {
  const context = worker ?? world.worker()
  const start = { ...aStart(number, startedAtMs), seal }
  const chunk = seal === 'page' ? sealedChunk : rawChunk
  await startSession(context, start)
  for (let index = 0; index < chunks; index++) await admitChunk(context, await chunk(start.sessionId, index))
  if (ending === 'complete') await endSession(context, start.sessionId)
  if (ending === 'interrupted') await interruptSession(context, start.sessionId)
  return start.sessionId
}

interface RecordedOptions {
  readonly number?: number
  readonly chunks?: number
  readonly ending?: SessionEnding
  readonly startedAtMs?: number
  readonly seal?: SessionStart['seal']
  /** Which takes it in; absent: one with all that a world has. */
  readonly worker?: Context
}

/** Takes a chunk as far as it goes now, beside its session as it is, and with a lane free. */
export async function transferNow(
  context: Context,
  chunk: ChunkRecord,
  signal: AbortSignal,
  inLane: InLane = (requests) => requests(),
): Promise<ErrorCode | undefined> {
  const session = await context.store.read((tx) => tx.session(chunk.sessionId))
  return transfer(context, chunk, signal, session, inLane)
}

/** Runs one wake of this worker until it settles, or the worker dies. */
export async function drainOnce(
  world: World,
  worker: ReturnType<World['worker']>,
  kind: WakeKind = 'message',
): Promise<Outcome | 'died'> {
  let outcome: Outcome | 'died' = 'died'
  const joined = createDrain(worker)
    .join(kind)
    .then((result) => {
      outcome = result
    })
  await world.clock.runUntil(joined, () => worker.lifetime.dead)
  return outcome
}
