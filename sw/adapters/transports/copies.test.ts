import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { describeContract, describeSample } from '../../../e2e/transports/describe-contract.ts'
import { takesWhole } from '../../../e2e/test-size.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { ERRORS, HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { Cid, Sha256Hex } from '../../../src/protocol/ids.ts'
import type { StoreChoice } from '../../core/record.ts'
import { copies } from './copies.ts'
import type { Floors, Transport, Upload } from '../../ports/transport.ts'
import type { TransportHarness } from '../../contracts/transport.contract.ts'

// Promises 2, 4, 5, 6 of docs/guarantees.md.

describe('over real stores', () => {
  const SECRET = 'a-bearer-token-of-the-app'
  let box: Sandbox
  let backend: Backend

  beforeAll(async () => {
    box = await sandbox()
    backend = await box.start()
  })
  afterEach(() => backend.faults.clear())
  afterAll(() => box.clear())

  const ipfsHarness = () => variantHarness(backend, 'ipfs', SECRET)
  const tusHarness = () => variantHarness(backend, 'tus', SECRET)

  /** Both stores fail alike; what holds or slows one down is met at the one that is looked at. */
  function both(lookedAt: TransportHarness, other: TransportHarness, isFirst: boolean): TransportHarness {
    const order = isFirst ? [lookedAt, other] : [other, lookedAt]
    return {
      ...lookedAt,
      transport: (timeoutMs) => copies(order.map((harness) => harness.transport(timeoutMs))),
      async fault(fault) {
        const one = await lookedAt.fault(fault)
        if (fault.kind === 'hold' || fault.kind === 'slow') return one
        const two = await other.fault(fault)
        return { ...one, remove: async () => void (await Promise.all([one.remove(), two.remove()])) }
      },
    }
  }
  const alone = (harness: TransportHarness): TransportHarness => ({
    ...harness,
    transport: (timeoutMs) => copies([harness.transport(timeoutMs)]),
  })

  test('a store that is alone again takes what copies remembered for none', async () => {
    const { upload, bytes } = await objectOf('alone again', 1000)
    const one = keptAttempts(upload, bytes)
    const cut = backend.faults.add({ service: 'ipfs', kind: 'down' })
    const pair = copies([tusHarness().transport(), ipfsHarness().transport()])
    expect(await one.attempt(pair)).toMatchObject({ code: 'copies-missing' })
    cut.remove()
    expect(await one.attempt(tusHarness().transport())).toBeUndefined()
    expect(one.record.stored).toBe(true)
  })

  describeSample('copies in one store', () => alone(tusHarness()))
  describeSample('copies in two stores, looked at from the first', () =>
    both(ipfsHarness(), tusHarness(), true),
  )
  if (takesWhole())
    describeContract('copies in two stores, looked at from the second', () =>
      both(tusHarness(), ipfsHarness(), false),
    )
})

type Op = 'probe' | 'send' | 'verify'

/** A store that does as it is told, and what was asked of it. */
function fakeStore(name: string) {
  const store = {
    name,
    done: [] as string[],
    has: new Set<string>(),
    /** Only claims its copies, until it is asked to prove them. */
    claims: false,
    wrong: (_op: Op): HoldfastError | undefined => undefined,
    transport: {} as Transport,
  }
  const act = (op: Op, { cid }: Upload) => {
    store.done.push(`${op} ${cid}`)
    const error = store.wrong(op)
    if (error) throw error
  }
  store.transport = {
    name,
    async probe(upload) {
      act('probe', upload)
      return store.has.has(upload.cid) ? { kind: 'all', proved: !store.claims } : { kind: 'nothing' }
    },
    async send(upload, _bytes, _held, { resumeToken, saveResumeToken, progress }) {
      progress(0)
      act('send', upload)
      await saveResumeToken(`${resumeToken ?? ''}${name}!`)
      store.has.add(upload.cid)
      progress(upload.sizeBytes)
      return store.claims ? 'sent' : 'proved'
    },
    async verify(upload) {
      act('verify', upload)
    },
  }
  return store
}

const fails = (code: ErrorCode, retryAfterMs = 0) => new HoldfastError(code, `A ${code}.`, { retryAfterMs })
const away = () => fails('unreachable')

/** A small object that only fakes take. */
const item = (number: number, to?: StoreChoice) =>
  keptAttempts(
    {
      cid: `chunk-${number}` as Cid,
      sha256: 'a'.repeat(64) as Sha256Hex,
      sizeBytes: 100,
      ...(to && { to }),
    },
    new Uint8Array(100),
  )

