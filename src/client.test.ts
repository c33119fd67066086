import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Holdfast } from './api.ts'
import { connect } from './client.ts'
import { openConnection } from './connection.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Envelope, HandedChunk } from './protocol/messages.ts'

const worker = vi.hoisted(() => ({
  /** Undefined while the browser still registers it. */
  registration: undefined as (EventTarget & { active: object; scope: string }) | undefined,
  /** Registers it after all. */
  answerLate: (_registration: unknown) => {},
  /** How often it was. */
  registered: 0,
  refuses: false,
  asked: [] as Envelope[],
  /** Types that it does not answer. */
  mute: [] as string[],
  /** What it answers instead. */
  reply: undefined as (() => unknown) | undefined,
}))

vi.mock('workbox-window/messageSW.js', () => ({
  messageSW: (_worker: object, envelope: Envelope) => {
    worker.asked.push(envelope)
    if (worker.mute.includes(envelope.type)) return new Promise(() => {})
    if (worker.reply) return new Promise((resolve) => resolve(worker.reply?.()))
    return Promise.resolve({ ok: true, value: envelope.type === 'sessions' ? [] : { workRemains: false } })
  },
}))

const register = () => {
  worker.registered++
  if (worker.refuses) return Promise.reject(new TypeError('The script cannot be loaded.'))
  if (worker.registration) return Promise.resolve(worker.registration)
  return new Promise((resolve) => (worker.answerLate = resolve))
}

const SCOPE = 'https://app.example/'
const registrationOf = (active: object) => Object.assign(new EventTarget(), { active, scope: SCOPE })
const id = '00000000-0000-4000-8000-000000000001' as SessionId
const types = () => worker.asked.map(({ type }) => type)

