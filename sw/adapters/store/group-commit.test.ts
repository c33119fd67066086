import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Store, WriteNeeds } from '../../ports/store.ts'
import { memoryStore } from '../../testing/fake-disk.ts'
import { groupCommit } from './group-commit.ts'

/** A store whose writes are grouped, and what each of its transactions needed. */
function grouped(fails?: () => Error | undefined, lingerMs?: number) {
  const store = memoryStore()
  const transactions: WriteNeeds[] = []
  const once: Store['write'] = async (work, needs = {}) => {
    transactions.push(needs)
    const error = fails?.()
    if (error) throw error
    return store.write(work, needs)
  }
  return {
    write: groupCommit(once, lingerMs),
    transactions,
    meta: (name: string) => store.read((tx) => tx.meta(name)),
  }
}

describe('writes that meet', () => {
  it('are one transaction, in their order, and each has its own result', async () => {
    const { write, transactions, meta } = grouped()
    const numbers = [0, 1, 2, 3, 4]
    const results = await Promise.all(
      numbers.map((number) =>
        write(async (tx) => {
          await tx.putMeta('sum', Number((await tx.meta('sum')) ?? 0) * 10 + number)
          return number
        }),
      ),
    )
    expect(results).toEqual(numbers)
    expect(await meta('sum')).toBe(1_234)
    // The first one met nobody.
    expect(transactions).toHaveLength(2)
  })

  it('are each whole or not at all: one that throws takes no other along, and leaves nothing', async () => {
    const { write, meta } = grouped()
    const put = (name: string, error?: Error) =>
      write(async (tx) => {
        await tx.putMeta(name, true)
        if (error) throw error
      })
    const refused = new HoldfastError('index-taken', 'Taken.')
    const ended = await Promise.allSettled([put('a'), put('b'), put('c', refused), put('d')])
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(ended[2]).toMatchObject({ reason: refused })
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(meta))).toEqual([true, true, undefined, true])
  })

  it('all fail with a failing database, which is not asked for each of them', async () => {
    const { write, transactions } = grouped(() => new HoldfastError('storage-failed', 'Gone.'))
    const put = () => write((tx) => tx.putMeta('a', 1))
    const ended = await Promise.allSettled([put(), put(), put()])
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(transactions).toHaveLength(2)
  })

  it('are as durable as the one that must be, and touch what one of them touches', async () => {
    const { write, transactions } = grouped()
    const put = (needs?: WriteNeeds) => write((tx) => tx.putMeta('a', 1), needs)
    const least = { repeatable: true, records: true }
    for (const others of [
      [least, least],
      [least, { records: true }],
      [least, { repeatable: true }],
      [{}, least],
    ])
      await Promise.all([put(), ...others.map(put)])
    // After each first one, which met nobody.
    expect(transactions.filter((_needs, place) => place % 2 === 1)).toEqual([
      least,
      { repeatable: false, records: true },
      { repeatable: true, records: false },
      { repeatable: false, records: false },
    ])
  })

  it('wait a moment for others where they may be repeated, until anything comes in that may not', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { write, transactions, meta } = grouped(undefined, 25)
    const put = (name: string, repeatable?: boolean) => write((tx) => tx.putMeta(name, 1), { repeatable })
    const some = [put('a', true), put('b', true)]
    await vi.advanceTimersByTimeAsync(20)
    some.push(put('c', true))
    expect(transactions).toEqual([])
    await vi.advanceTimersByTimeAsync(5)
    await Promise.all(some)
    expect(transactions).toHaveLength(1)
    const more = put('d', true)
    await vi.advanceTimersByTimeAsync(5)
    await Promise.all([more, put('e')])
    expect(transactions).toEqual([
      { repeatable: true, records: false },
      { repeatable: false, records: false },
    ])
    expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map(meta))).toEqual([1, 1, 1, 1, 1])
  })

  it('goes on after a transaction that failed', async () => {
    let failing = true
    const { write, meta } = grouped(() =>
      failing ? new HoldfastError('storage-failed', 'Gone.') : undefined,
    )
    await expect(write((tx) => tx.putMeta('a', 1))).rejects.toMatchObject({ code: 'storage-failed' })
    failing = false
    await write((tx) => tx.putMeta('a', 2))
    expect(await meta('a')).toBe(2)
  })
})
