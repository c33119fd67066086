import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { compareKeys } from '../../testing/fake-disk.ts'
import type { ChunkRecord } from '../../core/record.ts'
import { FIRST_MANY, FULL_LOOK_MS } from './limits.ts'
import { createQueue } from './queue.ts'

// What a look asks of the index; that it finds the right chunk is in the store's contract, which runs on a real database.

type Place = readonly number[]

const SEND = [[0], [1_000, Infinity]] as const
const RAW = [[-1], [0]] as const
const nobody: ReadonlySet<string> = new Set()

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('indexedDB', { cmp: compareKeys })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A queue over these places, and where each read of the index began. */
function queueOf(...places: Place[]) {
  const queue = createQueue()
  const began: Place[] = []
  const chunkAt = (due: Place, index: number) => ({ id: `s/${index}`, due }) as unknown as ChunkRecord
  const held = { places }
  const reader = (meanwhile = () => {}) =>
    queue.reader(async (from, to, most) => {
      began.push(from)
      const found = held.places
        .map(chunkAt)
        .filter(({ due }) => compareKeys(due!, from) >= 0 && compareKeys(due!, to) <= 0)
        .toSorted((a, b) => compareKeys(a.due!, b.due!))
      meanwhile()
      return found.slice(0, most)
    })
  const look = (part: readonly [Place, Place] = SEND, skip = nobody, meanwhile = () => {}) =>
    reader(meanwhile)(part, skip as ReadonlySet<never>)
  return { queue, began, held, reader, look }
}

describe('a look at the queue', () => {
  test('begins where the last one found something: what left the index before that is not asked for', async () => {
    const { began, held, look } = queueOf([0, 5, 7], [0, 5, 8])
    await look()
    held.places = [[0, 5, 8]]
    await look()
    expect((await look())?.due).toEqual([0, 5, 8])
    expect(began).toEqual([[0], [0, 5, 7], [0, 5, 8]])
  })

  test('begins at what was added before that, and knows what is to be sealed apart', async () => {
    const { queue, began, held, look } = queueOf([0, 5, 8])
    await look()
    await look(RAW)
    held.places = [
      [0, 5, 2],
      [0, 5, 8],
      [-1, 0, 5, 9],
    ]
    queue.add([[0, 5, 2]])
    expect((await look())?.due).toEqual([0, 5, 2])
    queue.add([[-1, 0, 5, 9]])
    expect((await look(RAW))?.due).toEqual([-1, 0, 5, 9])
    await look()
    expect(began).toEqual([[0], [-1], [0, 5, 2], [-1, 0, 5, 9], [0, 5, 2]])
  })

  test('that found nothing is not made again in vain, and one for later begins where it ended', async () => {
    const { began, look } = queueOf()
    expect(await look([[0], [Infinity]])).toBeUndefined()
    expect(await look()).toBeUndefined()
    expect(began).toEqual([[0]])
    const later = queueOf([2_000, 5, 1])
    expect(await later.look()).toBeUndefined()
    expect((await later.look([[0], [Infinity]]))?.due).toEqual([2_000, 5, 1])
    expect(later.began).toEqual([[0], [2_000, 5, 1]])
  })

  test('that began before something was added does not hide it from the next one', async () => {
    const { queue, began, held, look } = queueOf([0, 5, 8])
    await look()
    held.places = [[0, 5, 8]]
    await look(SEND, nobody, () => queue.add([[0, 5, 3]]))
    held.places = [
      [0, 5, 3],
      [0, 5, 8],
    ]
    expect((await look())?.due).toEqual([0, 5, 3])
    expect(began).toEqual([[0], [0, 5, 8], [0, 5, 3]])
  })

  test('finds within a minute what another worker added before that', async () => {
    const { began, held, look } = queueOf([0, 5, 8])
    await look()
    held.places = [
      [0, 4, 0],
      [0, 5, 8],
    ]
    await vi.advanceTimersByTimeAsync(FULL_LOOK_MS + 1)
    expect((await look())?.due).toEqual([0, 4, 0])
    expect(began).toEqual([[0], [0]])
  })

  test('asks once for all that it wants of a part, and apart for what is not among its first', async () => {
    const places = Array.from({ length: FIRST_MANY + 10 }, (_, index) => [0, 5, index])
    const { queue, held } = queueOf()
    const began: Place[] = []
    held.places = [...places, [0, 6, 0], [2_000, 5, 90]]
    const nextDue = queue.reader(async (from, to, most) => {
      began.push(from)
      return held.places
        .filter((due) => compareKeys(due, from) >= 0 && compareKeys(due, to) <= 0)
        .map((due) => ({ id: due.join('/'), due }) as unknown as ChunkRecord)
        .slice(0, most)
    })
    const dueOf = async (from: Place, to: Place) => (await nextDue([from, to], nobody as never))?.due
    expect(await dueOf(...SEND)).toEqual([0, 5, 0])
    expect(await dueOf([0], [Infinity])).toEqual([0, 5, 0])
    expect(await dueOf([0, 5, 3], [1_000, Infinity])).toEqual([0, 5, 3])
    expect(began).toEqual([[0]])
    expect(await dueOf([0, 6], [1_000, Infinity])).toEqual([0, 6, 0])
    // What lies beyond a question was read with it.
    expect(await dueOf([1_001], [Infinity])).toEqual([2_000, 5, 90])
    expect(await dueOf([3_601_000], [Infinity])).toBeUndefined()
    expect(began).toEqual([[0], [0, 6]])
    // What was read further on is not taken for the next of those before it.
    const busy = new Set(places.slice(0, FIRST_MANY).map((due) => due.join('/')))
    expect((await nextDue(SEND, busy as never))?.due).toEqual([0, 5, FIRST_MANY])
    // Nor is asked again what was read: before it lies what the index keeps of all that changed or is gone.
    expect(began.at(-1)).toEqual([0, 5, FIRST_MANY - 1])
  })

  test('of the first of a life is one question, however many of the few that wait begin', async () => {
    const places = Array.from({ length: FIRST_MANY - 1 }, (_, index) => [0, 5, index])
    const { reader, began } = queueOf(...places)
    const nextDue = reader()
    const busy = new Set<never>()
    for (const _ of places) busy.add((await nextDue(SEND, busy))?.id as never)
    expect(busy.size).toBe(places.length)
    // Another session's, and when there is more.
    expect(
      await nextDue(
        [
          [0, 6],
          [1_000, Infinity],
        ],
        busy,
      ),
    ).toBeUndefined()
    expect(await nextDue([[0], [Infinity]], busy)).toBeUndefined()
    expect(began).toEqual([[0]])
  })

  test('asks once for all that are skipped and the next few', async () => {
    const { queue, began } = queueOf()
    const places = [0, 1, 2, 3].map((index) => [0, 5, index])
    const nextDue = queue.reader(async (from) => {
      began.push(from)
      return places.map((due, index) => ({ id: `s/${index}`, due }) as unknown as ChunkRecord)
    })
    const skip = new Set<never>()
    for (const _ of places) skip.add((await nextDue(SEND, skip))?.id as never)
    expect([...skip]).toEqual(['s/0', 's/1', 's/2', 's/3'])
    expect(began).toEqual([[0]])
  })
})
