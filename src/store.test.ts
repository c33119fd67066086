import { describe, expect, it, vi } from 'vitest'
import type { WaitOptions } from './api.ts'
import { HoldfastError } from './protocol/errors.ts'
import type { Snapshot } from './protocol/snapshot.ts'
import { snapshotStore } from './store.ts'

const stateOf = (): Snapshot => ({ sessions: [] })

/** Watches as the page's side does: it ends, without a word, when its signal aborts. */
function watched() {
  const watches: AbortSignal[] = []
  const waiting: ((state: Snapshot | undefined) => void)[] = []
  return {
    watches,
    /** Once it is waited for. */
    async tell(state: Snapshot) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0)
      for (const resolve of waiting.splice(0)) resolve(state)
    },
    async *watch({ signal }: WaitOptions = {}) {
      if (!signal) throw new Error('It must be possible to end.')
      watches.push(signal)
      while (!signal.aborted) {
        const state = await new Promise<Snapshot | undefined>((resolve) => {
          waiting.push(resolve)
          signal.addEventListener('abort', () => resolve(undefined))
        })
        if (state && !signal.aborted) yield state
      }
    },
  }
}

// Promise 1 of docs/guarantees.md.
describe('snapshotStore', () => {
  it('gives one object until the state changes, and none before it is known', async () => {
    const holdfast = watched()
    const store = snapshotStore(Promise.resolve(holdfast))
    expect(store.getSnapshot()).toBeUndefined()
    const [first, second] = [stateOf(), stateOf()]
    const told: unknown[] = []
    store.subscribe((state) => told.push(state))
    await holdfast.tell(first)
    await expect.poll(() => store.getSnapshot()).toBe(first)
    await holdfast.tell(second)
    await expect.poll(() => store.getSnapshot()).toBe(second)
    expect(told).toEqual([undefined, first, second])
    expect(told[2]).toBe(second)
  })

  it('watches once for all, ends with the last, and begins again', async () => {
    const holdfast = watched()
    const store = snapshotStore(holdfast)
    const listener = () => undefined
    const [leave, leaveToo] = [store.subscribe(listener), store.subscribe(listener)]
    await expect.poll(() => holdfast.watches).toHaveLength(1)
    leave()
    expect(holdfast.watches[0]!.aborted).toBe(false)
    leaveToo()
    expect(holdfast.watches[0]!.aborted).toBe(true)
    store.subscribe(listener)
    await expect.poll(() => holdfast.watches).toHaveLength(2)
  })

  it('tells the others where one of them throws', async () => {
    vi.stubGlobal('queueMicrotask', () => undefined)
    const holdfast = watched()
    const onError = vi.fn()
    const store = snapshotStore(holdfast, onError)
    const leave = store.subscribe(() => {
      throw new Error('The app is wrong.')
    })
    const told: unknown[] = []
    store.subscribe((state) => told.push(state))
    const states = [stateOf(), stateOf()]
    for (const state of states) {
      await holdfast.tell(state)
      await expect.poll(() => store.getSnapshot()).toBe(state)
    }
    expect(told).toEqual([undefined, ...states])
    expect(onError).not.toHaveBeenCalled()
    leave()
    vi.unstubAllGlobals()
  })

  it('watches again for the next that comes, where the watch could not be', async () => {
    const holdfast = watched()
    let fails = true
    const onError = vi.fn()
    const store = snapshotStore(
      {
        async *watch(options) {
          if (fails) throw new Error('no')
          yield* holdfast.watch(options)
        },
      },
      onError,
    )
    store.subscribe(() => undefined)
    await expect.poll(() => onError).toHaveBeenCalled()
    fails = false
    store.subscribe(() => undefined)
    await expect.poll(() => holdfast.watches).toHaveLength(1)
  })

  it('tells why the state does not come, and goes on with the same watch', async () => {
    const holdfast = watched()
    const onError = vi.fn()
    let stall = (_error: HoldfastError) => {}
    const store = snapshotStore(
      {
        watch(options) {
          stall = options!.onStalled!
          return holdfast.watch(options)
        },
      },
      onError,
    )
    store.subscribe(() => undefined)
    await expect.poll(() => holdfast.watches).toHaveLength(1)
    const why = new HoldfastError('storage-failed', 'No.')
    stall(why)
    expect(onError).toHaveBeenCalledWith(why)
    const state = stateOf()
    await holdfast.tell(state)
    await expect.poll(() => store.getSnapshot()).toBe(state)
    expect(onError).toHaveBeenCalledOnce()
  })

  it('whose connection fails where nobody looks, as on a server, leaves no rejection that nobody handles', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const onError = vi.fn()
    const store = snapshotStore(Promise.reject(new Error('no')), onError)
    await new Promise(setImmediate)
    process.off('unhandledRejection', unhandled)
    expect([store.getSnapshot(), unhandled.mock.calls, onError.mock.calls]).toEqual([undefined, [], []])
  })

  it('tells once of a connection that fails, though a component subscribes twice, as React’s StrictMode has it', async () => {
    let fail = (_error: Error) => {}
    const onError = vi.fn()
    const store = snapshotStore(new Promise<never>((_resolve, reject) => (fail = reject)), onError)
    store.subscribe(() => undefined)()
    store.subscribe(() => undefined)
    fail(new Error('no'))
    await expect.poll(() => onError).toHaveBeenCalled()
    await new Promise(setImmediate)
    expect(onError).toHaveBeenCalledOnce()
  })

  it('tells a watch that cannot be', async () => {
    const failure = new Error('no')
    const onError = vi.fn()
    snapshotStore(Promise.reject(failure), onError).subscribe(() => undefined)
    await expect.poll(() => onError).toHaveBeenCalledWith(failure)
  })
})