beforeEach(() => {
  vi.useFakeTimers()
  worker.registration = registrationOf({})
  worker.asked = []
  worker.refuses = false
  worker.registered = 0
  worker.mute = []
  worker.reply = undefined
  vi.stubGlobal('navigator', { serviceWorker: Object.assign(new EventTarget(), { register }), locks: {} })
  vi.stubGlobal('indexedDB', {})
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('addEventListener', () => undefined)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('connect', () => {
  it("tells the scope of the worker's registration, wherever the page is", async () => {
    expect((await connect({ scriptUrl: '/sw.js' })).scope).toBe(SCOPE)
  })

  it('asks nothing of the browser under a signal that is aborted already', async () => {
    const connected = connect({ scriptUrl: '/sw.js', signal: AbortSignal.abort('enough') })
    await expect(connected).rejects.toBe('enough')
    expect(worker.asked).toEqual([])
  })

  it('says why the browser does not register the worker, in the browser’s words', async () => {
    worker.refuses = true
    await expect(connect({ scriptUrl: '/sw.js' })).rejects.toMatchObject({
      code: 'no-service-worker',
      message: '/sw.js: TypeError: The script cannot be loaded.',
    })
  })

  it('is given up while the browser registers the worker', async () => {
    worker.registration = undefined
    const leaving = new AbortController()
    const connected = connect({ scriptUrl: '/sw.js', signal: leaving.signal })
    leaving.abort('enough')
    await expect(connected).rejects.toBe('enough')
    expect(worker.asked).toEqual([])
  })

  it('is given up while the worker is silent, and says hello no more', async () => {
    worker.mute = ['hello']
    const leaving = new AbortController()
    const connected = connect({ scriptUrl: '/sw.js', signal: leaving.signal })
    const ended = expect(connected).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(1)
    leaving.abort('enough')
    await ended
    expect(vi.getTimerCount()).toBe(0)
    expect(types()).toEqual(['hello'])
  })

  it('asks a silent worker once more, then rejects', async () => {
    worker.mute = ['hello']
    const connected = connect({ scriptUrl: '/sw.js', timeoutMs: 50 })
    const ended = expect(connected).rejects.toMatchObject({ code: 'worker-timeout' })
    await vi.advanceTimersByTimeAsync(100)
    await ended
    expect(types()).toEqual(['hello', 'hello'])
  })

  describe('tells of a newer worker', () => {
    const told: unknown[] = []
    const onUpdate = (waiting: ServiceWorker) => told.push(waiting)
    const newer = () => Object.assign(new EventTarget(), { state: 'installing' })
    /** What a browser does once it has installed it. */
    function install(registration: object, installed: EventTarget) {
      Object.assign(registration, { installing: null, waiting: installed })
      installed.dispatchEvent(new Event('statechange'))
    }
    beforeEach(() => void (told.length = 0))

    it('that waits already', async () => {
      const waiting = newer()
      Object.assign(worker.registration!, { waiting })
      await connect({ scriptUrl: '/sw.js', onUpdate })
      expect(told).toEqual([waiting])
    })

    it('that is being installed, once it waits', async () => {
      const installing = newer()
      Object.assign(worker.registration!, { installing })
      await connect({ scriptUrl: '/sw.js', onUpdate })
      expect(told).toEqual([])
      install(worker.registration!, installing)
      expect(told).toEqual([installing])
    })

    it('that is found later, and none while it is the first', async () => {
      await connect({ scriptUrl: '/sw.js', onUpdate })
      const installing = newer()
      Object.assign(worker.registration!, { installing })
      worker.registration!.dispatchEvent(new Event('updatefound'))
      expect(told).toEqual([])
      install(worker.registration!, installing)
      expect(told).toEqual([installing])
    })

    it('also where the one that is active answers nothing', async () => {
      worker.mute = ['hello']
      Object.assign(worker.registration!, { waiting: newer() })
      const connected = connect({ scriptUrl: '/sw.js', timeoutMs: 50, onUpdate })
      const ended = expect(connected).rejects.toMatchObject({ code: 'worker-timeout' })
      await vi.advanceTimersByTimeAsync(100)
      await ended
      expect(told).toHaveLength(1)
    })

    it('once, though yet another is installed and takes its place', async () => {
      const [waiting, next] = [newer(), newer()]
      Object.assign(worker.registration!, { installing: waiting })
      await connect({ scriptUrl: '/sw.js', onUpdate })
      install(worker.registration!, waiting)
      Object.assign(worker.registration!, { installing: next })
      worker.registration!.dispatchEvent(new Event('updatefound'))
      expect(told).toEqual([waiting])
      install(worker.registration!, next)
      // As a browser tells of the one that waited before.
      waiting.dispatchEvent(new Event('statechange'))
      expect(told).toEqual([waiting, next])
    })

    it('no more once the page’s client is closed', async () => {
      const installing = newer()
      Object.assign(worker.registration!, { installing })
      const holdfast = await connect({ scriptUrl: '/sw.js', onUpdate })
      holdfast.close()
      install(worker.registration!, installing)
      worker.registration!.dispatchEvent(new Event('updatefound'))
      expect(told).toEqual([])
    })

    it('no more where it could not connect, or did not want to any more: who tries again is told once', async () => {
      const installing = newer()
      Object.assign(worker.registration!, { installing })
      worker.mute = ['hello']
      const mute = connect({ scriptUrl: '/sw.js', timeoutMs: 50, onUpdate }).catch(() => undefined)
      await vi.advanceTimersByTimeAsync(100)
      await mute
      const { registration } = worker
      worker.registration = undefined
      const leaving = new AbortController()
      const left = connect({ scriptUrl: '/sw.js', signal: leaving.signal, onUpdate }).catch(() => undefined)
      leaving.abort()
      await left
      worker.answerLate(registration)
      worker.registration = registration
      install(registration!, installing)
      registration!.dispatchEvent(new Event('updatefound'))
      await vi.advanceTimersByTimeAsync(0)
      expect(told).toEqual([])
      worker.mute = []
      await connect({ scriptUrl: '/sw.js', onUpdate })
      expect(told).toEqual([installing])
    })

    it('to whoever listens, and goes on where nobody does', async () => {
      Object.assign(worker.registration!, { waiting: newer() })
      expect((await connect({ scriptUrl: '/sw.js' })).scope).toBe(SCOPE)
    })
  })

  it('says so where the page may not even ask for a worker, as in a sandbox', async () => {
    const sandboxed = Object.defineProperty({ locks: {} }, 'serviceWorker', {
      get() {
        throw new DOMException('Forbidden', 'SecurityError')
      },
    })
    vi.stubGlobal('navigator', sandboxed)
    await expect(connect({ scriptUrl: '/sw.js' })).rejects.toMatchObject({ code: 'no-service-worker' })
  })

  // Promise 1 of docs/guarantees.md.
  it('gives the worker longer for a large chunk, which a slow device takes a minute to keep', async () => {
    const { request } = await openConnection({ scriptUrl: '/sw.js' })
    worker.mute = ['chunk']
    const payload = Object.defineProperty(new Blob(), 'size', { value: 60_000_000 })
    const settled = vi.fn()
    request({ type: 'chunk', chunk: { payload } as HandedChunk }).catch(settled)
    await vi.advanceTimersByTimeAsync(69_000)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(settled).toHaveBeenCalledWith(expect.objectContaining({ code: 'worker-timeout' }))
  })

  it('registers the worker again, once, where it was taken away under the page', async () => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    const gone = worker.registration
    worker.registration = registrationOf({ state: 'activated' })
    worker.registered = 0
    Object.assign(gone ?? {}, { active: null })
    await Promise.all([holdfast.sessions(), holdfast.policy()])
    expect(worker.registered).toBe(1)
    Object.assign(worker.registration?.active ?? {}, { state: 'redundant' })
    worker.registration = registrationOf({ state: 'activated' })
    await holdfast.sessions()
    expect(worker.registered).toBe(2)
    holdfast.close()
  })

  it('tells that the worker cannot be registered again, and tries once more when it is asked the next time', async () => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    Object.assign(worker.registration ?? {}, { active: null })
    worker.refuses = true
    await expect(holdfast.sessions()).rejects.toMatchObject({ code: 'no-service-worker' })
    worker.refuses = false
    worker.registration = registrationOf({ state: 'activated' })
    expect(await holdfast.sessions()).toEqual([])
    holdfast.close()
  })

  it('answers every question, also where the browser never registers the worker again', async () => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    Object.assign(worker.registration ?? {}, { active: null })
    worker.registration = undefined
    const asked = holdfast.sessions().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await asked).toMatchObject({ code: 'worker-timeout' })
    holdfast.close()
  })

  it('registers once more where the browser never answered that it had', async () => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    Object.assign(worker.registration ?? {}, { active: null })
    worker.registration = undefined
    const asked = holdfast.sessions().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(10_000)
    await asked
    worker.registration = registrationOf({ state: 'activated' })
    expect(await holdfast.sessions()).toEqual([])
    holdfast.close()
  })

  it('waits five minutes for the browser to install the worker, and no longer', async () => {
    worker.registration = undefined
    const connected = connect({ scriptUrl: '/sw.js' }).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(5 * 60_000)
    expect(await connected).toMatchObject({ code: 'worker-timeout' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each([
    ['scriptUrl', undefined],
    ['scriptUrl', {}],
    ['scriptURL', { scriptUrl: '/sw.js', scriptURL: '/sw.js' }],
    ['timeoutMs', { scriptUrl: '/sw.js', timeoutMs: 0 }],
    ['timeoutMs', { scriptUrl: '/sw.js', timeoutMs: Number.NaN }],
  ])('names what is wrong with the call: %s', async (name, options) => {
    const message = expect.stringMatching(`^${name}: `) as unknown
    const connected = connect(options as never)
    await expect(connected).rejects.toMatchObject({ code: 'bad-input', message })
    expect(worker.registered).toBe(0)
  })

  it('can wait for ever', async () => {
    worker.mute = ['hello']
    const leaving = new AbortController()
    const connected = connect({ scriptUrl: '/sw.js', timeoutMs: Infinity, signal: leaving.signal })
    const ended = expect(connected).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(types()).toEqual(['hello'])
    leaving.abort('enough')
    await ended
  })

  it.each([
    ['nothing', () => undefined],
    ['a text', () => 'hi'],
    ['no error', () => ({ ok: false })],
    ['a consent without a value', () => ({ ok: true })],
    ['an error without a code', () => ({ ok: false, error: {} })],
    [
      'a message that cannot be posted',
      () => {
        throw new DOMException('It could not be cloned.', 'DataCloneError')
      },
    ],
  ])('tells an answer that is none of ours as a defect: %s', async (_what, reply) => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    worker.reply = reply
    const error: unknown = await holdfast.sessions().catch((thrown: unknown) => thrown)
    expect(isHoldfastError(error, 'defect')).toBe(true)
    holdfast.close()
  })

  it('minds its signal no more once it is connected', async () => {
    const leaving = new AbortController()
    const holdfast = await connect({ scriptUrl: '/sw.js', signal: leaving.signal })
    leaving.abort('enough')
    expect(await holdfast.sessions()).toEqual([])
    holdfast.close()
  })
})

type Options = { readonly signal: AbortSignal }
const CALLS: Readonly<Record<string, (holdfast: Holdfast, options: Options) => Promise<unknown>>> = {
  sessions: (holdfast, options) => holdfast.sessions(options),
  chunks: (holdfast, options) => holdfast.chunks(id, options),
  pause: (holdfast, options) => holdfast.pause(id, options),
  resume: (holdfast, options) => holdfast.resume(id, options),
  policy: (holdfast, options) => holdfast.policy(options),
  setPolicy: (holdfast, options) => holdfast.setPolicy('paused', options),
  discard: (holdfast, options) => holdfast.discard(id, options),
}

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  // Promise 1 of docs/guarantees.md.
  it('rejects with the signal’s reason, before the call and while the worker is silent', async () => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    worker.asked = []
    await expect(call(holdfast, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect(worker.asked).toEqual([])

    worker.mute = ['sessions', 'chunks', 'pause', 'resume', 'policy', 'discard']
    const leaving = new AbortController()
    const asked = call(holdfast, { signal: leaving.signal })
    leaving.abort('enough')
    await expect(asked).rejects.toBe('enough')
    expect(worker.asked).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    holdfast.close()
  })
})

