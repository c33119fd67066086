import { describe, expect, it } from 'vitest'
import { recordingLockName } from '../../src/protocol/messages.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { publishedLog } from '../testing/published.ts'
import { createWorld, drainOnce, recordSession, sealedChunk, sessionIdOf } from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { endSession } from './sessions.ts'

const id = sessionIdOf(1)

describe('the dead-man switch', () => {
  // Promise 8 of docs/guarantees.md.
  it('closes and anchors a recording whose page died, with no page and no tap', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 2, ending: 'recording' })
    const die = world.locks.hold(recordingLockName(id))
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(5_000)
    expect((await world.session(id)).ending).toBe('recording')
    die()
    await world.clock.runUntil(joined)
    expect(await joined).toBe('idle')
    expect((await world.session(id)).ending).toBe('interrupted')
    await expectThrough(world, id, 2)
  })

  it('takes a recording for dead whose lock nobody holds when the worker starts', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    expect(await drainOnce(world, world.worker(), 'startup')).toBe('idle')
    expect((await world.session(id)).ending).toBe('interrupted')
    await expectThrough(world, id, 1)
  })

  it('leaves a recording alone that ended in time', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'recording' })
    const release = world.locks.hold(recordingLockName(id))
    const joined = createDrain(world.worker()).join('message')
    await world.clock.advance(1_000)
    await endSession(world.worker(), id)
    release()
    await world.clock.runUntil(joined)
    await expectThrough(world, id, 1)
    expect((await world.session(id)).ending).toBe('complete')
  })

  it('believes a page that ends its recording after all, and publishes that', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    await drainOnce(world, world.worker())
    expect((await publishedLog(world, id)).entries.at(-1)).toMatchObject({ kind: 'end', how: 'interrupted' })
    await endSession(world.worker(), id)
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 1)
    expect(world.chain.submits()).toBe(2)
  })

  it('takes a late chunk of an interrupted session, settled or not, and publishes again', async () => {
    const world = createWorld()
    await recordSession(world, { ending: 'interrupted' })
    await drainOnce(world, world.worker())
    expect((await world.session(id)).open).toBeUndefined()
    await admitChunk(world.worker(), await sealedChunk(id, 1))
    expect((await world.session(id)).open).toBeDefined()
    expect(await drainOnce(world, world.worker())).toBe('idle')
    await expectThrough(world, id, 2)
  })
})
