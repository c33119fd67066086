import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channels, FakeChannel, tellAll } from '../e2e/in-page/fake-channels.ts'
import type { Connection } from './connection.ts'
import { keepAwake } from './keep-awake.ts'

function awake(workRemains: boolean) {
  const worker = { workRemains, greeted: [] as (boolean | undefined)[], answer: Promise.resolve() }
  const request = async ({ again }: { again?: boolean }) => {
    worker.greeted.push(again)
    const { workRemains } = worker
    await worker.answer
    return { workRemains }
  }
  const connection: Connection = {
    scope: 'https://app.example/',
    request: request as Connection['request'],
    onNewWorker: () => undefined,
  }
  const closed = new AbortController()
  keepAwake(connection, closed.signal)
  return { worker, close: () => closed.abort() }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('BroadcastChannel', FakeChannel)
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('addEventListener', () => undefined)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  channels.clear()
})

// Promise 1 of docs/guarantees.md.
describe('an open page', () => {
  it('greets when it is shown again, and not when it is hidden', async () => {
    const { worker, close } = awake(false)
    await vi.advanceTimersByTimeAsync(0)
    const becomes = (hidden: boolean) =>
      Object.assign(document, { hidden }).dispatchEvent(new Event('visibilitychange'))
    becomes(true)
    expect(worker.greeted).toEqual([false])
    becomes(false)
    expect(worker.greeted).toEqual([false, false])
    close()
  })

  it('keeps the worker awake while work remains, and no longer', async () => {
    const { worker, close } = awake(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(worker.greeted).toEqual([false, true, true, true])
    worker.workRemains = false
    await vi.advanceTimersByTimeAsync(600_000)
    expect(worker.greeted).toHaveLength(5)
    close()
  })

  it('keeps it awake for what was begun later, in another tab or after a loss', async () => {
    const { worker, close } = awake(false)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(worker.greeted).toEqual([false])
    worker.workRemains = true
    for (let change = 0; change < 3; change++) tellAll()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(worker.greeted).toEqual([false, true, true, true])
    close()
  })

  it('keeps it awake for what was begun while the answer that there is nothing was on its way', async () => {
    const { worker, close } = awake(true)
    await vi.advanceTimersByTimeAsync(0)
    let arrive = () => {}
    worker.answer = new Promise((resolve) => (arrive = resolve))
    worker.workRemains = false
    await vi.advanceTimersByTimeAsync(20_000)
    expect(worker.greeted).toEqual([false, true])
    tellAll()
    arrive()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(worker.greeted).toEqual([false, true, true])
    close()
  })

  it('leaves neither timer nor channel once it is closed', async () => {
    const { close } = awake(true)
    await vi.advanceTimersByTimeAsync(0)
    tellAll()
    close()
    expect([vi.getTimerCount(), channels.size]).toEqual([0, 0])
  })
})
