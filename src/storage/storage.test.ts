import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SessionId } from '../protocol/ids.ts'
import { fakeWorker } from '../testing.ts'
import { watchForLoss, type LostRecording } from './canary.ts'
import { storageForecast } from './forecast.ts'
import { protectStorage, roomFor, roomUpTo } from './room.ts'

const MB = 1_000_000
const MINUTE_MS = 60_000

// Promise 1 of docs/guarantees.md.
describe('storageForecast', () => {
  const session = (localBytes: number, totalBytes: number, totalMs: number, startedAtMs = 0) => ({
    localBytes,
    startedAtMs,
    progress: { totalBytes, totalMs, storedBytes: 0, storedMs: 0, bytesPerSecond: 0 },
  })

  it('tells used and free in time, by what recordings really take', () => {
    const sessions = [session(10 * MB, 20 * MB, 2 * MINUTE_MS, 2), session(6 * MB, 6 * MB, MINUTE_MS, 1)]
    const told = storageForecast({ sessions, triedBytes: 104_194_304 })
    expect(told).toMatchObject({ localBytes: 16 * MB, localMs: 2 * MINUTE_MS, freeBytes: 100 * MB })
    expect(told.freeMs).toBeCloseTo(10 * MINUTE_MS)
    expect(told.isSoonFull).toBe(false)
  })

  it('believes the smaller of figures and trial, and keeps what the worker needs', () => {
    const estimate = { usage: 0, quota: 10_000 * MB }
    expect(storageForecast({ sessions: [], estimate, triedBytes: 50 * MB }).freeBytes).toBe(45_805_696)
    expect(storageForecast({ sessions: [], estimate: { usage: 2, quota: 1 }, triedBytes: 9 }).freeBytes).toBe(
      0,
    )
  })

  it('warns while two minutes have room, and says nothing where nothing is known', () => {
    const sessions = [session(1, 60 * MB, MINUTE_MS)]
    expect(storageForecast({ sessions, triedBytes: 125 * MB }).isSoonFull).toBe(false)
    expect(storageForecast({ sessions, triedBytes: 123 * MB }).isSoonFull).toBe(true)
    const unknown = storageForecast({ sessions, estimate: { usage: 0, quota: 0 } })
    expect(unknown).toMatchObject({ freeBytes: undefined, freeMs: undefined, isSoonFull: false })
  })
})

describe('roomUpTo', () => {
  it('from the two minutes and what the worker keeps on, as the guide has it, warns of no more', async () => {
    const { bytesPerMs } = storageForecast({ sessions: [] })
    const leastBytes = 120_000 * bytesPerMs + 8 * 1024 ** 2
    const isWarned = async (free: number) => {
      const tried = await roomUpTo(leastBytes, 3_600_000 * bytesPerMs, async (bytes) => bytes <= free)
      return storageForecast({ sessions: [], triedBytes: tried }).isSoonFull
    }
    expect(await isWarned(leastBytes)).toBe(false)
    expect(await isWarned(leastBytes - 1)).toBe(true)
  })

  it.each([
    [1_000, 900],
    [99, 0],
    [100, 100],
    [1e9, 900],
  ])('of %d free finds %d', async (free, found) => {
    expect(await roomUpTo(100, 900, async (bytes) => bytes <= free)).toBe(found)
  })

  it('says nothing where the browser cannot be asked', async () => {
    expect(await roomUpTo(100, 900, async () => undefined)).toBeUndefined()
  })
})

// Promise 9 of docs/guarantees.md.
describe('a browser that never answers', () => {
  const never = () => new Promise<never>(() => {})
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('whether it keeps the data, as where nobody answers its question, is waited for for a minute', async () => {
    vi.stubGlobal('navigator', { storage: { persist: never } })
    const asked = protectStorage()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await asked).toBe('unknown')
  })

  it.each([
    ['where files are', { getDirectory: never }],
    ['a file', { getDirectory: async () => ({ getFileHandle: never }) }],
    [
      'whether it has room',
      {
        getDirectory: async () => ({
          getFileHandle: async () => ({ createWritable: async () => ({ truncate: never }) }),
        }),
      },
    ],
  ])('%s says nothing of the room', async (_what, storage) => {
    vi.stubGlobal('navigator', { storage })
    const asked = Promise.all([roomFor(5), roomUpTo(5, 100)])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await asked).toEqual([undefined, undefined])
  })
})

