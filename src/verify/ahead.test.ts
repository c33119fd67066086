import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { ahead } from './ahead.ts'

/** Work that ends when told, and what is under way. */
function works() {
  const begun: number[] = []
  const aborted: number[] = []
  const ends = new Map<number, (error?: Error) => void>()
  const work = (item: number, signal: AbortSignal) =>
    new Promise<number>((resolve, reject) => {
      begun.push(item)
      signal.addEventListener('abort', () => aborted.push(item))
      ends.set(item, (error) => (error ? reject(error) : resolve(item)))
    })
  return { begun, aborted, work, end: (item: number, error?: Error) => ends.get(item)!(error) }
}
const items = Array.from({ length: 40 }, (_, at) => at)
const bound = (count: number, bytes = Infinity) => ({ items: count, bytes, bytesOf: () => 10 })
/** Until all that can go on now has. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('reading ahead', () => {
  it('begins with one, and twice as many with each that is taken, up to the bound', async () => {
    const { begun, work, end } = works()
    const reading = ahead(items, bound(8), work)
    const under = []
    for (const item of items) {
      const next = reading.next()
      await settled()
      under.push(begun.length - item)
      end(item)
      expect(await next).toEqual({ done: false, value: item })
    }
    expect(under.slice(0, 6)).toEqual([1, 2, 4, 8, 8, 8])
    expect(Math.max(...under)).toBe(8)
    expect(await reading.next()).toEqual({ done: true, value: undefined })
    expect(begun).toEqual(items)
  })

  it('holds no more bytes than the bound, what was not taken yet included', async () => {
    const { begun, work, end } = works()
    const reading = ahead(items, bound(100, 35), work)
    let most = 0
    for (const item of items) {
      const next = reading.next()
      await settled()
      for (const one of begun.slice(item)) end(one)
      await next
      await settled()
      most = Math.max(most, begun.length - item)
    }
    expect(most).toBe(3)
  })

  it('reads one that is larger than the bound by itself', async () => {
    const { begun, work, end } = works()
    const reading = ahead(items, bound(8, 5), work)
    for (const item of items) {
      const next = reading.next()
      await settled()
      expect(begun).toHaveLength(item + 1)
      end(item)
      await next
    }
  })

  it('gives in order what ends in any', async () => {
    const { work, end } = works()
    const reading = ahead([0, 1, 2], bound(8), work)
    const first = reading.next()
    end(0)
    await first
    const second = reading.next()
    await settled()
    end(2)
    end(1)
    expect([(await second).value, (await reading.next()).value]).toEqual([1, 2])
  })

  it('aborts what is under way when the reader leaves', async () => {
    const { begun, aborted, work, end } = works()
    const reading = ahead(items, bound(8), work)
    for (const item of [0, 1, 2]) {
      const next = reading.next()
      await settled()
      end(item)
      await next
    }
    await reading.return()
    expect(aborted).toEqual(begun.slice(2))
    expect(aborted.length).toBeGreaterThan(3)
  })

  it('ends at once when it is to, while an item is under way too', async () => {
    const { begun, aborted, work } = works()
    const ending = new AbortController()
    const reading = ahead(items, bound(8), work, ending.signal)
    const next = reading.next()
    await settled()
    ending.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(aborted).toEqual(begun)
    expect(begun).toEqual([0])
  })

  it('ends at once where it was to end between two items', async () => {
    const { aborted, work, end } = works()
    const ending = new AbortController()
    const reading = ahead(items, bound(8), work, ending.signal)
    const first = reading.next()
    end(0)
    await first
    ending.abort()
    expect(await reading.next()).toEqual({ done: true, value: undefined })
    expect(aborted).toContain(1)
  })

  it('keeps nothing of what was taken, however long it goes on', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const ending = new AbortController()
    const reading = ahead(items, bound(1), async () => new Uint8Array(1_000), ending.signal)
    const taken: WeakRef<Uint8Array>[] = []
    while (taken.length < items.length - 1) {
      const { value } = await reading.next()
      if (value) taken.push(new WeakRef(value))
    }
    await settled()
    collect()
    // The last is under way until the next is asked for.
    expect(taken.filter((bytes) => bytes.deref()).length).toBeLessThanOrEqual(2)
    ending.abort()
    expect(await reading.next()).toEqual({ done: true, value: undefined })
  })

  it('tells a failure in its turn, and aborts the others', async () => {
    const { aborted, work, end } = works()
    const reading = ahead(items, bound(8), work)
    const first = reading.next()
    end(0)
    await first
    const second = reading.next()
    await settled()
    end(2, new Error('the second next'))
    end(1)
    expect((await second).value).toBe(1)
    await expect(reading.next()).rejects.toThrow('the second next')
    expect(aborted).toContain(3)
  })
})
