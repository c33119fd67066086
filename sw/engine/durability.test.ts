import { expect, it } from 'vitest'
import type { WriteTransaction } from '../ports/store.ts'
import {
  aRawStart,
  createWorld,
  drainOnce,
  rawChunk,
  recordSession,
  sealedChunk,
  sessionIdOf,
  type World,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { discardSession, endSession, startSession } from './sessions.ts'

// Promise 1 of docs/guarantees.md: what may be lost where the device loses its power.

/** The lines of the custody log by how durable they had to be. */
interface Lines {
  readonly strict: Set<string>
  readonly relaxed: Set<string>
}

/** A worker of which each change of the store is noted. */
function watchedWorker(world: World, { strict, relaxed }: Lines): ReturnType<World['worker']> {
  const worker = world.worker()
  const { store } = worker
  return {
    ...worker,
    store: {
      ...store,
      write: (work, needs) =>
        store.write((tx) => {
          const addLog: WriteTransaction['addLog'] = (lines) => {
            for (const { event } of lines) (needs?.repeatable ? relaxed : strict).add(event)
            return tx.addLog(lines)
          }
          return work(
            new Proxy(tx, {
              get: (_tx, name) =>
                name === 'addLog'
                  ? addLog
                  : (...given: unknown[]) =>
                      (tx[name as keyof WriteTransaction] as (...args: unknown[]) => unknown)(...given),
            }),
          )
        }, needs),
    },
  }
}

it('alone that a copy was proved need not be durable; what acknowledges, deletes, or lets a request leave must be', async () => {
  const world = createWorld()
  const lines: Lines = { strict: new Set(), relaxed: new Set() }
  const worker = watchedWorker(world, lines)
  const id = sessionIdOf(2)
  await startSession(worker, aRawStart(2))
  await admitChunk(worker, await rawChunk(id, 0))
  await endSession(worker, id, 1)
  const other = await recordSession(world, { number: 1, chunks: 1, ending: 'recording' })
  await admitChunk(worker, await sealedChunk(other, 1))
  await endSession(worker, other, 2)
  expect(await drainOnce(world, worker)).toBe('idle')
  for (const of of [id, other]) {
    expect(await world.statuses(of)).not.toContain('uploading')
    await discardSession(worker, of, undefined)
  }
  expect([...lines.relaxed]).toEqual(['stored'])
  expect([...lines.strict].sort()).toEqual(
    expect.arrayContaining([
      'acknowledged',
      'anchor-confirmed',
      'anchor-sent',
      'anchored',
      'discarded',
      'page-stored',
      'sealed',
      'send-began',
      'session-ended',
      'session-started',
    ]),
  )
  expect(lines.strict).not.toContain('stored')
})
