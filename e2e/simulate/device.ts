import { sealInWorker } from '../../sw/seal.ts'
import { watchSettled } from '../../sw/engine/watch.ts'
import { groupCommit } from '../../sw/adapters/store/group-commit.ts'
import { backgroundSync } from '../../sw/adapters/browser/background-sync.ts'
import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { Envelope, Reply } from '../../src/protocol/messages.ts'
import { admissionRoom, type Context } from '../../sw/engine/context.ts'
import type { Outcome, WakeKind } from '../../sw/engine/drain.ts'
import { createEngine, type Engine } from '../../sw/engine/engine.ts'
import { POLICY } from '../../sw/engine/policy.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import type { Store } from '../../sw/ports/store.ts'
import { createProgress } from '../../sw/engine/progress.ts'
import { chunksOf, fakeDisk, type DiskState, type FakeDisk } from '../../sw/testing/fake-disk.ts'
import type { Lock } from '../../sw/ports/platform.ts'
import { fakeLocks, type FakeLocks } from '../../sw/testing/fake-locks.ts'
import { watchSigning } from '../../sw/testing/quick-crypto.ts'
import { workerLifetime, type WorkerLifetime } from '../../sw/testing/worker-lifetime.ts'
import { appBackend } from './app-backend.ts'
import { chainWithRelays, type Chain } from './chain.ts'
import { faultyDisk } from './faulty-disk.ts'
import type { Mutation } from './mutation.ts'
import { createOracle, type Oracle } from './oracle.ts'
import { createPlaceOracle } from './place-oracle.ts'
import type { Caller } from './simulated-request.ts'
import type { Scene } from './simulated-scene.ts'
import { storeServer, type StoreServer } from './store-server.ts'
import { syncManager, type SyncAttempt, type SyncManager } from './sync-manager.ts'
import { createWakeOracle } from './wake-oracle.ts'

/** One phone: its disk and locks outlive its workers, of which the browser runs and stops one after the other. */
export interface Device {
  readonly disk: FakeDisk
  readonly locks: FakeLocks
  readonly server: StoreServer
  readonly chain: Chain
  readonly oracle: Oracle
  readonly syncs: SyncManager
  /** How many tabs are open: without one no sync can be asked for. */
  tabs: number
  /** Told when another worker has taken over. */
  readonly onNewWorker: Set<() => void>
  /** Hands a page's message to the active worker, which is started for it where none is alive. */
  post(message: Envelope, answer: (reply: Reply) => void): void
  killWorker(): void
  /** Every worker dies, and what was not durable is lost. */
  losePower(): void
  /** Some stored bytes of a session change, or are gone. */
  rot(of: SessionId, lost: boolean): void
  /** Starts another worker beside the one that runs. */
  update(): void
  /** The browser's network came back, or it tries again. */
  sync(): void
  /** Whether no wake is under way. */
  quiet(): boolean
  /** What there is to see from outside: whether a wake is under way on a disk that works, and nothing may leave. */
  look(): { readonly disk: DiskState; readonly working: boolean; readonly suspended: boolean }
  /** How often its disk was read from. */
  reads(): number
  /** Moments that all workers have passed. */
  moments(): number
  /** Moments that the workers have passed, one after the other. */
  readonly workers: readonly { readonly lifetime: WorkerLifetime }[]
}

interface Worker extends Caller {
  readonly engine: Engine
  /** Events that the browser waits for. */
  events: number
  /** Wakes that have not settled. */
  joins: number
  /** How often it has become idle. */
  rests: number
}

/** As IndexedDB's adapter does. */
const grouped = (store: Store): Store => ({ ...store, write: groupCommit(store.write) })

/** The same, and the scene knows how often a drain took it from another. */
const countedLock = (scene: Scene, lock: Lock): Lock => ({
  ...lock,
  run(name, work, steal) {
    if (steal) scene.takeovers++
    return lock.run(name, work, steal)
  },
})

/** Without an event a browser stops a worker after this, ms. */
const IDLE_MS = 30_000

