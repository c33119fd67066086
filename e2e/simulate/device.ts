import { sealInWorker } from '../../sw/seal.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Envelope, Reply } from '../../src/protocol/messages.ts'
import { admissionRoom, type Context } from '../../sw/engine/context.ts'
import { BUDGETS_MS, type Outcome, type WakeKind } from '../../sw/engine/drain.ts'
import { createEngine, type Engine } from '../../sw/engine/engine.ts'
import { POLICY } from '../../sw/engine/policy.ts'
import type { Store } from '../../sw/ports/store.ts'
import { createProgress } from '../../sw/engine/progress.ts'
import { fakeDisk, type FakeDisk } from '../../sw/testing/fake-disk.ts'
import { fakeLocks, type FakeLocks } from '../../sw/testing/fake-locks.ts'
import { workerLifetime, never, type WorkerLifetime } from '../../sw/testing/worker-lifetime.ts'
import { chainWithRelay, type Chain } from './chain.ts'
import type { Mutation } from './mutation.ts'
import { createOracle, remains, type Oracle } from './oracle.ts'
import type { Caller } from './request.ts'
import type { Scene } from './scene.ts'
import { storeServer, type StoreServer } from './store-server.ts'

/** One phone: its disk and locks outlive its workers, of which the browser runs and stops one after the other. */
export interface Device {
  readonly disk: FakeDisk
  readonly locks: FakeLocks
  readonly server: StoreServer
  readonly chain: Chain
  readonly oracle: Oracle
  /** How many tabs are open: without one no sync can be asked for. */
  tabs: number
  /** Told when another worker has taken over. */
  readonly onNewWorker: Set<() => void>
  /** Hands a page's message to the active worker, which is started for it where none is alive. */
  post(message: Envelope, answer: (reply: Reply) => void): void
  killWorker(): void
  /** Starts another worker beside the one that runs. */
  update(): void
  /** The browser's network came back, or it tries again. */
  sync(): void
  /** Whether no wake is under way. */
  quiet(): boolean
  /** Moments that all workers have passed. */
  moments(): number
  /** Moments that the workers have passed, one after the other. */
  readonly workers: readonly { readonly life: WorkerLifetime }[]
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

/** Without an event a browser stops a worker after this, ms. */
const IDLE_MS = 30_000
/** The disk takes about this long for a commit, ms. */
const COMMIT_MS = 2
/** A message is answered before its drain begins, ms. */
const ANSWER_MS = 5_000
/** Work that is no older than this can have come after a drain looked for the last time, ms. */
const LATE_MS = 100
/** A sync that failed is tried again after this, then three times that, ms (Chromium). */
const SYNC_AGAIN_MS = 300_000
const SYNC_ATTEMPTS = 3

export function createDevice(scene: Scene, mutation: Mutation): Device {
  const { clock, history, trace } = scene
  const oracle = createOracle(scene)
  const server = storeServer(scene)
  const chain = chainWithRelay(scene, (anchor, before) => oracle.onSigning(anchor, before, server))
  /** Since when work has remained without a break; Infinity while none does. */
  let remainsSinceMs = Infinity
  const disk = fakeDisk((commit) => {
    oracle.onCommit(commit, chain, server)
    const value = commit.after.meta.get(POLICY)
    if (value !== scene.policy.value) scene.policy = { value, sinceMs: clock.now() }
    remainsSinceMs = remains(commit.after) ? Math.min(remainsSinceMs, clock.now()) : Infinity
  }, false)
  const locks = fakeLocks()
  const mutant = mutation.create()
  const workers: Worker[] = []
  const transactions = { read: 0, write: 0 }
  let active: Worker | undefined
  let syncAsked = false

  const start = (): Worker => {
    const number = workers.length + 1
    const name = `worker ${number}`
    const plan = history.lives[number - 1]
    const alive = workerLifetime(plan?.diesAt, (what) => trace(() => `${name} dies: ${what}`))
    alive.onDeath(() => {
      scene.kills++
    })
    const caller = { name, life: alive, laterMs: plan?.laterMs }
    const plain: Context = {
      store: mortalStore(alive, plan?.laterMs !== undefined),
      transport: server.transportOf(caller),
      anchor: chain.anchorOf(caller),
      sealer: sealInWorker,
      lock: locks.lockOf(alive),
      clock: {
        now: () => clock.now() + scene.clockErrorMs,
        random: clock.random,
        sleep: (ms, signal) => alive.query(() => clock.sleep(ms, signal)),
      },
      metered: () => clock.now() < scene.meteredUntilMs,
      wake: { arm: async () => ask(), isLast: async () => false },
      progress: createProgress(clock),
      room: admissionRoom(),
      announce: () => {},
    }
    const context = mutant.context?.(plain) ?? plain
    const engine = createEngine(context, Promise.resolve())
    const worker = { ...caller, engine, events: 0, joins: 0, rests: 0 }
    trace(() => `${name} starts`)
    workers.push(worker)
    active = worker
    void judge(worker, 'startup', engine.start())
    rest(worker)
    return worker
  }

  /** What goes wrong with the transaction that begins now. */
  const diskFault = (of: 'read' | 'write') => {
    const nth = ++transactions[of]
    if (scene.healing) return undefined
    const fault = history.diskFaults.find((one) => one.of === of && one.nth === nth)
    if (fault !== undefined) trace(() => `${of} ${nth} of the disk fails`)
    return fault
  }

  /** The disk as one worker reaches it. */
  const mortalStore = (alive: WorkerLifetime, commits: boolean): Store => ({
    read: (work) =>
      alive.query(async () => {
        const fault = diskFault('read')
        if (fault !== undefined) throw new HoldfastError('storage-failed', 'The disk fails.')
        return disk.read(work)
      }),
    async write(work) {
      if (!alive.passes('before a commit')) return never()
      const fault = diskFault('write')
      const ending = async () => {
        await scene.sleep(scene.about(COMMIT_MS))
        if (alive.dead && !commits) throw new Error('Its worker died.')
        if (fault !== undefined) throw new HoldfastError(fault.code, 'The disk fails.')
        if (clock.now() < scene.diskFullUntilMs) throw new HoldfastError('storage-full', 'The disk is full.')
      }
      try {
        return await disk.write(async (tx) => {
          if (alive.dead) throw new Error('Its worker died.')
          return work(tx)
        }, ending)
      } finally {
        if (!alive.passes('after a commit')) await never()
      }
    },
    payload: (id) =>
      alive.query(async () => {
        if (clock.now() < scene.unreadableUntilMs)
          throw new HoldfastError('payload-unreadable', `The bytes of ${id} cannot be read.`)
        return disk.payload(id)
      }),
    close: () => undefined,
  })

  /** A wake must end within its budget, and as idle only where nothing is left. */
  const judge = async (worker: Worker, kind: WakeKind, wake: Promise<Outcome>): Promise<Outcome> => {
    const startMs = clock.now()
    let settled = false
    worker.joins++
    void scene.sleep(BUDGETS_MS[kind] + ANSWER_MS).then(() => {
      if (!settled && !worker.life.dead) scene.fail(`${worker.name}: ${kind} did not end within its budget`)
    })
    try {
      const outcome = await wake
      trace(() => `${worker.name}: ${kind} ends after ${clock.now() - startMs} ms: ${outcome}`)
      const told = mutant.outcome?.(kind, outcome) ?? outcome
      worker.joins--
      if (told === 'idle' && clock.now() - remainsSinceMs > LATE_MS)
        scene.fail(`${worker.name}: ${kind} ended as idle, but work remains`)
      return told
    } finally {
      settled = true
    }
  }

  /** The browser keeps a worker while an event lasts, then for a while. */
  const rest = (worker: Worker) => {
    const rests = ++worker.rests
    void scene.sleep(IDLE_MS).then(() => {
      if (worker.events > 0 || worker.rests !== rests || worker.life.dead) return
      trace(() => `${worker.name} is stopped by the browser`)
      scene.kills--
      worker.life.die()
    })
  }

  const event = async (worker: Worker, work: () => Promise<void>) => {
    worker.events++
    await worker.life.query(work)
    worker.events--
    if (worker.events === 0) rest(worker)
  }

  const awake = () => (active === undefined || active.life.dead ? start() : active)

  const ask = () => {
    if (syncAsked || device.tabs === 0) return
    syncAsked = true
    void syncUntilDone().finally(() => {
      syncAsked = false
    })
  }

  const syncUntilDone = async () => {
    await scene.sleep(1_000)
    for (let attempt = 0; attempt < SYNC_ATTEMPTS && !scene.healing; attempt++) {
      while (clock.now() < scene.offlineUntilMs) await scene.sleep(scene.offlineUntilMs - clock.now())
      if ((await syncOnce()) === 'idle') return
      await scene.sleep(SYNC_AGAIN_MS * 3 ** attempt)
    }
  }

  const syncOnce = async (): Promise<Outcome> => {
    const worker = awake()
    let outcome: Outcome = 'work-remains'
    const ended = event(worker, async () => {
      const synced = worker.engine.sync().then(
        (): Outcome => 'idle',
        (): Outcome => 'work-remains',
      )
      outcome = await judge(worker, 'sync', synced)
    })
    const died = new Promise<void>((resolve) => worker.life.onDeath(resolve))
    await Promise.race([ended, died])
    return outcome
  }

  const device: Device = {
    disk,
    locks,
    server,
    chain,
    oracle,
    tabs: 0,
    onNewWorker: new Set(),
    post(message, answer) {
      const worker = awake()
      const answered = (told: Reply) => {
        if (worker.life.dead) return
        trace(() => `${worker.name}: answers ${message.type} with ${told.ok ? 'ok' : told.error.code}`)
        if (told.ok && message.type === 'chunk') oracle.onAcknowledged(message.chunk, disk.state)
        answer(told)
      }
      void event(worker, async () => {
        await judge(worker, 'message', worker.engine.receive(message, answered))
      })
    },
    killWorker() {
      if (active === undefined || active.life.dead) return
      trace(() => `${active?.name} is killed`)
      active.life.die()
    },
    update() {
      start()
      for (const listener of device.onNewWorker) listener()
    },
    sync: () => void syncOnce(),
    workers,
    moments: () => workers.reduce((sum, { life }) => sum + life.moments, 0),
    quiet: () => workers.every(({ life, joins }) => life.dead || joins === 0),
  }
  return device
}
