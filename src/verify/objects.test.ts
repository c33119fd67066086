import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import type { Cid } from '../protocol/ids.ts'
import { inParallel } from './in-parallel.ts'
import { objectsOf, type Objects, type Wanted } from './objects.ts'
import type { Found, ObjectSource } from './source.ts'
import type { Kind } from './standing.ts'

// In virtual time: a source answers after so many ms, whatever the machine does.
beforeEach(() => {
  vi.useFakeTimers({ loopLimit: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const GOOD: Found = { kind: 'bytes', bytes: Uint8Array.of(1) }
const LIE: Found = { kind: 'bytes', bytes: Uint8Array.of(0) }
const NONE: Found = { kind: 'none', reason: 'no such content' }
const DEAD: Found = { kind: 'silent', reason: 'nobody there' }
const LONG: Found = { kind: 'too-long' }

interface FakeSource extends ObjectSource {
  readonly asked: string[]
  /** Questions that nobody waited for any more. */
  readonly stopped: string[]
}

function source(name: string, answerMs: (at: number) => number, said: (cid: string) => Found): FakeSource {
  const asked: string[] = []
  const stopped: string[] = []
  return {
    name,
    asked,
    stopped,
    get: (cid, { signal }) =>
      new Promise((resolve, reject) => {
        asked.push(cid)
        const timer = setTimeout(() => resolve(said(cid)), answerMs(asked.length - 1))
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          stopped.push(cid)
          reject(signal.reason as Error)
        })
      }),
  }
}
const always = (ms: number) => () => ms

const wanted = (cid: string, kind: Kind = 'chunk', signal?: AbortSignal): Wanted => ({
  cid: cid as Cid,
  kind,
  what: `Object ${cid}`,
  maxBytes: 10,
  signal,
  wrong: async ([first]) => (first === 1 ? undefined : 'these are other bytes'),
  codes: { missing: 'chunk-missing', wrong: 'chunk-address' },
  steps: { fetching: 'fetching a chunk', checking: 'checking a chunk' },
})

/** Some objects of each kind, several at a time. @returns how long it took in ms */
async function fetchMany(objects: Objects, count: number): Promise<number> {
  const cids = Array.from({ length: count }, (_, at) => String(at))
  const began = performance.now()
  let took = 0
  const work = (async () => {
    await inParallel(cids, (cid) => objects.fetch(wanted(cid, 'page')))
    await inParallel(cids, async (cid) => expect((await objects.fetch(wanted(cid))).kind).toBe('bytes'))
    took = performance.now() - began
  })()
  await vi.runAllTimersAsync()
  await work
  return took
}

async function fetched(objects: Objects, asked: Wanted = wanted('x')) {
  const work = objects.fetch(asked)
  await vi.runAllTimersAsync()
  return work
}

describe('sources', () => {
  const good = () => source('good', always(100), () => GOOD)
  const slow = () => source('slow', always(10_000), () => GOOD)
  const others = () => [
    source('dead', always(1), () => DEAD),
    source('lying', always(30), () => LIE),
    slow(),
    source('silent', always(30_000), () => DEAD),
  ]

  it.each([0, 1, 2, 3, 4])(
    'one of which is good, at place %i, are about as fast as that one alone',
    async (place) => {
      const alone = await fetchMany(objectsOf([good()]), 200)
      const sources = others()
      const best = good()
      sources.splice(place, 0, best)
      expect(await fetchMany(objectsOf(sources), 200)).toBeLessThanOrEqual(1.2 * alone)
      // The rest are asked for the first of each kind, and hardly again.
      const wasted = sources.filter((one) => one !== best).reduce((sum, { asked }) => sum + asked.length, 0)
      expect(wasted).toBeLessThanOrEqual(20)
      expect(best.asked).toHaveLength(400)
    },
  )

  it('of which the best falls silent are as fast as the next one, soon', async () => {
    const best = source(
      'best',
      (at) => (at < 100 ? 50 : 1e9),
      () => GOOD,
    )
    const next = source('next', always(100), () => GOOD)
    const alone = await fetchMany(objectsOf([source('next', always(100), () => GOOD)]), 200)
    expect(await fetchMany(objectsOf([best, next]), 200)).toBeLessThanOrEqual(1.2 * alone)
    expect(best.stopped.length).toBeGreaterThan(0)
  })

  it.each([1, 2, 3, 4, 5])(
    'of which the good one stalls now and then are no slower for the others (%i)',
    async (seed) => {
      const stalls = () => {
        const random = randomFrom(`stalls ${seed}`)
        return source(
          'good',
          () => (random.number(20) === 0 ? 3_000 : 50 + random.number(100)),
          () => GOOD,
        )
      }
      const alone = await fetchMany(objectsOf([stalls()]), 400)
      const slow = source('slow', always(2_000), () => GOOD)
      const lying = source('lying', always(30), () => LIE)
      expect(await fetchMany(objectsOf([slow, lying, stalls()]), 400)).toBeLessThanOrEqual(1.2 * alone)
    },
  )

  it('that are all slow are asked beside each other within bounds', async () => {
    // Ever slower, so that every answer comes later than the ones before tell.
    const slower = (name: string) =>
      source(
        name,
        (at) => 1.5 ** Math.min(at, 60),
        () => GOOD,
      )
    const both = [slower('one'), slower('other')]
    await fetchMany(objectsOf(both), 100)
    const asked = both.reduce((sum, one) => sum + one.asked.length, 0)
    // The first of each kind, 8 in vain, a tenth of the answers
    expect(asked).toBeLessThanOrEqual(200 + 2 + 8 + 20)
  })

  it('are not slowed down by one that lacks some objects, nor is that one given up', async () => {
    const half = source('half', always(20), (cid) => (Number(cid) % 2 === 0 ? GOOD : NONE))
    const took = await fetchMany(objectsOf([half, good()]), 200)
    expect(took).toBeLessThanOrEqual(1.2 * (await fetchMany(objectsOf([good()]), 200)))
  })

  describe('that are busy', () => {
    const busy = (retryAfterMs: number): Found => ({ kind: 'silent', reason: 'HTTP 429', retryAfterMs })
    const busyTimes = (times: number, waitMs: number) => {
      let asked = 0
      return source('busy', always(1), () => (asked++ < times ? busy(waitMs) : GOOD))
    }

    it.each([
      ['alone', () => []],
      ['beside one that lacks it', () => [source('other', always(1), () => NONE)]],
    ])('are asked again when they want, %s', async (_, others) => {
      const one = busyTimes(2, 3_000)
      const began = performance.now()
      expect((await fetched(objectsOf([one, ...others()]))).kind).toBe('bytes')
      expect(performance.now() - began).toBeGreaterThanOrEqual(6_000)
      expect(one.asked).toHaveLength(3)
    })

    it('are not waited for where another has it', async () => {
      const one = busyTimes(1, 3_000)
      const began = performance.now()
      expect((await fetched(objectsOf([one, good()]))).kind).toBe('bytes')
      expect(performance.now() - began).toBeLessThan(3_000)
    })

    it.each([
      ['say so for ever, at once', 0, 30],
      ['say so for ever', 3_000, 10],
      ['want an hour', 3_600_000, 1],
    ])('and %s are told as silent within half a minute', async (_, waitMs, most) => {
      const one = busyTimes(Infinity, waitMs)
      const began = performance.now()
      const objects = objectsOf([one])
      expect(await fetched(objects)).toMatchObject({ error: { code: 'gateway-unreachable' } })
      expect(performance.now() - began).toBeLessThanOrEqual(30_000)
      expect(one.asked.length).toBeLessThanOrEqual(most)
      expect(objects.silences).toBe(1)
    })

    it('for ever are waited for some times only, until they have answered again', async () => {
      let isBusy = true
      const one = source('busy', always(1), () => (isBusy ? busy(3_000) : GOOD))
      const objects = objectsOf([one])
      const ask = (count: number) =>
        inParallel(
          Array.from({ length: count }, (_, at) => String(at)),
          (cid) => objects.fetch(wanted(cid)),
        )
      const tookMs = async (count: number) => {
        const began = performance.now()
        const work = ask(count)
        await vi.runAllTimersAsync()
        await work
        return performance.now() - began
      }
      // Eight at a time, 24 of which have half a minute.
      expect(await tookMs(24)).toBeGreaterThan(60_000)
      expect(await tookMs(1_000)).toBeLessThan(10_000)
      isBusy = false
      await tookMs(1)
      isBusy = true
      expect(await tookMs(1)).toBeGreaterThan(20_000)
    })

    it('are left alone where nobody waits any more', async () => {
      const one = busyTimes(Infinity, 20_000)
      const caller = new AbortController()
      const work = objectsOf([one]).fetch(wanted('x', 'chunk', caller.signal))
      const ended = expect(work).rejects.toThrow('enough')
      await vi.advanceTimersByTimeAsync(1_000)
      caller.abort(new Error('enough'))
      await ended
      expect(one.asked).toEqual(['x'])
      expect(vi.getTimerCount()).toBe(0)
    })
  })

  it('are left alone where nobody waits any more', async () => {
    const caller = new AbortController()
    const [one, other] = [slow(), slow()]
    const work = objectsOf([one, other]).fetch(wanted('x', 'chunk', caller.signal))
    const told = expect(work).rejects.toThrow('enough')
    await vi.advanceTimersByTimeAsync(10)
    caller.abort(new Error('enough'))
    await told
    expect([one.stopped, other.stopped]).toEqual([['x'], ['x']])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of which one throws what it should not count it as silent', async () => {
    const broken: ObjectSource = { name: 'broken', get: () => Promise.reject(new Error('a bug')) }
    expect(await fetched(objectsOf([broken, good()]))).toEqual(GOOD)
    expect(await fetched(objectsOf([broken]))).toMatchObject({ error: { code: 'gateway-unreachable' } })
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['bare bytes', Uint8Array.of(1)],
    ['bytes that are a buffer', { kind: 'bytes', bytes: Uint8Array.of(1).buffer }],
    ['bytes that are none', { kind: 'bytes' }],
    ['a kind that is none', { kind: 'found', bytes: Uint8Array.of(1) }],
  ])('of which one gives %s say nothing by that', async (_, given) => {
    const broken: ObjectSource = { name: 'broken', get: async () => given as Found }
    expect(await fetched(objectsOf([broken, good()]))).toEqual(GOOD)
    const { error } = (await fetched(objectsOf([broken]))) as { error?: Error }
    expect(error).toMatchObject({ code: 'gateway-unreachable' })
    expect(error?.message).toContain('it gave what is no answer, asked of broken')
  })

  it('leave no timer, and nothing that hears the caller, once nobody waits', async () => {
    const caller = new AbortController()
    const [added, removed] = [
      vi.spyOn(caller.signal, 'addEventListener'),
      vi.spyOn(caller.signal, 'removeEventListener'),
    ]
    const objects = objectsOf([good(), slow(), slow()], caller.signal)
    expect(await fetched(objects)).toEqual(GOOD)
    expect(await fetched(objects)).toEqual(GOOD)
    expect(added).toHaveBeenCalledTimes(2)
    expect(removed).toHaveBeenCalledTimes(2)
    const told = expect(objects.fetch(wanted('y'))).rejects.toThrow('enough')
    await vi.advanceTimersByTimeAsync(10)
    caller.abort(new Error('enough'))
    await told
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a source that stays silent', () => {
  const MANY = 10_000
  const SILENCE_MS = 30_000
  const silent = () => source('silent', always(SILENCE_MS), () => DEAD)
  const cids = (from: number, count = 1) => Array.from({ length: count }, (_, at) => String(from + at))

  async function fetchAll(objects: Objects, all: readonly string[]) {
    const began = performance.now()
    const work = inParallel(all, (cid) => objects.fetch(wanted(cid)))
    await vi.runAllTimersAsync()
    const codes = (await work).map((one) => (one.kind === 'failed' ? one.error.code : one.kind))
    return { codes, tookMs: performance.now() - began }
  }

  it('costs no more than some of its silences, of however many objects that no other has', async () => {
    const half = () => source('half', always(10), (cid) => (Number(cid) % 2 === 0 ? GOOD : NONE))
    const one = silent()
    const { codes, tookMs } = await fetchAll(objectsOf([one, half()]), cids(0, MANY))
    const { tookMs: aloneMs } = await fetchAll(objectsOf([half()]), cids(0, MANY))
    expect(tookMs).toBeLessThan(aloneMs + 4 * SILENCE_MS)
    // Of what it was not asked for nothing is known all the same.
    expect(codes).toEqual(cids(0, MANY).map((_, at) => (at % 2 === 0 ? 'bytes' : 'gateway-unreachable')))
    expect(one.asked.length).toBeLessThan(50)
  })

  it('and is the only one costs no more than a few of its silences, and then of few objects', async () => {
    const one = silent()
    const { codes, tookMs } = await fetchAll(objectsOf([one]), cids(0, MANY))
    expect(new Set(codes)).toEqual(new Set(['gateway-unreachable']))
    expect(tookMs).toBeLessThan(6 * SILENCE_MS)
    expect(one.asked.length).toBeLessThan(50)
  })

  it('and is the only one loses what is under way alone, where that does not last', async () => {
    let isAway = true
    const one = source(
      'back again',
      () => (isAway ? SILENCE_MS : 10),
      () => (isAway ? DEAD : GOOD),
    )
    setTimeout(() => (isAway = false), SILENCE_MS - 1)
    const { codes } = await fetchAll(objectsOf([one]), cids(0, 100))
    expect(codes.filter((code) => code !== 'bytes').length).toBeLessThanOrEqual(8)
  })

  it('is asked again after as many objects as it has cost, and as before once it answers', async () => {
    let isAway = true
    const one = source(
      'back again',
      () => (isAway ? SILENCE_MS : 10),
      () => (isAway ? DEAD : GOOD),
    )
    const objects = objectsOf([one, source('other', always(10), () => NONE)])
    await fetchAll(objects, cids(0, 100))
    isAway = false
    const codes = []
    for (const cid of cids(100, 200)) codes.push(...(await fetchAll(objects, [cid])).codes)
    const back = codes.indexOf('bytes')
    expect(back).toBeGreaterThan(0)
    expect(back).toBeLessThan(100)
    expect(codes.slice(back)).toEqual(codes.slice(back).map(() => 'bytes'))
  })

  it('is told from one that fails at once, which costs nobody anything', async () => {
    const one = source('dead', always(10), () => DEAD)
    await fetchAll(objectsOf([one, source('other', always(10), () => NONE)]), cids(0, 100))
    expect(one.asked).toHaveLength(100)
  })
})

describe('an object that nobody has', () => {
  it.each<[name: string, said: Found[], code: string]>([
    ['missing where all say so', [NONE, NONE], 'chunk-missing'],
    ['another one where somebody has other bytes', [NONE, LIE], 'chunk-address'],
    ['another one where somebody has too many', [NONE, LONG], 'chunk-address'],
    ['not known to be missing while one is silent', [NONE, DEAD], 'gateway-unreachable'],
    ['not known to be another one while one is silent', [LIE, DEAD], 'gateway-unreachable'],
  ])('is %s', async (_, said, code) => {
    const sources = said.map((one, at) => source(`source ${at}`, always(10), () => one))
    const failed = await fetched(objectsOf(sources))
    expect(failed).toMatchObject({ kind: 'failed', error: { code } })
    for (const { name, asked } of sources) {
      expect(asked).toEqual(['x'])
      expect(failed.kind === 'failed' && failed.error.message).toContain(name)
    }
  })

  it.each([
    ['<!DOCTYPE HTML>', 'gateway-unreachable'],
    ['\ufeff\n<?xml version="1.0"?>\n<!-- a --><!-- b --><html lang="en">', 'gateway-unreachable'],
    ['<script>location = "/login"</script>', 'gateway-unreachable'],
    ['<!-- html -->', 'chunk-address'],
    ['<svg><html>', 'chunk-address'],
    // One way to read it, not 2^28.
    ['<!---->'.repeat(28), 'chunk-address'],
  ])('is told by what was served: %s', async (text, code) => {
    const page: Found = { kind: 'bytes', bytes: new TextEncoder().encode(text) }
    const told = await fetched(objectsOf([source('portal', always(1), () => page)]))
    expect(told).toMatchObject({ error: { code } })
  })

  it('is told as too long where nobody says more than that', async () => {
    const saying = (...said: Found[]) =>
      fetched(objectsOf(said.map((one, at) => source(`source ${at}`, always(10), () => one))))
    expect(await saying(LONG, NONE)).toMatchObject({ isTooLong: true })
    expect(await saying(LONG, LIE)).toMatchObject({ isTooLong: false })
    expect(await saying(NONE)).toMatchObject({ isTooLong: false })
  })

  it('counts as a silence only where all are silent', async () => {
    const said: Found[] = [DEAD, NONE]
    const objects = objectsOf(said.map((_, at) => source(`source ${at}`, always(10), () => said[at]!)))
    await fetched(objects)
    expect(objects.silences).toBe(0)
    said[1] = DEAD
    await fetched(objects)
    await fetched(objects)
    expect(objects.silences).toBe(2)
    said[1] = GOOD
    await fetched(objects)
    expect(objects.silences).toBe(0)
  })
})