describe('watch', () => {
  it.each(['signal', 'close'] as const)('ends without an error by %s', async (how) => {
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    const leaving = new AbortController()
    const seen: unknown[] = []
    for await (const { sessions } of holdfast.watch({ signal: leaving.signal })) {
      seen.push(sessions)
      if (how === 'close') holdfast.close()
      else leaving.abort('enough')
    }
    expect(seen).toEqual([[]])
    holdfast.close()
  })

  it('ends without an error while the worker is silent', async () => {
    worker.mute = ['sessions']
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    const leaving = new AbortController()
    const over = (async () => {
      for await (const snapshot of holdfast.watch({ signal: leaving.signal }))
        expect(snapshot).toBeUndefined()
    })()
    leaving.abort('enough')
    await over
    holdfast.close()
  })
})

it('gives up on the capabilities with the signal’s reason', async () => {
  const holdfast = await connect({ scriptUrl: '/sw.js' })
  await expect(holdfast.capabilities({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  holdfast.close()
})

it('tells nothing of what the browser can do where a network never brings the code for that', async () => {
  vi.resetModules()
  vi.doMock('./capabilities.ts', () => new Promise<never>(() => {}))
  try {
    const { connect } = await import('./client.ts')
    const holdfast = await connect({ scriptUrl: '/sw.js' })
    const told = holdfast.capabilities().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(isHoldfastError(await told, 'defect')).toBe(true)
    holdfast.close()
  } finally {
    vi.doUnmock('./capabilities.ts')
    vi.resetModules()
  }
})
