import { describe, expect, it } from 'vitest'
import { seeded } from '../../e2e/soak/random.ts'
import { PROTOCOL_VERSION, recordingLockName } from '../../src/protocol/messages.ts'
import { expectThrough } from '../testing/expect-through.ts'
import { publishedLog } from '../testing/published-log.ts'
import { aStart, createWorld, drainOnce, recordSession, sealedChunk, sessionIdOf } from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createDrain } from './drain.ts'
import { createEngine } from './engine.ts'
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

// Promise 8 of docs/guarantees.md.
it('recordings of two tabs at once end as each tab says, in whatever order they end, die and come back', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { pick, between } = seeded(seed)
    const world = createWorld()
    const engine = createEngine(world.worker(), Promise.resolve())
    const ask = (type: string, body: object) =>
      new Promise<unknown>(
        (answer) => void engine.receive({ holdfast: PROTOCOL_VERSION, type, ...body }, answer),
      )
    const tab = async (number: number) => {
      const sessionId = sessionIdOf(number)
      let release = world.locks.hold(recordingLockName(sessionId))
      const recorded = { sessionId, cut: 0, isDead: false, isEnded: false, hadNoLock: false }
      const answered = ask('session-start', { session: aStart(number) })
      await world.clock.advance(10)
      await answered
      const steps = {
        async chunk() {
          if (recorded.isDead || recorded.isEnded) return
          const acked = ask('chunk', { chunk: await sealedChunk(sessionId, recorded.cut++) })
          await world.clock.advance(10)
          expect(await acked).toMatchObject({ ok: true })
        },
        async end() {
          if (recorded.isDead || recorded.isEnded) return
          recorded.isEnded = true
          const ended = ask('session-end', { sessionId, indexes: recorded.cut })
          await world.clock.advance(10)
          expect(await ended).toMatchObject({ ok: true, value: { ending: 'complete' } })
          release()
        },
        die() {
          if (recorded.isDead || recorded.isEnded) return
          recorded.isDead = true
          release()
        },
        // It is put aside for Back where the browser takes its lock: it is no longer heard of, and goes on.
        async losesItsLock() {
          if (recorded.isDead || recorded.isEnded) return
          recorded.hadNoLock = true
          release()
          await world.clock.advance(pick([0, 1_000, 60_000]))
          release = world.locks.hold(recordingLockName(sessionId))
        },
      }
      return { recorded, steps }
    }
    const tabs = [await tab(1), await tab(2)]
    const happened: string[] = []
    for (let count = between(4, 14); count > 0; count--) {
      const { recorded, steps } = pick(tabs)
      const name = pick(['chunk', 'chunk', ...Object.keys(steps)]) as keyof typeof steps
      happened.push(`${recorded.sessionId.at(-1)} ${name}`)
      await steps[name]()
      await world.clock.advance(pick([0, 10, 3_000]))
      // Nobody is taken for dead with the other.
      for (const { recorded: one } of tabs)
        if (!one.isDead && !one.isEnded && !one.hadNoLock)
          expect((await world.session(one.sessionId)).ending).toBe('recording')
    }
    for (const { steps } of tabs) await steps.end()
    await world.clock.advance(300_000)
    for (const { recorded } of tabs) {
      const { ending, open } = await world.session(recorded.sessionId)
      expect({
        seed,
        happened,
        ending,
        open,
        chunks: (await world.chunks(recorded.sessionId)).length,
      }).toEqual({
        seed,
        happened,
        ending: recorded.isDead ? 'interrupted' : 'complete',
        open: undefined,
        chunks: recorded.cut,
      })
      if (recorded.cut > 0) await expectThrough(world, recorded.sessionId, recorded.cut)
    }
  }
})
