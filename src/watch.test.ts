import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channels, FakeChannel, tellAll } from '../e2e/in-page/fake-channels.ts'
import type { Connection } from './connection.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Broadcast } from './protocol/messages.ts'
import type { SessionSnapshot } from './protocol/snapshot.ts'
import { watch } from './watch.ts'

const told = (data: Broadcast) => tellAll(data)

/** The window. */
let page: EventTarget

const sessionOf = (id: string, fields: Partial<SessionSnapshot> = {}) =>
  ({ id, ending: 'recording', upload: 'uploading', startedAtMs: 0, ...fields }) as SessionSnapshot
const settled = { ending: 'complete', upload: 'confirmed' } as const

/** A worker, and a page that watches it. */
function watched(...known: SessionSnapshot[]) {
  const worker = { sessions: known, asked: 0, refusal: undefined as HoldfastError | undefined }
  let answer = () => {}
  const ask = async () => {
    worker.asked++
    if (worker.refusal) throw worker.refusal
    const sessions = [...worker.sessions]
    if (worker.asked === 1) await new Promise<void>((resolve) => (answer = resolve))
    return sessions
  }
  const connection: Connection = {
    scope: 'https://app.example/',
    request: ask as Connection['request'],
    onNewWorker: () => undefined,
  }
  const leaving = new AbortController()
  const seen: (readonly SessionSnapshot[])[] = []
  const stalled: string[] = []
  const over = (async () => {
    const options = {
      signal: leaving.signal,
      onStalled: (error: HoldfastError) => void stalled.push(error.code),
    }
    for await (const { sessions } of watch(connection, options)) seen.push(sessions)
  })()
  return {
    worker,
    seen,
    stalled,
    answer: () => answer(),
    leave: async () => {
      leaving.abort()
      await over
    },
  }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('BroadcastChannel', FakeChannel)
  page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  channels.clear()
})

// Promise 1 of docs/guarantees.md.
describe('watch', () => {
  it('believes what it was told over an older answer: of a session that is discarded, and of one that changed', async () => {
    const { seen, answer, leave } = watched(sessionOf('a'), sessionOf('b'), sessionOf('c'))
    await vi.advanceTimersByTimeAsync(0)
    told({ type: 'discarded', sessionId: 'a' as SessionId })
    told({ type: 'changed', session: sessionOf('b', settled) })
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toEqual([[sessionOf('b', settled), sessionOf('c')]])
    await leave()
  })

  it('learns within a minute what the worker died over before it told', async () => {
    const { worker, seen, answer, leave } = watched(sessionOf('a'), sessionOf('b'))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    worker.sessions = [sessionOf('b', settled)]
    await vi.advanceTimersByTimeAsync(60_000)
    expect(seen).toEqual([[sessionOf('a'), sessionOf('b')], [sessionOf('b', settled)]])
    await leave()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('learns at once what it was not told while the page was put aside for Back, also where all had settled', async () => {
    const { worker, seen, answer, leave } = watched(sessionOf('a', settled))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    worker.sessions = [sessionOf('b')]
    // As when it was loaded.
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }))
    await vi.advanceTimersByTimeAsync(0)
    expect(worker.asked).toBe(1)
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toEqual([[sessionOf('a', settled)], [sessionOf('b')]])
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await vi.advanceTimersByTimeAsync(0)
    await leave()
    page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    expect([worker.asked, vi.getTimerCount()]).toEqual([3, 0])
  })

  it('tells nothing where nothing has changed, and asks nothing once all has settled', async () => {
    const { worker, seen, answer, leave } = watched(sessionOf('a'))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(180_000)
    expect(seen).toHaveLength(1)
    expect(worker.asked).toBeGreaterThan(2)
    worker.sessions = [sessionOf('a', settled)]
    told({ type: 'changed', session: sessionOf('a', settled) })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(seen).toHaveLength(2)
    const { asked } = worker
    await vi.advanceTimersByTimeAsync(600_000)
    expect(worker.asked).toBe(asked)
    await leave()
  })

  it('loses no session to what a worker of another version, or another script, tells', async () => {
    const { seen, answer, leave } = watched(sessionOf('a'))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    const others = [{ type: 'renamed', sessionId: 'a' }, {}, 'text', null, undefined, { type: 'changed' }]
    for (const data of others) expect(() => told(data as unknown as Broadcast)).not.toThrow()
    told({ type: 'changed', session: sessionOf('b') })
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.at(-1)).toEqual([sessionOf('a'), sessionOf('b')])
    await leave()
  })

  it('tells once why the state does not come, however long the database fails, and goes on once it no longer does', async () => {
    const { worker, seen, stalled, answer, leave } = watched(sessionOf('a'))
    worker.refusal = new HoldfastError('storage-failed', 'No.')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(stalled).toEqual(['storage-failed'])
    await vi.advanceTimersByTimeAsync(600_000)
    expect([stalled, seen]).toEqual([['storage-failed'], []])
    worker.refusal = undefined
    await vi.advanceTimersByTimeAsync(10_000)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(seen).toEqual([[sessionOf('a')]])
    await leave()
  })

  it('comes again after it had not come for a while, though nothing has changed', async () => {
    const { worker, seen, stalled, answer, leave } = watched(sessionOf('a'))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    worker.refusal = new HoldfastError('storage-failed', 'No.')
    await vi.advanceTimersByTimeAsync(120_000)
    expect([stalled, seen]).toEqual([['storage-failed'], [[sessionOf('a')]]])
    worker.refusal = undefined
    await vi.advanceTimersByTimeAsync(10_000)
    expect([stalled, seen]).toEqual([['storage-failed'], [[sessionOf('a')], [sessionOf('a')]]])
    await leave()
  })

  it('tells nothing of a refusal that passes at once', async () => {
    const { worker, seen, stalled, answer, leave } = watched(sessionOf('a'))
    worker.refusal = new HoldfastError('worker-timeout', 'No answer.')
    await vi.advanceTimersByTimeAsync(0)
    worker.refusal = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect([stalled, seen]).toEqual([[], [[sessionOf('a')]]])
    await leave()
  })

  it('goes on with what it is told while the worker refuses a later question', async () => {
    const { worker, seen, answer, leave } = watched(sessionOf('a'))
    await vi.advanceTimersByTimeAsync(0)
    answer()
    await vi.advanceTimersByTimeAsync(0)
    worker.refusal = new HoldfastError('bad-message', 'No.')
    await vi.advanceTimersByTimeAsync(180_000)
    told({ type: 'changed', session: sessionOf('a', settled) })
    await vi.advanceTimersByTimeAsync(0)
    expect(seen.at(-1)).toEqual([sessionOf('a', settled)])
    await leave()
  })
})

