import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageLocks } from '../e2e/in-page/page-locks.ts'
import { channels } from '../e2e/in-page/fake-channels.ts'
import { stubPlatform } from '../e2e/in-page/heard-platform.ts'
import type { Holdfast, RecordingSession, WaitOptions } from './api.ts'
import { connect } from './client.ts'
import { newGroup } from './group.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Envelope } from './protocol/messages.ts'

/** What the page waits for, counted as each of the platform's promises begins. */
const waits = vi.hoisted(() => {
  let count = 0
  let onBegin = (_count: number): Promise<never> | void => {}
  return {
    begins: <T>(promise: Promise<T>): Promise<T> => onBegin(++count) ?? promise,
    watch(told: typeof onBegin) {
      count = 0
      onBegin = told
    },
  }
})

const worker = vi.hoisted(() => ({ asked: [] as Envelope[] }))

vi.mock('workbox-window/messageSW.js', () => ({
  messageSW: (_worker: object, envelope: Envelope) => {
    worker.asked.push(envelope)
    const value = async () => {
      if (envelope.type === 'chunk') return { acknowledged: `x/${envelope.chunk.index}` }
      if (envelope.type === 'bytes') return new Blob()
      return /s$|log/.test(envelope.type) ? [] : { workRemains: false }
    }
    const answer = value().then((value) => ({ ok: true, value }))
    // By itself the page asks this, and nobody gives it up.
    return envelope.type === 'hello' && 'again' in envelope ? answer : waits.begins(answer)
  },
}))

let locks: ReturnType<typeof pageLocks>
beforeEach(() => {
  worker.asked = []
  locks = pageLocks()
  const registration = Object.assign(new EventTarget(), { active: {}, scope: 'https://app.example/' })
  const register = () => waits.begins(Promise.resolve(registration))
  const request = (...asked: Parameters<typeof locks.request>) => waits.begins(locks.request(...asked))
  const navigator = {
    serviceWorker: Object.assign(new EventTarget(), { register, getRegistration: register }),
    locks: { request },
    storage: { persisted: () => waits.begins(Promise.resolve(true)) },
  }
  stubPlatform(navigator, waits.begins)
})
afterEach(() => {
  waits.watch(() => undefined)
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  channels.clear()
})

const group = await newGroup()
const id = '00000000-0000-4000-8000-000000000001' as SessionId
const options = { groups: [group], mimeType: 'video/webm' }
const typesOf = (asked: readonly Envelope[]) => asked.map(({ type }) => type)

type Call<Of> = (of: Of, options: WaitOptions) => Promise<unknown>

const OF_PAGE: Readonly<Record<string, Call<Holdfast>>> = {
  connect: (_holdfast, { signal }) => connect({ scriptUrl: '/sw.js', signal }),
  sessions: (holdfast, options) => holdfast.sessions(options),
  chunks: (holdfast, options) => holdfast.chunks(id, options),
  bytes: (holdfast, options) => holdfast.bytes(id, 0, options),
  log: (holdfast, options) => holdfast.log(id, options),
  pause: (holdfast, options) => holdfast.pause(id, options),
  resume: (holdfast, options) => holdfast.resume(id, options),
  adopt: (holdfast, options) => holdfast.adopt(id, options),
  policy: (holdfast, options) => holdfast.policy(options),
  setPolicy: (holdfast, options) => holdfast.setPolicy('paused', options),
  discard: (holdfast, options) => holdfast.discard(id, options),
  capabilities: (holdfast, options) => holdfast.capabilities(options),
  startSession: (holdfast, { signal }) => holdfast.startSession({ ...options, signal }),
  'startSession with metadata': (holdfast, { signal }) =>
    holdfast.startSession({ ...options, metadata: { at: 1 }, signal }),
}

const OF_SESSION: Readonly<Record<string, Call<RecordingSession>>> = {
  append: (session, options) => session.append(new Blob(['given up']), options),
  note: (session, options) => session.note({ at: 'given up' }, options),
  end: (session, options) => session.end(options),
}

interface Begun {
  readonly call: (options: WaitOptions) => Promise<unknown>
  /** Looks at what is left of it. */
  readonly after: () => Promise<void>
}

/**
 * Gives a call up before it, and then while each of the platform's promises is out, in turn, until it needs no more.
 *
 * @param then what becomes of that promise
 */
async function giveUpEach(then: 'comes' | 'fails', begin: () => Promise<Begun>): Promise<void> {
  for (let at = 0; ; at++) {
    const { call, after } = await begin()
    const leaving = new AbortController()
    const { signal } = leaving
    if (at === 0) leaving.abort('enough')
    waits.watch((count) => {
      if (count !== at) return
      leaving.abort('enough')
      if (then === 'fails') return Promise.reject(new DOMException('No.', 'OperationError'))
    })
    // Where a call throws there is no promise to look at.
    const asked = call({ signal })
    const outcome = await asked.then(
      () => 'done',
      (reason: unknown) => reason,
    )
    waits.watch(() => undefined)
    expect(outcome, `given up at ${at}`).toBe(signal.aborted ? 'enough' : 'done')
    await after()
    await expect.poll(() => getEventListeners(signal, 'abort')).toEqual([])
    // There was something to give up.
    if (!signal.aborted) return expect(at).toBeGreaterThan(1)
  }
}

// Promise 1 of docs/guarantees.md.
describe.each(['comes', 'fails'] as const)(
  'given up before it, or for something that then %s, rejects with the reason of its signal, and lets go of that:',
  (then) => {
    it.each(Object.entries(OF_PAGE))('%s', async (_name, call) => {
      const holdfast = await connect({ scriptUrl: '/sw.js' })
      await giveUpEach(then, async () => {
        worker.asked = []
        let made: unknown
        return {
          call: (options) => call(holdfast, options).then((value) => (made = value)),
          async after() {
            const { end } = Object(made) as Partial<RecordingSession>
            await end?.()
            // A session that nobody has is taken back before its lock goes, where the worker was asked for it.
            await expect.poll(() => locks.held.size).toBe(0)
            const types = typesOf(worker.asked)
            const isBegun = types.includes('session-start') && (end || then === 'comes')
            if (isBegun) expect(types).toContain(end ? 'session-end' : 'discard')
          },
        }
      })
      holdfast.close()
    })

    it.each(Object.entries(OF_SESSION))('%s, and its session goes on', async (name, call) => {
      const holdfast = await connect({ scriptUrl: '/sw.js' })
      await giveUpEach(then, async () => {
        const session = await holdfast.startSession(options)
        worker.asked = []
        return {
          call: (options) => call(session, options),
          async after() {
            if (name !== 'end') {
              await session.append(new Blob(['kept']))
              await session.note({ at: 'kept' })
            }
            await session.end()
            expect(session.waiting).toBe(0)
            const last = name === 'end' ? ['session-end'] : ['chunk', 'note', 'session-end']
            expect(typesOf(worker.asked).slice(-last.length)).toEqual(last)
            expect(locks.held.size).toBe(0)
          },
        }
      })
      holdfast.close()
    })
  },
)
