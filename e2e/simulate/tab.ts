import type { Connection } from '../../src/connection.ts'
import { handOff } from '../../src/hand-off.ts'
import { requestWithRetry } from '../../src/request-with-retry.ts'
import { semaphore } from '../../src/semaphore.ts'
import { fromWire, HoldfastError } from '../../src/protocol/errors.ts'
import { PROTOCOL_VERSION, recordingLockName, type Answers, type Reply } from '../../src/protocol/messages.ts'
import { workerLifetime, type WorkerLifetime } from '../../sw/testing/worker-lifetime.ts'
import type { Device } from './device.ts'
import { letterOf, type Recording } from './history.ts'
import { recordedChunk, recordedNote, startOf } from './recorded.ts'
import type { Scene } from './simulated-scene.ts'

/** One open page. */
export interface Tab {
  readonly name: string
  readonly lifetime: WorkerLifetime
  readonly connection: Connection
  /** Who still waits for a new worker. */
  readonly listeners: ReadonlySet<() => void>
  close(): void
}

/** Time that a message takes on its way, ms; messages of one tab keep their order. */
const POST_MS = 2
/** As many hand-offs of one recording are under way (src/session.ts). */
const MAX_CONCURRENT_HAND_OFFS = 3
const ANSWER_WITHIN_MS = 10_000
/** How often an open page says hello while work remains, ms (src/keep-awake.ts). */
const HELLO_MS = 20_000

/** Opens a page, with a connection to whatever worker is active. */
export function openTab(scene: Scene, device: Device, name: string): Tab {
  const alive = workerLifetime()
  const listeners = new Set<() => void>()
  const onNewWorker = () => {
    for (const listener of listeners) if (!alive.dead) listener()
  }
  device.tabs++
  device.onNewWorker.add(onNewWorker)
  alive.onDeath(() => {
    device.tabs--
    device.onNewWorker.delete(onNewWorker)
  })

  const connection: Connection = {
    scope: 'https://simulated.example/',
    request: (request) =>
      alive.query(async () => {
        const answered = new Promise<Reply>((resolve) => {
          void scene
            .sleep(POST_MS)
            .then(() =>
              device.post({ ...request, holdfast: PROTOCOL_VERSION }, (reply) =>
                scene.sleep(POST_MS).then(() => resolve(reply)),
              ),
            )
        })
        const late = new AbortController()
        const deadline = scene.clock.sleep(ANSWER_WITHIN_MS, late.signal).then((): undefined => undefined)
        const reply = await Promise.race([answered, deadline])
        late.abort()
        if (reply === undefined) throw new HoldfastError('worker-timeout', 'No answer.')
        if (!reply.ok) throw fromWire(reply.error)
        return reply.value as Answers[typeof request.type]
      }),
    onNewWorker: (listener, signal) => {
      listeners.add(listener)
      signal.addEventListener('abort', () => listeners.delete(listener))
    },
  }
  const tab = { name, lifetime: alive, connection, listeners, close: () => alive.die() }
  void keepAwake(scene, tab)
  return tab
}

async function keepAwake(scene: Scene, { lifetime, connection }: Tab): Promise<void> {
  for (let again = false; !lifetime.dead; again = true) {
    const asked = connection.request({ type: 'hello', again })
    const { workRemains } = await asked.catch(() => ({ workRemains: true }))
    if (!workRemains) return
    await lifetime.query(() => scene.sleep(HELLO_MS))
  }
}

/** Asks as a page does, until the worker has answered or refused for good, or the tab is closed. */
export const askUntilAnswered = (
  { lifetime, connection }: Tab,
  request: Parameters<Connection['request']>[0],
): Promise<unknown> =>
  lifetime.query(() => requestWithRetry(connection, () => connection.request(request))).catch(() => undefined)

/** A tab records: starts, hands over each chunk until it is acknowledged, and ends or does not. */
export async function record(
  scene: Scene,
  device: Device,
  tab: Tab,
  at: number,
  plan: Recording,
): Promise<void> {
  const { lifetime, connection } = tab
  const { seal, chunks, gapMs, ending } = plan
  const start = startOf(at, seal)
  const id = start.sessionId
  const release = device.locks.hold(recordingLockName(id))
  lifetime.onDeath(release)
  scene.trace(() => `${tab.name} records ${letterOf(at)}`)
  await askUntilAnswered(tab, { type: 'session-start', session: start })
  const acquire = semaphore(MAX_CONCURRENT_HAND_OFFS)
  const handed: Promise<unknown>[] = []
  const { notes } = scene.history
  let noted: Promise<unknown> = Promise.resolve()
  const note = (index: number) =>
    askUntilAnswered(tab, { type: 'note', sessionId: id, ...recordedNote(id, index) })
  for (let index = 0; index < Math.max(chunks, notes); index++) {
    await lifetime.query(() => scene.sleep(gapMs))
    // One after the other, as a page does.
    if (index < notes) noted = noted.then(() => note(index))
    if (index >= chunks) continue
    const chunk = recordedChunk(id, index, seal)
    handed.push(lifetime.query(() => handOff(connection, chunk, { acquire })).catch(() => undefined))
  }
  if (ending === 'dies') {
    scene.trace(() => `${tab.name} dies`)
    return tab.close()
  }
  await Promise.all([...handed, noted])
  if (tab.listeners.size > 0) scene.fail(`${tab.name} still listens for a new worker, though nothing waits`)
  if (ending === 'forgets') return
  await askUntilAnswered(tab, { type: 'session-end', sessionId: id, indexes: chunks })
  release()
}