describe('watchForLoss', () => {
  let kept: Map<string, string>
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, text: string) => void kept.set(key, text),
  }
  beforeEach(() => {
    kept = new Map()
  })

  /** A visit to a device that has this worker. */
  function visit(worker: ReturnType<typeof fakeWorker>, scope = 'https://app.example/') {
    const leaving = new AbortController()
    const told: (readonly LostRecording[])[] = []
    const holdfast = { ...worker.connect(), scope }
    const { signal } = leaving
    const { forget } = watchForLoss(holdfast, { storage, signal, onLost: (lost) => told.push(lost) })
    return { holdfast, told, forget, leave: () => leaving.abort() }
  }
  const record = async ({ holdfast }: ReturnType<typeof visit>, seconds: number): Promise<SessionId> => {
    const session = await holdfast.startSession({
      groups: [{ publicKey: 'a'.repeat(64) }],
      mimeType: 'video/webm',
    })
    await session.append(new Blob(['x']), { durationMs: seconds * 1000 })
    await session.end()
    return session.id
  }
  const isKept = (text: string) => expect.poll(() => [...kept.values()].join()).toContain(text)

  it('tells at the next visit which recordings are gone, and what of them is safe', async () => {
    const worker = fakeWorker()
    const before = visit(worker)
    const [safe, here] = [await record(before, 21), await record(before, 7)]
    worker.advance('uploaded', safe)
    await isKept('"safeMs":21000')
    await isKept('"lengthMs":7000')
    expect(before.told).toEqual([])
    before.leave()

    const after = visit(fakeWorker())
    await expect.poll(() => after.told.at(-1)).toHaveLength(2)
    expect(after.told.at(-1)).toMatchObject([
      { id: safe, lengthMs: 21_000, safeMs: 21_000, isAllSafe: true, isConfirmed: false },
      { id: here, lengthMs: 7_000, safeMs: 0, isAllSafe: false },
    ])
    after.leave()
    // Until a person has been told.
    const again = visit(fakeWorker())
    await expect.poll(() => again.told.at(-1)).toHaveLength(2)
    again.forget([here])
    expect(again.told.at(-1)).toHaveLength(1)
    again.forget()
    expect(again.told.at(-1)).toEqual([])
    again.leave()
    const last = visit(fakeWorker())
    await record(last, 1)
    await isKept('"lengthMs":1000')
    expect(last.told).toEqual([])
    last.leave()
  })

  it.each(['unconfirmed', 'confirmed'])(
    'tells nothing of what was discarded %s, here or in another tab',
    async (what) => {
      const worker = fakeWorker()
      const page = visit(worker)
      const id = await record(page, 3)
      if (what === 'confirmed') worker.advance('confirmed')
      await isKept(`"isConfirmed":${what === 'confirmed'}`)
      await worker.connect().discard(id, { confirm: 'discard-unconfirmed' })
      await expect.poll(() => [...kept.values()].join()).not.toContain(id)
      expect(page.told).toEqual([])
      page.leave()
    },
  )

  it('tells of a confirmed one, too, where one that was not is gone with it', async () => {
    const worker = fakeWorker()
    const before = visit(worker)
    const whole = await record(before, 3)
    worker.advance('confirmed')
    await isKept('"isConfirmed":true')
    const lost = await record(before, 2)
    await isKept(lost)
    before.leave()
    const after = visit(fakeWorker())
    await expect.poll(() => after.told.at(-1)).toHaveLength(2)
    expect(new Map(after.told.at(-1)?.map(({ id, isConfirmed }) => [id, isConfirmed]))).toEqual(
      new Map([
        [whole, true],
        [lost, false],
      ]),
    )
    after.leave()
  })

  it('calls a recording all safe once a store has every chunk of it, however short they are', async () => {
    const worker = fakeWorker()
    const page = visit(worker)
    const seen = () => Object.values(JSON.parse([...kept.values()].join() || '{}') as object)
    const start = () => page.holdfast.startSession({ groups: [{ publicKey: 'a'.repeat(64) }], mimeType: 'x' })
    const session = await start()
    await expect.poll(seen).toMatchObject([{ lengthMs: 0, safeMs: 0, isAllSafe: false }])
    await session.append(new Blob(['x']))
    await expect.poll(seen).toMatchObject([{ lengthMs: 0, safeMs: 0, isAllSafe: false }])
    worker.advance('uploaded')
    await expect.poll(seen).toMatchObject([{ lengthMs: 0, safeMs: 0, isAllSafe: true }])
    await session.append(new Blob(['x']), { durationMs: 10_100 })
    worker.advance('uploaded')
    await session.append(new Blob(['x']), { durationMs: 500 })
    await expect.poll(seen).toMatchObject([{ lengthMs: 11_000, safeMs: 10_000, isAllSafe: false }])
    worker.advance('uploaded')
    await expect.poll(seen).toMatchObject([{ lengthMs: 11_000, safeMs: 10_000, isAllSafe: true }])

    // Of this one the worker never got the second chunk.
    worker.refuse('storage-full')
    const leaving = new AbortController()
    const lost = session.append(new Blob(['x']), { signal: leaving.signal }).catch(() => undefined)
    leaving.abort()
    await lost
    expect(await session.end()).toMatchObject({ missing: 1, upload: 'publishing' })
    await expect.poll(seen).toMatchObject([{ isAllSafe: false }])
    page.leave()
  })

  it('goes on where the app throws at what it is told, which is told as uncaught', async () => {
    const uncaught = vi.fn()
    vi.stubGlobal('queueMicrotask', uncaught)
    const before = visit(fakeWorker())
    const lost = await record(before, 3)
    await isKept(lost)
    before.leave()
    const leaving = new AbortController()
    const holdfast = { ...fakeWorker().connect(), scope: 'https://app.example/' }
    const onLost = vi.fn(() => {
      throw new Error('The app is wrong.')
    })
    const { forget } = watchForLoss(holdfast, { storage, signal: leaving.signal, onLost })
    await expect.poll(() => uncaught.mock.calls).toHaveLength(1)
    forget()
    expect(uncaught).toHaveBeenCalledTimes(2)
    expect([...kept.values()].join()).not.toContain(lost)
    leaving.abort()
    vi.unstubAllGlobals()
  })

  it('tells nothing, and writes nothing, once it is left, though it was looking', async () => {
    const before = visit(fakeWorker())
    const lost = await record(before, 3)
    await isKept(lost)
    before.leave()
    const holdfast = fakeWorker().connect()
    const leaving = new AbortController()
    const { log } = holdfast
    const looked = vi.fn()
    holdfast.log = async (id) => {
      leaving.abort()
      queueMicrotask(looked)
      return log(id)
    }
    const onLost = vi.fn()
    const [written] = kept.values()
    watchForLoss(holdfast, { storage, signal: leaving.signal, onLost })
    await expect.poll(() => looked.mock.calls.length).toBe(1)
    // All that it may do yet takes no time.
    await new Promise((resolve) => setImmediate(resolve))
    expect(onLost).not.toHaveBeenCalled()
    expect([...kept.values()]).toEqual([written])
  })

  it('knows nothing of the recordings of another app of the origin', async () => {
    const other = visit(fakeWorker(), 'https://app.example/other/')
    const theirs = await record(other, 3)
    await isKept(theirs)
    const page = visit(fakeWorker())
    const ours = await record(page, 2)
    await isKept(ours)
    expect([...kept.keys()]).toEqual([
      'holdfast-canary:https://app.example/other/',
      'holdfast-canary:https://app.example/',
    ])
    expect([...page.told, ...other.told]).toEqual([])
    page.leave()
    other.leave()
  })

  it.each([null, 5, 'text', {}, { startedAtMs: 1 }])(
    'tells what is lost though another script wrote %j beside it',
    async (foreign) => {
      const before = visit(fakeWorker())
      const lost = await record(before, 3)
      await isKept(lost)
      before.leave()
      const [[key = '', text = ''] = []] = kept
      const ours = JSON.parse(text) as object
      const id = '00000000-0000-4000-8000-000000000001'
      kept.set(key, JSON.stringify({ ...ours, x: foreign, [id]: foreign }))
      const after = visit(fakeWorker())
      await expect.poll(() => after.told.at(-1)).toMatchObject([{ id: lost }])
      after.forget()
      expect(after.told.at(-1)).toEqual([])
      after.leave()
    },
  )

  it('does without where the second place is full, damaged or forbidden', async () => {
    kept.set('holdfast-canary:https://app.example/', '[not json')
    const page = visit(fakeWorker())
    await isKept('{}')
    vi.spyOn(storage, 'setItem').mockImplementation(() => {
      throw new DOMException('Full', 'QuotaExceededError')
    })
    await record(page, 1)
    page.leave()
    vi.restoreAllMocks()
  })
})
