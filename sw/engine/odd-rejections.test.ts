import { describe, expect, it } from 'vitest'
import { sampleOf } from '../../e2e/test-size.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import { sessionView } from '../core/view.ts'
import {
  aRawStart,
  cidOf,
  createWorld,
  drainOnce,
  rawChunk,
  recordSession,
  sessionIdOf,
} from '../testing/world.ts'
import { admitChunk } from './admit.ts'
import { createEngine } from './engine.ts'
import { endSession, startSession } from './sessions.ts'

// Promise 5 of docs/guarantees.md: what an app's own port rejects with, or throws, is its session's trouble alone.

const id = sessionIdOf(1)
const other = sessionIdOf(2)

class Odd extends Error {
  override readonly name = 'HoldfastError'
  constructor(fields: object) {
    super('Odd.')
    Object.assign(this, fields)
  }
}

/** What somebody may throw, by what it is. */
const THROWN: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  'a number': 0,
  'a string': '',
  'a symbol': Symbol('odd'),
  'a bigint': 1n,
  'a function': () => undefined,
  'an object': {},
  'a symbol as its message': { message: Symbol('odd') },
  'a message of a megabyte': new Error('x'.repeat(1_000_000)),
  'a lone surrogate': new Error('\ud800'),
  'a code of no version': new Odd({ code: 'was-once' }),
  'a code of every object': new Odd({ code: 'constructor' }),
  'a number as its code': new Odd({ code: 7, retryAfterMs: 0 }),
  'a symbol as its code': new Odd({ code: Symbol('odd') }),
  'a function as its code': new Odd({ code: () => undefined }),
  'a message that is none': new Odd({ code: 'server-error', message: { no: 'text' } }),
  'a message that cannot be kept': new Odd({ code: 'server-error', message: () => undefined }),
  // Each means something to the engine where it says so itself.
  'a failing database': new HoldfastError('storage-failed', 'Its own.'),
  'a full device': new HoldfastError('storage-full', 'Its own.'),
  'bytes that have changed': new HoldfastError('payload-corrupt', 'Its own.'),
  'bytes that cannot be read': new HoldfastError('payload-unreadable', 'Its own.'),
  'another destination': new HoldfastError('other-destination', 'Its own.'),
  'a session of nobody': new HoldfastError('unknown-session', 'Its own.'),
  'a wait that is a word': new Odd({ code: 'server-error', retryAfterMs: 'soon' }),
  'a wait that is an object': new Odd({ code: 'server-error', retryAfterMs: {} }),
  'a wait that is over': new Odd({ code: 'unreachable', retryAfterMs: -1e15 }),
  'a wait that was never': new Odd({ code: 'server-error', retryAfterMs: -Infinity }),
  'a wait of no number': new Odd({ code: 'sign-in-needed', retryAfterMs: NaN }),
}

/** What the engine alone may say: that the device has failed, or that a session goes elsewhere. */
const NOT_OF_DEVICE = /^(?!storage|payload|other-)/

const seen = async (world: ReturnType<typeof createWorld>) =>
  sessionView(await world.session(id), { bytesOf: () => 0, bytesPerSecond: () => 0 })

describe.each(sampleOf(Object.keys(THROWN)))('%s, thrown', (what) => {
  const thrown = THROWN[what]
  const reject = () => Promise.reject(thrown as Error)
  const raise = () => {
    throw thrown
  }

  it.each([
    ['a transport', reject],
    ['a transport at once', raise],
  ])('by %s, is of what it was to send alone, and passes', async (_by, fail) => {
    const world = createWorld()
    await recordSession(world, { chunks: 2 })
    await recordSession(world, { number: 2, chunks: 2 })
    const [bad] = (await world.chunks(id)).map(cidOf)
    const worker = world.worker()
    const { send } = worker.transport
    let isOdd = true
    const transport: typeof worker.transport = {
      ...worker.transport,
      send: (upload, ...rest) => (isOdd && upload.cid === bad ? fail() : send(upload, ...rest)),
    }
    await drainOnce(world, { ...worker, transport }, 'push')
    expect(await world.statuses(other)).toEqual(['confirmed', 'confirmed'])
    expect(String((await seen(world)).lastError?.code)).toMatch(NOT_OF_DEVICE)
    expect((await world.statuses(id))[1]).not.toBe('uploading')
    isOdd = false
    for (let wakes = 0; wakes < 30 && (await seen(world)).upload !== 'confirmed'; wakes++) {
      await world.clock.advance(300_000)
      await drainOnce(world, world.worker(), 'sync')
    }
    expect(await seen(world)).toMatchObject({ upload: 'confirmed' })
  })

  it('by an anchor, by a hook, by a sealer, by a wake, is told, and ends no drain', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    await startSession(world.worker(), aRawStart(2))
    await admitChunk(world.worker(), await rawChunk(other, 0))
    await endSession(world.worker(), other)
    const worker = world.worker()
    let sealings = 0
    const odd = {
      ...worker,
      anchor: { ...worker.anchor, read: reject, submit: reject, receipt: reject },
      sealer: () => (sealings++, reject()),
      watch: reject,
      onSettled: reject,
      lastChance: reject,
      wake: { ...worker.wake, arm: reject },
    }
    const engine = createEngine(odd, Promise.resolve())
    const ended = engine.sync({ tag: 'any', lastChance: true }).catch(() => 'failed')
    await world.clock.advance(200_000)
    expect(await ended).toBe('failed')
    expect(await world.statuses(id)).toEqual(['anchoring'])
    // Ever more rarely, also where a network is said to be away.
    expect(sealings).toBeLessThan(40)
    for (const one of [id, other])
      expect(String((await world.session(one)).trouble?.error.code), one).toMatch(NOT_OF_DEVICE)
  })
})