/** A page that watches a worker which answers when it is told to, each question with what it knew when it was asked. */
async function watchedSlowly() {
  const worker = { version: 1 }
  const out: { answer: () => void; refuse: (error: HoldfastError) => void }[] = []
  const now = () => sessionOf('a', { parked: worker.version })
  const connection: Connection = {
    scope: 'https://app.example/',
    request: (async () => {
      const known = [now()]
      await new Promise<void>((answer, refuse) => out.push({ answer, refuse }))
      return known
    }) as Connection['request'],
    onNewWorker: () => undefined,
  }
  const leaving = new AbortController()
  /** The versions that the page saw, in turn. */
  const seen: number[] = []
  const over = (async () => {
    for await (const { sessions } of watch(connection, { signal: leaving.signal }))
      seen.push(...sessions.map(({ parked }) => parked))
  })()
  const settle = () => vi.advanceTimersByTimeAsync(0)
  await settle()
  return {
    seen,
    /** It changes, and is stopped before it tells. */
    change: () => worker.version++,
    /** It changes, and tells. */
    async tell() {
      worker.version++
      told({ type: 'changed', session: now() })
      await settle()
    },
    /** The page is had again by Back. */
    async back() {
      page.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
      await settle()
    },
    /** The question that was asked last, of those that are out. */
    async answer() {
      out.pop()?.answer()
      await settle()
    },
    async refuse(code: ErrorCode) {
      out.pop()?.refuse(new HoldfastError(code, 'No.'))
      await settle()
    },
    async leave() {
      leaving.abort()
      await over
      expect(vi.getTimerCount()).toBe(0)
    },
  }
}

// Promise 1 of docs/guarantees.md.
describe('of what is asked and told at once', () => {
  it('an answer that comes late does not undo a later one', async () => {
    const { seen, change, back, answer, leave } = await watchedSlowly()
    await answer()
    await vi.advanceTimersByTimeAsync(60_000)
    change()
    await back()
    await answer()
    await answer()
    expect(seen).toEqual([1, 2])
    await leave()
  })

  it('what is told while one question is out is not undone by its answer, though another is asked meanwhile, and fails', async () => {
    const { seen, tell, back, answer, refuse, leave } = await watchedSlowly()
    await answer()
    await vi.advanceTimersByTimeAsync(60_000)
    await tell()
    await back()
    await refuse('bad-message')
    await answer()
    await back()
    await answer()
    expect(seen).toEqual([1, 2])
    await leave()
  })

  it('what was told before a question is repeated does not undo its answer', async () => {
    const { seen, tell, change, answer, refuse, leave } = await watchedSlowly()
    await tell()
    change()
    await refuse('worker-timeout')
    await vi.advanceTimersByTimeAsync(1_000)
    await answer()
    expect(seen).toEqual([3])
    await leave()
  })
})

// Promise 1 of docs/guarantees.md.
describe('whoever leaves a watch while it waits', () => {
  const connection: Connection = {
    scope: 'https://app.example/',
    request: (async () => []) as unknown as Connection['request'],
    onNewWorker: () => undefined,
  }

  it('lets go of all that it holds at once, and is told that it is over', async () => {
    const states = watch(connection)
    await states.next()
    const waiting = states.next()
    await vi.advanceTimersByTimeAsync(0)
    expect(channels.size).toBe(1)
    const left = states.return(undefined)
    await vi.advanceTimersByTimeAsync(0)
    expect(channels.size).toBe(0)
    expect(await waiting).toMatchObject({ done: true })
    expect(await left).toMatchObject({ done: true })
  })

  it('before it has begun it holds nothing', async () => {
    const states = watch(connection)
    expect(await states.return(undefined)).toMatchObject({ done: true })
    expect(await states.next()).toMatchObject({ done: true })
    expect(channels.size).toBe(0)
  })
})
