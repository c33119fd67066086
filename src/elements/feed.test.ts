import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Holdfast } from '../api.ts'
import { HoldfastError } from '../protocol/errors.ts'
import { fakeWorker } from '../testing.ts'
import { feedOf, type Seen } from './feed.ts'

beforeEach(() => {
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
  vi.stubGlobal('navigator', {})
})
afterEach(() => vi.unstubAllGlobals())

const begin = (holdfast: Holdfast) =>
  holdfast.startSession({ groups: [{ publicKey: 'a'.repeat(64) }], mimeType: 'video/webm' })

describe('what the elements of a page see', () => {
  it('goes on for all of them where one fails to draw it, which is told as uncaught', async () => {
    const uncaught = vi.fn()
    vi.stubGlobal('queueMicrotask', uncaught)
    const holdfast = fakeWorker().connect()
    const { subscribe } = feedOf(holdfast)
    const fail = vi.fn()
    const see = () => {
      throw new Error('A text of the app is wrong.')
    }
    const seen: Seen[] = []
    const leave = [subscribe({ see, fail }), subscribe({ see: (now) => void seen.push(now) })]
    await expect.poll(() => seen.length).toBeGreaterThan(0)
    await begin(holdfast)
    await expect.poll(() => seen.at(-1)?.snapshot.sessions.length).toBe(1)
    expect(fail).not.toHaveBeenCalled()
    expect(uncaught).toHaveBeenCalled()
    leave.forEach((each) => each())
  })

  it('is told to be missing, and why, where the database fails for ever', async () => {
    const holdfast = fakeWorker().connect()
    const { watch } = holdfast
    let stall = (_error: HoldfastError) => {}
    holdfast.watch = (options) => {
      stall = options!.onStalled!
      return watch(options)
    }
    const fail = vi.fn()
    const leave = feedOf(holdfast).subscribe({ see: () => undefined, fail })
    const why = new HoldfastError('storage-failed', 'No.')
    stall(why)
    expect(fail).toHaveBeenCalledWith(why)
    leave()
  })

  it('is told to be missing to whoever comes later, too, and to nobody once it is there', async () => {
    const holdfast = fakeWorker().connect()
    const { watch } = holdfast
    const why = new HoldfastError('storage-failed', 'No.')
    let come = () => {}
    const coming = new Promise<void>((resolve) => (come = resolve))
    // A watch tells it once.
    holdfast.watch = async function* (options) {
      options?.onStalled?.(why)
      await coming
      yield* watch(options)
    }
    const { subscribe } = feedOf(holdfast)
    const fails = [vi.fn(), vi.fn(), vi.fn()] as const
    const seen: Seen[] = []
    const leave = [subscribe({ see: (now) => void seen.push(now), fail: fails[0] })]
    leave.push(subscribe({ see: () => undefined, fail: fails[1] }))
    come()
    await expect.poll(() => seen.length).toBeGreaterThan(0)
    leave.push(subscribe({ see: () => undefined, fail: fails[2] }))
    expect(fails.map(({ mock }) => mock.calls)).toEqual([[[why]], [[why]], []])
    leave.forEach((each) => each())
  })

  it('is asked for anew by the next that shows it, where it had failed', async () => {
    const worker = fakeWorker()
    const holdfast = worker.connect()
    const { watch } = holdfast
    const why = new HoldfastError('bad-message', 'Of an older version.')
    holdfast.watch = () => {
      holdfast.watch = watch
      // oxlint-disable-next-line require-yield -- it fails before it knows anything
      return (async function* fail() {
        throw why
      })()
    }
    const { subscribe } = feedOf(holdfast)
    const fail = vi.fn()
    const first: Seen[] = []
    const leave = [subscribe({ see: (now) => void first.push(now), fail })]
    await expect.poll(() => fail.mock.calls).toEqual([[why]])
    const second: Seen[] = []
    leave.push(subscribe({ see: (now) => void second.push(now), fail }))
    await expect.poll(() => second.length).toBeGreaterThan(0)
    // Who was there before sees it, too.
    expect(first.length).toBeGreaterThan(0)
    leave.forEach((each) => each())
  })

  it('is what the policy is, though the worker was stopped when it was asked first', async () => {
    const holdfast = fakeWorker().connect()
    await holdfast.setPolicy('paused')
    const { policy } = holdfast
    let fail = (_error: HoldfastError) => {}
    holdfast.policy = () =>
      new Promise((_resolve, reject) => {
        holdfast.policy = policy
        fail = reject
      })
    const { subscribe } = feedOf(holdfast)
    const seen: Seen[] = []
    const leave = subscribe({ see: (now) => void seen.push(now) })
    fail(new HoldfastError('worker-timeout', 'No answer.'))
    await begin(holdfast)
    await expect.poll(() => seen.at(-1)?.policy.policy).toBe('paused')
    leave()
  })
})