export function createDevice(scene: Scene, mutation: Mutation): Device {
  const { clock, faults, history, trace } = scene
  const mutant = mutation.create()
  const oracle = createOracle(
    scene,
    () => chain,
    () => server,
    () => app,
  )
  const places = createPlaceOracle(scene, () => disk.state)
  const wakes = createWakeOracle(scene, (kind, outcome) => mutant.outcome?.(kind, outcome) ?? outcome)
  const server = storeServer(scene, (upload) => oracle.onSending(upload, disk.state))
  const app = appBackend(scene, (key) => oracle.onTelling(key, disk.state))
  const listener = {
    leaves: (request: AnchorRequest) => oracle.onSubmitting(request, disk.state),
    isPaid: oracle.onPaid,
  }
  const chain: Chain = chainWithRelays(scene, listener, mutant.registryIgnoresSigner)
  watchSigning((message) => oracle.onSigned(message, disk.state))
  const disk: FakeDisk = fakeDisk((commit) => {
    oracle.onCommit(commit)
    places.onCommit(commit)
    const value = commit.after.meta.get(POLICY)
    if (value !== scene.policy.value) scene.policy = { value, sinceMs: clock.now() }
    wakes.onCommit(commit.after)
  }, false)
  const stores = faultyDisk(scene, disk)
  const locks = fakeLocks()
  const workers: Worker[] = []
  const rotten = new Set<ChunkId>()
  let active: Worker | undefined

  const start = (): Worker => {
    const number = workers.length + 1
    const name = `worker ${number}`
    const plan = history.lives[number - 1]
    const alive = workerLifetime(plan?.diesAt, (what) => trace(() => `${name} dies: ${what}`))
    alive.onDeath(() => {
      scene.kills++
    })
    const caller = { name, lifetime: alive, laterMs: plan?.laterMs }
    const ownClock = {
      now: () => clock.now() + scene.clockErrorMs,
      ticks: clock.ticks,
      random: clock.random,
      sleep: (ms: number, signal: AbortSignal) => alive.query(() => clock.sleep(ms, signal)),
    }
    const { place } = scene
    const unanchored: Context = {
      store: grouped(stores.storeOf(alive, plan?.laterMs !== undefined)),
      transport: places.transportAt(place, server.transportOf(caller)),
      identity: place,
      sealer: (...asked) => (faults.lasts('sealer-hangs') ? new Promise(() => {}) : sealInWorker(...asked)),
      watch: watchSettled,
      lock: countedLock(scene, locks.lockOf(alive)),
      clock: ownClock,
      metered: () => faults.lasts('metered'),
      wake: backgroundSync(ownClock),
      progress: createProgress(clock),
      room: admissionRoom(),
      ailing: new Set(),
      known: new Map(),
      delivering: new Set(),
      announce: () => {},
      onSettled: (settled) => app.hear(caller, settled),
    }
    const anchored = { ...unanchored, anchor: places.anchorAt(place, chain.anchorOf(caller)) }
    const context = history.anchored ? (mutant.context?.(anchored) ?? anchored) : unanchored
    const engine = createEngine(context, Promise.resolve())
    const worker = { ...caller, engine, events: 0, joins: 0, rests: 0 }
    trace(() => `${name} starts`)
    workers.push(worker)
    active = worker
    void wake(worker, 'startup', engine.start())
    rest(worker)
    return worker
  }

  const wake = async (worker: Worker, kind: WakeKind, woken: Promise<Outcome>): Promise<Outcome> => {
    worker.joins++
    const outcome = await wakes.judge(worker, kind, woken)
    worker.joins--
    return outcome
  }

  /** The browser keeps a worker while an event lasts, then for a while. */
  const rest = (worker: Worker) => {
    const rests = ++worker.rests
    void scene.sleep(IDLE_MS).then(() => {
      if (worker.events > 0 || worker.rests !== rests || worker.lifetime.dead) return
      trace(() => `${worker.name} is stopped by the browser`)
      scene.kills--
      worker.lifetime.die()
    })
  }

  const event = async (worker: Worker, work: () => Promise<void>) => {
    worker.events++
    await worker.lifetime.query(work)
    worker.events--
    if (worker.events === 0) rest(worker)
  }

  const awake = () => (active === undefined || active.lifetime.dead ? start() : active)

  const syncOnce = async (attempt?: SyncAttempt): Promise<boolean> => {
    const worker = awake()
    let done = false
    const ended = event(worker, async () => {
      const synced = worker.engine.sync(attempt).then(
        (): Outcome => 'idle',
        (): Outcome => 'work-remains',
      )
      done = (await wake(worker, 'sync', synced)) === 'idle'
    })
    const died = new Promise<void>((resolve) => worker.lifetime.onDeath(resolve))
    await Promise.race([ended, died])
    return done
  }

  const quiet = () => workers.every(({ lifetime, joins }) => lifetime.dead || joins === 0)

  const device: Device = {
    disk,
    locks,
    server,
    chain,
    oracle,
    syncs: syncManager(scene, () => device.tabs > 0, syncOnce),
    tabs: 0,
    onNewWorker: new Set(),
    post(message, answer) {
      const worker = awake()
      const answered = (told: Reply) => {
        if (worker.lifetime.dead) return
        trace(() => `${worker.name}: answers ${message.type} with ${told.ok ? 'ok' : told.error.code}`)
        if (told.ok && message.type === 'chunk') oracle.onAcknowledged(message.chunk, disk.state)
        if (told.ok && message.type === 'note') oracle.onNoted(message.sessionId, message, disk.state)
        answer(told)
      }
      void event(worker, async () => {
        await wake(worker, 'message', worker.engine.receive(message, answered))
      })
    },
    killWorker() {
      if (active === undefined || active.lifetime.dead) return
      trace(() => `${active?.name} is killed`)
      active.lifetime.die()
    },
    losePower() {
      scene.powerLosses++
      for (const { lifetime } of workers) lifetime.die()
      disk.losePower()
      oracle.onPowerLost(disk.state)
      wakes.onCommit(disk.state)
    },
    rot: (of, lost) =>
      void disk.rot((state) => {
        // Once each: the same bit twice would mend it.
        const held = chunksOf(state, of).filter(({ id }) => state.payloads.has(id) && !rotten.has(id))
        const chunk = held[Math.floor(scene.random() * held.length)]
        const bytes = chunk && state.payloads.get(chunk.id)
        if (chunk === undefined || bytes === undefined) return undefined
        trace(() => `${chunk.id} ${lost ? 'is lost' : 'rots'}`)
        rotten.add(chunk.id)
        oracle.rotten(chunk)
        return [chunk.id, lost ? undefined : withOtherBit(bytes)]
      }),
    update() {
      start()
      for (const listener of device.onNewWorker) listener()
    },
    sync: () => void syncOnce(),
    workers,
    moments: () => workers.reduce((sum, { lifetime }) => sum + lifetime.moments, 0),
    quiet,
    reads: stores.reads,
    look: () => ({
      disk: disk.state,
      working:
        !quiet() &&
        !faults.lasts('disk-full') &&
        !faults.lasts('disk-fails') &&
        clock.now() >= scene.diskHangsUntilMs,
      suspended:
        scene.policy.value === 'paused' || (scene.policy.value === 'unmetered' && faults.lasts('metered')),
    }),
  }
  return device
}

const withOtherBit = (bytes: ArrayBuffer) =>
  Uint8Array.from(new Uint8Array(bytes), (byte, at) => (at === 0 ? byte ^ 1 : byte)).buffer
