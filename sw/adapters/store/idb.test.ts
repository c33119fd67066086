import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ChunkId, SessionId } from '../../../src/protocol/ids.ts'
import type { LogEntry } from '../../core/record.ts'
import { LINGER_MS } from './limits.ts'

// What the browser's database does when it is ill; the whole contract runs on the real one, in e2e/database.
// Promises 1, 5, 9 of docs/guarantees.md.

const ID = 'a/0' as ChunkId

/** A transaction whose requests and end a test decides. */
interface FakeTransaction {
  get?: () => Promise<unknown>
  getKey?: () => Promise<unknown>
  done?: Promise<void>
  abort?: () => void
}

const database = vi.hoisted(() => ({
  opened: 0,
  closed: 0,
  /** The mode of each transaction, and how durable it was to be. */
  asked: [] as unknown[],
  open: async (_name: string): Promise<void> => {},
  next: (): object => ({}),
}))

vi.mock('./idb-requests.ts', () => ({
  openDatabase: async (name: string) => {
    database.opened++
    await database.open(name)
    return {
      transaction: (_stores: string[], mode: string, options: IDBTransactionOptions) => {
        database.asked.push([mode, options.durability])
        return database.next()
      },
      close: () => database.closed++,
    }
  },
  resultOf: (request: Promise<unknown>) => request,
  endOf: ({ done }: FakeTransaction) => done,
}))

const { idbStore } = await import('./idb.ts')

function transactions(next: () => FakeTransaction): void {
  database.next = () => {
    const { get, getKey, done = Promise.resolve(), abort = () => {} } = next()
    return { objectStore: () => ({ get, getKey, index: () => ({}) }), done, abort, error: null }
  }
}

const never = () => new Promise<never>(() => {})

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('IDBKeyRange', {})
  vi.stubGlobal('navigator', {})
  database.opened = database.closed = 0
  database.asked = []
  database.open = async () => {}
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a write is strictly durable, unless it is said to be repeatable', async () => {
  transactions(() => ({}))
  const store = idbStore('device')
  const nothing = async () => undefined
  await store.write(nothing)
  await store.write(nothing, { records: true })
  const repeatable = store.write(nothing, { records: true, repeatable: true })
  await vi.advanceTimersByTimeAsync(LINGER_MS)
  await repeatable
  expect(database.asked).toEqual([
    ['readwrite', 'strict'],
    ['readwrite', 'strict'],
    ['readwrite', 'relaxed'],
  ])
})

test.each(['NotReadableError', 'DataError', 'UnknownError'])(
  'a payload that cannot be read says why, after three tries: %s',
  async (name) => {
    let tries = 0
    const get = async () => {
      tries++
      throw new DOMException('The file is gone.', name)
    }
    transactions(() => ({ get }))
    const error = { code: 'storage-failed', message: `${name}: The file is gone.` }
    await expect(idbStore('device').payload(ID)).rejects.toMatchObject(error)
    expect(tries).toBe(3)
  },
)

test('a database that does not open is told after three tries, and asked again by the next use', async () => {
  database.open = never
  const store = idbStore('device')
  const first = expect(store.read(async () => 1)).rejects.toMatchObject({ code: 'storage-failed' })
  await vi.advanceTimersByTimeAsync(30_000)
  await first
  expect(database.opened).toBe(3)
  database.open = async () => {}
  transactions(() => ({}))
  expect(await store.read(async () => 1)).toBe(1)
})

test.each(['QuotaExceededError', 'SecurityError', 'UnknownError'])(
  'a database that could not be opened is asked again by the next use: %s',
  async (name) => {
    database.open = () => Promise.reject(new DOMException('No.', name))
    const store = idbStore('device')
    const code = name === 'QuotaExceededError' ? 'storage-full' : 'storage-failed'
    await expect(store.read(async () => 1)).rejects.toMatchObject({ code })
    database.open = async () => {}
    transactions(() => ({}))
    expect(await store.read(async () => 1)).toBe(1)
  },
)

test('a database that takes 15 s to open each time is waited for', async () => {
  database.open = () => new Promise<void>((resolve) => setTimeout(resolve, 15_000))
  transactions(() => ({}))
  const read = idbStore('device').read(async () => 1)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(await read).toBe(1)
})

test('a database that opens too late is closed, so that it holds up no upgrade', async () => {
  const opens: (() => void)[] = []
  database.open = () => new Promise<void>((resolve) => opens.push(resolve))
  const read = idbStore('device').read(async () => 1)
  await vi.advanceTimersByTimeAsync(10_000)
  transactions(() => ({}))
  opens[1]?.()
  expect(await read).toBe(1)
  opens[0]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(database.closed).toBe(1)
})

test('a transaction that never ends is told, and its connection is dropped', async () => {
  transactions(() => ({ done: never() }))
  const write = expect(idbStore('device').write(async () => 1)).rejects.toMatchObject({
    code: 'storage-failed',
  })
  await vi.advanceTimersByTimeAsync(3 * 25_000)
  await write
  expect(database.opened).toBe(3)
})

test('a transaction that was committed after its deadline counts', async () => {
  let complete = () => {}
  const done = new Promise<void>((resolve) => (complete = resolve))
  transactions(() => ({
    done,
    // It can be aborted no more: it was on its way to the disk.
    abort: () => {
      setTimeout(complete, 1_000)
      throw new DOMException('', 'InvalidStateError')
    },
  }))
  const write = idbStore('device').write(async () => 'kept')
  await vi.advanceTimersByTimeAsync(21_000)
  expect(await write).toBe('kept')
  expect(database.opened).toBe(1)
})

test('what is forgotten of the custody log writes no line that stays', async () => {
  const put = vi.fn()
  const groups = [[{ sessionId: 'a' }, { sessionId: 'b' }], [{ sessionId: 'b' }], [{ sessionId: 'a' }]]
  const store = { getAllKeys: async () => [7, 8, 9], getAll: async () => groups, put }
  database.next = () => ({ objectStore: () => store, done: Promise.resolve(), error: null })
  await idbStore('log').write((tx) => tx.forgetLog('a' as SessionId))
  expect(put.mock.calls).toEqual([
    [[{ sessionId: 'b' }], 7],
    [[], 9],
  ])
})

test('the oldest lines of the custody log go, and the look for them does not begin at its low end', async () => {
  const removed = vi.fn()
  vi.stubGlobal('IDBKeyRange', { bound: (from: number, to: number) => [from, to] })
  let newest = 9_998
  const store = { add: async () => ++newest, delete: removed, index: () => ({}) }
  database.next = () => ({ objectStore: () => store, done: Promise.resolve(), error: null })
  const { write } = idbStore('log')
  for (let times = 0; times < 103; times++) await write((tx) => tx.addLog([{ event: 'line' } as LogEntry]))
  // At number 10,000 and at 10,100: also what workers left that died before they came to it.
  expect(removed.mock.calls).toEqual([[[6_500, 7_500]], [[6_600, 7_600]]])
})

test('in Chromium the first write of a life has the log turned over, once; that this fails is no failure', async () => {
  vi.stubGlobal('navigator', { userAgentData: {} })
  const opened: string[] = []
  database.open = async (name) => {
    opened.push(name)
    if (name === 'turned-turn') throw new Error('No room.')
  }
  transactions(() => ({}))
  const store = idbStore('turned')
  await store.read(async () => undefined)
  expect(opened).toEqual(['turned'])
  await store.write(async () => undefined)
  await store.write(async () => undefined)
  expect(opened).toEqual(['turned', 'turned-turn'])
})
