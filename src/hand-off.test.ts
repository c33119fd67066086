import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from './connection.ts'
import { handOff } from './hand-off.ts'
import { ERRORS, HoldfastError, type ErrorCode } from './protocol/errors.ts'
import type { SessionId, Sha256Hex } from './protocol/ids.ts'
import type { HandedChunk } from './protocol/messages.ts'

const chunk: HandedChunk = {
  sessionId: '00000000-0000-4000-8000-000000000001' as SessionId,
  index: 7,
  plaintextHash: 'a'.repeat(64) as Sha256Hex,
  capturedAtMs: 1,
  durationMs: 2,
  payload: new Blob(['bytes']),
}
const ID = `${chunk.sessionId}/7`

type Answer = ErrorCode | 'acknowledged' | 'silence'

/** A worker that answers in turn, and acknowledges from then on. */
function fakeConnection(...answers: Answer[]) {
  const asked: { readonly atMs: number; readonly request: unknown }[] = []
  const listeners = new Set<() => void>()
  const ask = (request: unknown): Promise<unknown> => {
    asked.push({ atMs: Date.now(), request })
    const answer = answers.shift() ?? 'acknowledged'
    if (answer === 'acknowledged') return Promise.resolve({ acknowledged: ID })
    if (answer === 'silence') return new Promise(() => {})
    return Promise.reject(new HoldfastError(answer, 'why'))
  }
  const connection: Connection = {
    scope: 'https://app.example/',
    request: ask as Connection['request'],
    onNewWorker: (listener, signal) => {
      listeners.add(listener)
      signal.addEventListener('abort', () => listeners.delete(listener))
    },
  }
  return {
    connection,
    asked,
    listeners,
    newWorker: () => {
      for (const listener of listeners) listener()
    },
  }
}

const PASSING: readonly ErrorCode[] = [
  'worker-timeout',
  'hash-mismatch',
  'storage-full',
  'storage-failed',
  'protocol-mismatch',
  'no-service-worker',
  'defect',
]
const FINAL = (Object.keys(ERRORS) as ErrorCode[]).filter((code) =>
  PASSING.every((passing) => passing !== code),
)

describe('handOff', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('asks once when it is acknowledged', async () => {
    const { connection, asked, listeners } = fakeConnection()
    expect(await handOff(connection, chunk)).toBe(ID)
    expect(asked.map(({ request }) => request)).toEqual([{ type: 'chunk', chunk }])
    expect(vi.getTimerCount()).toBe(0)
    expect(listeners.size).toBe(0)
  })

  it('makes the chunk anew where its bytes never come', async () => {
    const { connection, asked } = fakeConnection('hash-mismatch')
    const payload = Object.assign(new Blob(['bytes']), { arrayBuffer: () => new Promise<never>(() => {}) })
    const prepareAgain = async () => ({ ...chunk, durationMs: 3 })
    const handed = handOff(connection, { ...chunk, payload }, { prepareAgain })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(2)
    expect(await handed).toBe(ID)
  })

  it.each(PASSING)('sends the same chunk again after %s', async (code) => {
    const { connection, asked } = fakeConnection(code, code)
    const over = vi.fn()
    const handed = handOff(connection, chunk).finally(over)
    // Bytes are read, which no timer tells.
    while (over.mock.calls.length === 0) {
      await vi.advanceTimersByTimeAsync(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await handed).toBe(ID)
    expect(asked).toHaveLength(3)
    for (const { request } of asked) expect(request).toEqual({ type: 'chunk', chunk })
  })

  it.each(FINAL)('gives up after %s, with that error', async (code) => {
    const { connection, asked } = fakeConnection(code)
    await expect(handOff(connection, chunk)).rejects.toMatchObject({ code })
    expect(asked).toHaveLength(1)
  })

  it('waits longer each time, ten seconds at most, and never gives up', async () => {
    const { connection, asked } = fakeConnection(...Array.from({ length: 10 }, () => 'storage-full' as const))
    const handed = handOff(connection, chunk)
    await vi.advanceTimersByTimeAsync(100_000)
    expect(await handed).toBe(ID)
    const waits = asked.slice(1).map(({ atMs }, at) => atMs - (asked[at]?.atMs ?? 0))
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000])
  })

  it('sends at once when a new worker takes over while it waits', async () => {
    const { connection, asked, newWorker } = fakeConnection(
      ...Array.from({ length: 6 }, () => 'storage-full' as const),
    )
    const handed = handOff(connection, chunk)
    await vi.advanceTimersByTimeAsync(10_000)
    const before = asked.length
    expect(before).toBe(6)
    newWorker()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveLength(before + 1)
    newWorker()
    expect(await handed).toBe(ID)
  })

  it('sends at once to a new worker what the old one has not answered', async () => {
    const { connection, asked, newWorker } = fakeConnection('silence')
    const handed = handOff(connection, chunk)
    await vi.advanceTimersByTimeAsync(100)
    newWorker()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked).toHaveLength(2)
    expect(await handed).toBe(ID)
  })

  it('leaves neither timers nor listeners behind', async () => {
    const { connection, listeners, newWorker } = fakeConnection('storage-full', 'silence', 'storage-full')
    const leave = new AbortController()
    const handed = handOff(connection, chunk, { signal: leave.signal })
    await vi.advanceTimersByTimeAsync(250)
    newWorker()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await handed).toBe(ID)
    expect(listeners.size).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends when the page gives the chunk up, before or while it waits', async () => {
    const { connection, asked } = fakeConnection('storage-full', 'storage-full')
    const gone = AbortSignal.abort('enough')
    await expect(handOff(connection, chunk, { signal: gone })).rejects.toBe('enough')
    expect(asked).toEqual([])

    const leave = new AbortController()
    const handed = handOff(connection, chunk, { signal: leave.signal })
    const ended = expect(handed).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(100)
    leave.abort('enough')
    await ended
    expect(asked).toHaveLength(1)
  })

  it('ends when the page gives up a chunk that was not answered', async () => {
    const { connection } = fakeConnection('silence')
    const leave = new AbortController()
    const ended = expect(handOff(connection, chunk, { signal: leave.signal })).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(100)
    leave.abort('enough')
    await ended
  })

  it('is acknowledged by a worker that answers in time, given up or not', async () => {
    const { connection } = fakeConnection()
    const leave = new AbortController()
    const handed = handOff(connection, chunk, { signal: leave.signal })
    leave.abort('enough')
    expect(await handed.catch((thrown: unknown) => thrown)).toBeOneOf([ID, 'enough'])
  })
})