describe('copies', () => {
  let a = fakeStore('a')
  let b = fakeStore('b')
  const fresh = () => copies([a.transport, b.transport])
  const oneOf = { stores: ['a', 'b'], atLeast: 1 }

  beforeEach(() => {
    a = fakeStore('a')
    b = fakeStore('b')
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms)

  it('go to all stores where the session names none', async () => {
    const one = item(1)
    expect(await one.attempt(fresh())).toBeUndefined()
    expect([a.done, b.done]).toEqual([['send chunk-1'], ['send chunk-1']])
  })

  it('go to the stores that the session names, one after the other in its order', async () => {
    const c = fakeStore('c')
    const order: string[] = []
    for (const store of [a, b, c])
      store.wrong = () => {
        order.push(store.name)
        return undefined
      }
    const transport = copies([a.transport, b.transport, c.transport])
    expect(transport.stores).toEqual(['a', 'b', 'c'])
    await item(1, { stores: ['c', 'a'], atLeast: 2 }).attempt(transport)
    expect(order).toEqual(['c', 'a'])
  })

  it('count only once they are proved', async () => {
    a.claims = true
    b.claims = true
    b.wrong = (op) => (op === 'verify' ? fails('address-mismatch') : undefined)
    const one = item(1)
    expect(await one.attempt(fresh())).toMatchObject({ code: 'address-mismatch' })
    expect(one.record.stored).toBe(false)
    b.wrong = () => undefined
    expect(await one.attempt(fresh())).toBeUndefined()
    expect(a.done).toEqual(['send chunk-1', 'verify chunk-1'])
    expect(b.done).toEqual(['send chunk-1', 'verify chunk-1', 'probe chunk-1', 'verify chunk-1'])
  })

  it('are none where a store says that it took them, and can prove nothing', async () => {
    const claimed = fakeStore('a')
    claimed.claims = true
    const { verify: _none, ...transport } = claimed.transport
    const one = item(1)
    expect(await one.attempt(copies([transport, b.transport]))).toMatchObject({ code: 'defect' })
    expect(one.record.stored).toBe(false)
  })

  it('are each made once: after a death the store that has its copy is neither asked nor sent to', async () => {
    const dying = new AbortController()
    b.wrong = () => {
      dying.abort()
      return fails('aborted')
    }
    const one = item(1)
    expect(await one.attempt(fresh(), dying.signal)).toMatchObject({ code: 'aborted' })
    b.wrong = () => undefined
    expect(await one.attempt(fresh())).toBeUndefined()
    expect(a.done).toEqual(['send chunk-1'])
    expect(b.done).toEqual(['send chunk-1', 'probe chunk-1', 'send chunk-1'])
  })

  it('give each store its own resume token back', async () => {
    b.wrong = (op) => (op === 'verify' ? away() : undefined)
    b.claims = true
    const one = item(1)
    await one.attempt(fresh())
    // Behind its own stands that a copy went there in vain.
    const kept = () => JSON.parse(one.record.resumeToken ?? '') as { readonly b: string }
    expect(kept()).toMatchObject({ a: true, b: expect.stringMatching(/^b!\0/) as unknown })
    b.has.clear()
    await one.attempt(fresh())
    expect(kept()).toMatchObject({ a: true, b: expect.stringMatching(/^b!b!\0/) as unknown })
  })

  it.each([
    '',
    'spoilt',
    'https://tus.example/files/1',
    'null',
    '7',
    '[]',
    '"text"',
    '{"c":true}',
    '{"a":{}}',
  ])('take the resume token %s of before for none', async (resumeToken) => {
    const one = item(1)
    one.record.resumeToken = resumeToken
    one.record.sent = true
    expect(await one.attempt(fresh())).toBeUndefined()
    expect(a.done).toEqual(['probe chunk-1', 'send chunk-1'])
  })

  it('tell the mean of their progress', async () => {
    const told: number[] = []
    const { upload } = item(1)
    const attempt = {
      signal: new AbortController().signal,
      saveResumeToken: async () => {},
      progress: (at: number) => told.push(at),
    }
    await fresh().send(upload, new Uint8Array(100), { kind: 'nothing' }, attempt)
    expect(told).toEqual([0, 50, 50, 100])
  })

  it.each([{ stores: 0 }, { stores: 2 }])(
    'are refused where stores have no names of their own',
    ({ stores }) => {
      expect(() => copies(Array.from({ length: stores }, () => a.transport))).toThrow(HoldfastError)
    },
  )

  describe('when one store is down', () => {
    beforeEach(() => {
      b.wrong = away
    })

    it('get one copy of the other that shows it some seconds later', async () => {
      const shownMs = Date.now() + 3_000
      a.claims = true
      a.wrong = (op) => (op === 'verify' && Date.now() < shownMs ? fails('address-mismatch') : undefined)
      const { probe } = a.transport
      const slow: Transport = {
        ...a.transport,
        probe: async (upload, attempt) =>
          Date.now() < shownMs ? { kind: 'nothing' } : probe(upload, attempt),
      }
      const one = item(1)
      for (let second = 0; second < 8; second += 1) {
        // Each time another worker: it knows what the upload remembers, and nothing else.
        await one.attempt(copies([slow, b.transport]))
        later(1_000)
      }
      b.wrong = () => undefined
      // The other gets its copy first; then there is nobody else to wait for.
      for (let time = 0; time < 2; time += 1) await one.attempt(copies([slow, b.transport]))
      expect(one.record.stored).toBe(true)
      expect(a.done.filter((line) => line.startsWith('send'))).toHaveLength(1)
    })

    it('are enough where the session wants one', async () => {
      const one = item(1, oneOf)
      expect(await one.attempt(fresh())).toBeUndefined()
      expect(one.record.stored).toBe(true)
    })

    it('are not enough where it wants both: the error says why, and when the store is asked again', async () => {
      const one = item(1)
      const error = await one.attempt(fresh())
      expect(error).toMatchObject({ code: 'copies-missing', class: 'transient', retryAfterMs: 250 })
      expect(error?.message).toBe('1 of 2 copies. b: A unreachable.')
    })

    it('500 chunks go to the other and knock on it a few times only; once it is back each goes there once', async () => {
      const transport = fresh()
      const items = Array.from({ length: 500 }, (_, number) => item(number))
      for (const one of items) {
        expect(await one.attempt(transport)).toMatchObject({ code: 'copies-missing' })
        later(20)
      }
      expect(a.done).toHaveLength(500)
      expect(b.done.length).toBeLessThanOrEqual(7)

      const asked = b.done.length
      for (const one of items) await one.attempt(transport)
      expect(a.done).toHaveLength(500)
      expect(b.done.length).toBeLessThanOrEqual(asked + 1)
      expect(items.reduce((sum, { record }) => sum + record.read, 0)).toBe(500)

      b.wrong = () => undefined
      b.done.length = 0
      later(10_000)
      for (const one of items) expect(await one.attempt(transport)).toBeUndefined()
      expect(b.done.filter((line) => line.startsWith('send'))).toHaveLength(500)
      expect(a.done).toHaveLength(500)
    })

    it('500 chunks come back to look one after the other, and each goes there soon after it is back', async () => {
      const transport = fresh()
      const startMs = Date.now()
      const waiting = Array.from({ length: 500 }, (_, number) => ({ one: item(number), atMs: startMs }))
      let looks = 0
      /** As the engine's queue does, up to this time. */
      const drain = async (untilMs: number) => {
        for (;;) {
          const [next] = waiting.toSorted((x, y) => x.atMs - y.atMs)
          if (next === undefined || next.atMs > untilMs) return
          vi.setSystemTime(Math.max(Date.now(), next.atMs))
          looks += 1
          const error = await next.one.attempt(transport)
          if (error) next.atMs = Date.now() + Math.max(error.retryAfterMs, 30_000)
          else waiting.splice(waiting.indexOf(next), 1)
        }
      }
      const minutes = (count: number) => startMs + 60_000 * count
      await drain(minutes(30))
      expect(looks).toBeLessThan(500 + 30 * 60 + 10)
      expect(b.done.length).toBeGreaterThan(30 * 3)
      b.wrong = () => undefined
      await drain(minutes(40))
      expect(waiting).toEqual([])

      b.wrong = away
      await drain(minutes(50))
      expect(await item(501).attempt(transport)).toMatchObject({ retryAfterMs: 250 })
    })

    it('chunks that have copies enough make nobody wait for it', async () => {
      const transport = fresh()
      for (let number = 0; number < 500; number++) await item(number, oneOf).attempt(transport)
      expect((await item(500).attempt(transport))?.retryAfterMs).toBeLessThanOrEqual(10_000)
    })

    it('is tried by one at a time', async () => {
      const transport = fresh()
      const items = [item(1), item(2), item(3)]
      for (const one of items) await one.attempt(transport)
      b.done.length = 0
      later(10_000)
      await Promise.all(items.map((one) => one.attempt(transport)))
      expect(b.done).toHaveLength(1)
    })

    it('is not asked sooner than it wants', async () => {
      const transport = fresh()
      b.wrong = () => fails('throttled', 3_600_000)
      expect(await item(1).attempt(transport)).toMatchObject({ retryAfterMs: 3_600_000 })
      later(600_000)
      expect(await item(2).attempt(transport)).toMatchObject({
        code: 'copies-missing',
        retryAfterMs: 3_001_000,
      })
      expect(b.done).toHaveLength(1)
    })

    it('is not asked sooner by a new worker either, nor after a request that goes well', async () => {
      const kept = new Map<string, number>()
      const floors: Floors = {
        floorMs: async (of) => kept.get(of) ?? 0,
        keep: async (of, { retryAfterMs }) => kept.set(of, Date.now() + retryAfterMs),
      }
      const transport = fresh()
      const both = [item(1), item(2)]
      b.wrong = () => (b.done.length === 1 ? fails('throttled', 600_000) : undefined)
      await Promise.all(both.map((one) => one.attempt(transport, undefined, floors)))
      expect([...kept.keys()]).toEqual(['b'])
      expect(b.done).toHaveLength(2)

      later(300_000)
      for (const worker of [transport, fresh()])
        expect(await item(3).attempt(worker, undefined, floors)).toMatchObject({
          code: 'copies-missing',
          retryAfterMs: expect.toSatisfy((ms: number) => ms >= 300_000 && ms <= 301_000) as number,
        })
      expect(b.done).toHaveLength(2)
      later(300_000)
      expect(await item(4).attempt(fresh(), undefined, floors)).toBeUndefined()
    })

    it('no clock that was ahead has it, or what waits for it, left alone for longer', async () => {
      later(86_400_000)
      const transport = fresh()
      for (let number = 0; number < 9; number++) await item(number).attempt(transport)
      later(-86_400_000)
      b.done.length = 0
      expect((await item(9).attempt(transport))?.retryAfterMs).toBeLessThanOrEqual(10_000)
      expect(b.done).toHaveLength(1)
    })

    it('a session that wants it alone does not make the engine leave the others alone', async () => {
      expect(await item(1, { stores: ['b'], atLeast: 1 }).attempt(fresh())).toMatchObject({
        code: 'copies-missing',
      })
    })

    it('a chunk whose question it did not answer is not sent unasked in the same attempt', async () => {
      vi.spyOn(Math, 'random').mockReturnValue(0)
      const one = item(1)
      one.record.sent = true
      b.wrong = (op) => (op === 'probe' ? away() : undefined)
      await one.attempt(fresh())
      expect(b.done).toEqual(['probe chunk-1'])
    })
  })

  describe('when one store refuses what it gets and the other is away', () => {
    const minute = 60_000
    /** As the engine comes back, each time by a new worker, until so many minutes are over: when `a` was sent to. */
    async function sentWithin(minutes: number, one = item(1)) {
      const startMs = Date.now()
      const at: number[] = []
      const before = a.wrong
      a.wrong = (op) => {
        if (op === 'send') at.push((Date.now() - startMs) / minute)
        return before(op)
      }
      while (Date.now() - startMs < minutes * minute) {
        const error = await one.attempt(fresh())
        expect(error?.class).toBe('transient')
        later(Math.max(error?.retryAfterMs ?? 0, minute / 2))
      }
      return { at, one }
    }
    beforeEach(() => {
      b.wrong = away
    })

    it.each<ErrorCode>(['rejected-by-store', 'sign-in-needed'])(
      'it gets one copy, and one more by each trial, ever more rarely, after a %s',
      async (code) => {
        a.wrong = (op) => (op === 'send' ? fails(code) : undefined)
        const { at } = await sentWithin(154)
        expect(at.length).toBeLessThanOrEqual(9)
        expect(at[1]).toBeGreaterThanOrEqual(1)
        expect(at.at(-1)! - at.at(-2)!).toBeGreaterThanOrEqual(59)
      },
    )

    it('it gets two copies of what it answers with 500 to, and one more by each trial', async () => {
      a.wrong = (op) => (op === 'send' ? fails('server-error') : undefined)
      const { at } = await sentWithin(154)
      expect(at.length).toBeLessThanOrEqual(11)
      expect(at.filter((minutes) => minutes < 2).length).toBeLessThanOrEqual(3)
    })

    const asksAgain = ({ upload }: ReturnType<typeof item>) =>
      Object.assign(upload, { to: { stores: ['a', 'b'], atLeast: 2, resumedAtMs: Date.now() } })

    it.each<ErrorCode>(['rejected-by-store', 'sign-in-needed'])(
      'it is tried at once, and once, for a person who asks again after a %s',
      async (code) => {
        a.wrong = (op) => (op === 'send' ? fails(code) : undefined)
        const { one } = await sentWithin(154)
        asksAgain(one)
        const { at } = await sentWithin(20, one)
        expect(at).toEqual([0])
        // What refused it has been mended.
        a.wrong = () => undefined
        asksAgain(one)
        expect(await one.attempt(fresh())).toMatchObject({ class: 'transient' })
        expect(a.has.size).toBe(1)
      },
    )

    it('the other gets its copy as soon as it is back, and the refusal is told then', async () => {
      a.wrong = () => fails('rejected-by-store')
      const { one } = await sentWithin(3)
      b.wrong = () => undefined
      later(10_000)
      expect(await one.attempt(fresh())).toMatchObject({ code: 'rejected-by-store' })
      expect(b.has.size).toBe(1)
      // By then the engine itself tries rarely, and a person may at any time.
      a.wrong = () => undefined
      expect(await one.attempt(fresh())).toBeUndefined()
    })

    it('no clock that was ahead makes it wait longer', async () => {
      a.wrong = () => fails('rejected-by-store')
      later(365 * 24 * 60 * minute)
      const { one } = await sentWithin(3)
      vi.setSystemTime(1_000_000)
      a.wrong = () => undefined
      await one.attempt(fresh())
      expect(a.has.size).toBe(1)
    })
  })

  describe('when all are down', () => {
    beforeEach(() => {
      a.wrong = () => fails('server-error', 5_000)
      b.wrong = away
    })

    it('fail as the store that is asked again first, so that the engine leaves them alone', async () => {
      expect(await item(1).attempt(fresh())).toMatchObject({ code: 'unreachable', retryAfterMs: 0 })
    })

    it('are tried when the engine lets them be, but not sooner than a store wants', async () => {
      const transport = fresh()
      await item(1).attempt(transport)
      b.wrong = () => undefined
      await item(2).attempt(transport)
      expect([a.done.length, b.done.length]).toEqual([1, 2])
    })
  })

  it.each<[ErrorCode, ErrorCode, ErrorCode]>([
    ['unreachable', 'timeout', 'unreachable'],
    ['unreachable', 'sign-in-needed', 'copies-missing'],
    // The one that is away may come back, however often the other has misunderstood.
    ['unreachable', 'bad-answer', 'copies-missing'],
    ['server-error', 'address-mismatch', 'copies-missing'],
    ['bad-answer', 'sign-in-needed', 'bad-answer'],
    ['sign-in-needed', 'sign-in-needed', 'sign-in-needed'],
    ['sign-in-needed', 'rejected-by-store', 'sign-in-needed'],
    ['rejected-by-store', 'rejected-by-store', 'rejected-by-store'],
    ['rejected-by-store', 'defect', 'rejected-by-store'],
    ['throttled', 'rejected-by-store', 'copies-missing'],
  ])('%s and %s are %s, whichever comes first', async (first, second, expected) => {
    for (const [here, there] of [
      [first, second],
      [second, first],
    ] as const) {
      a.wrong = () => fails(here)
      b.wrong = () => fails(there)
      const error = await item(1).attempt(fresh())
      if (ERRORS[first] === ERRORS[second]) expect(error?.class).toBe(ERRORS[expected])
      else expect(error).toMatchObject({ code: expected })
    }
  })

  it('need a sign-in of one store only where the others are not enough', async () => {
    b.wrong = () => fails('sign-in-needed')
    expect(await item(1, oneOf).attempt(fresh())).toBeUndefined()
    expect(await item(2).attempt(fresh())).toMatchObject({ code: 'sign-in-needed' })
  })

  it.each(['storage-failed', 'aborted'] as const)('leave %s to the engine at once', async (code) => {
    a.wrong = () => fails(code)
    expect(await item(1, oneOf).attempt(fresh())).toMatchObject({ code })
    expect(b.done).toEqual([])
  })
})
