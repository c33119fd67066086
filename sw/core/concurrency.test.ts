import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adaptiveConcurrency, INITIAL_CONCURRENCY } from './concurrency.ts'

/** A link that all uploads share. */
interface Link {
  readonly bytesPerMs: number
  /** No connection gets more than this. */
  readonly bytesPerMsEach?: number
  readonly roundTripMs: number
  /** With more than this many connections the youngest is lost. */
  readonly holds?: number
}

interface Running {
  readonly inUse: number
  readonly begunMs: number
  readonly bytes: number
  waitsMs: number
  left: number
}

const STEP_MS = 5

/** Sends a backlog over the link; returns the lanes after each upload, with how long it took. */
function send(uploads: number, linkAt: (sent: number) => Link, bytes = () => 500_000) {
  const seen: { readonly count: number; readonly elapsedMs: number; readonly lost: boolean }[] = []
  const running = new Set<Running>()
  const observe = adaptiveConcurrency()
  let lanes = INITIAL_CONCURRENCY
  const end = (upload: Running, nowMs: number, lost: boolean) => {
    running.delete(upload)
    const elapsedMs = nowMs - upload.begunMs
    lanes = observe(upload.inUse, upload.bytes, elapsedMs, lost)
    seen.push({ count: lanes, elapsedMs, lost })
  }
  let lostAtMs = -Infinity
  for (let nowMs = 0; seen.length < uploads; nowMs += STEP_MS) {
    const link = linkAt(seen.length)
    const begun: Omit<Running, 'inUse'>[] = []
    while (running.size + begun.length < lanes) {
      const size = bytes()
      begun.push({ begunMs: nowMs, bytes: size, waitsMs: link.roundTripMs, left: size })
    }
    const inUse = running.size + begun.length
    for (const upload of begun) running.add({ ...upload, inUse })
    if (running.size > (link.holds ?? Infinity) && nowMs - lostAtMs > 300) {
      lostAtMs = nowMs
      const youngest = [...running].at(-1)
      if (youngest) end(youngest, nowMs, true)
    }
    const moving = [...running].filter((upload) => (upload.waitsMs -= STEP_MS) < 0)
    const share = Math.min(link.bytesPerMs / moving.length, link.bytesPerMsEach ?? Infinity) * STEP_MS
    for (const upload of moving) {
      upload.left -= share
      if (upload.left <= 0) end(upload, nowMs + STEP_MS, false)
    }
  }
  return seen
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const counts = (seen: ReturnType<typeof send>, from: number) => seen.slice(from).map(({ count }) => count)
/** The share of uploads that ended with this many lanes. */
const share = (seen: ReturnType<typeof send>, from: number, is: (count: number) => boolean) =>
  mean(counts(seen, from).map((count) => (is(count) ? 1 : 0)))

/** 20 Mbit/s */
const SHARED: Link = { bytesPerMs: 2_500, roundTripMs: 100 }

describe('lanes', () => {
  it('begin with three, and try a fourth after the first epoch', () => {
    const seen = send(30, () => SHARED)
    expect(counts(seen, 0).slice(0, 7)).toEqual([3, 3, 3, 3, 3, 3, 3])
    expect(Math.max(...counts(seen, 0))).toBe(4)
  })

  // Promise 9 of docs/guarantees.md.
  it('stay at three where a shared link of 20 Mbit/s is full, and try another one ever more rarely', () => {
    const seen = send(600, () => SHARED)
    expect(Math.max(...counts(seen, 0))).toBe(4)
    expect(counts(seen, 0)).not.toContain(2)
    expect(share(seen, 200, (count) => count === 3)).toBeGreaterThan(0.9)
  })

  // Promise 9 of docs/guarantees.md.
  it('become five where a server gives each connection little', () => {
    const seen = send(100, () => ({ ...SHARED, bytesPerMsEach: 200 }))
    expect(counts(seen, 60).every((count) => count === 5)).toBe(true)
  })

  it('become five where each upload waits more than it sends', () => {
    const seen = send(100, () => ({ ...SHARED, roundTripMs: 2_000 }))
    expect(counts(seen, 60).every((count) => count === 5)).toBe(true)
  })

  // Promise 9 of docs/guarantees.md.
  it('keep to what a link holds that drops connections, and lose ever fewer', () => {
    const seen = send(600, () => ({ ...SHARED, bytesPerMsEach: 400, holds: 2 }))
    expect(share(seen, 200, (count) => count <= 2)).toBeGreaterThan(0.9)
    expect(counts(seen, 0)).not.toContain(1)
    const losses = (from: number) => seen.slice(from, from + 300).filter(({ lost }) => lost).length
    expect(losses(300)).toBeLessThan(losses(0) * 0.8)
  })

  it('become fewer where every upload has become much slower', () => {
    const seen = send(400, (sent) => (sent < 100 ? SHARED : { ...SHARED, bytesPerMs: 250 }))
    const meanMs = (from: number, to: number) => mean(seen.slice(from, to).map(({ elapsedMs }) => elapsedMs))
    expect(share(seen, 120, (count) => count === 2)).toBeGreaterThan(0.8)
    expect(meanMs(120, 400)).toBeLessThan(meanMs(103, 108) * 0.8)
  })

  it('are as many as they were where small chunks follow large ones, and large ones small ones', () => {
    let begun = 0
    const seen = send(
      600,
      () => ({ bytesPerMs: 100_000, bytesPerMsEach: 30_000, roundTripMs: 20 }),
      () => (Math.floor(begun++ / 24) % 2 === 0 ? 3_000_000 : 1_000),
    )
    expect(Math.min(...counts(seen, 0))).toBe(INITIAL_CONCURRENCY)
  })

  it('come back when the link does', () => {
    const bad = { ...SHARED, bytesPerMsEach: 400, holds: 1 }
    const seen = send(500, (sent) => (sent < 100 ? bad : { ...SHARED, bytesPerMsEach: 400 }))
    expect(counts(seen, 90)[0]).toBe(1)
    expect(counts(seen, 400).every((count) => count >= 5)).toBe(true)
  })

  it('come back as soon after an outage of an hour as after one of a minute', () => {
    const uploadsUntilTwo = (lossesInARow: number) => {
      const observe = adaptiveConcurrency()
      let lanes = INITIAL_CONCURRENCY
      for (let nth = 0; nth < lossesInARow; nth++) lanes = observe(lanes, 1, 10_000, true)
      expect(lanes).toBe(1)
      for (let uploads = 1; ; uploads++) if (observe(1, 500_000, 1_000, false) > 1) return uploads
    }
    expect(uploadsUntilTwo(400)).toBe(uploadsUntilTwo(8))
  })

  it('do not run away on chunks of all sizes', () => {
    let state = 1
    const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    const seen = send(
      2_000,
      () => SHARED,
      () => 100_000 + random() * 1_500_000,
    )
    expect(mean(counts(seen, 0))).toBeGreaterThan(2)
    expect(mean(counts(seen, 0))).toBeLessThan(4.5)
  })

  /** The lanes after one epoch of these; it would bring a fourth. */
  const countAfter = (inUse: number, elapsedMs: number, lost = false) => {
    const observe = adaptiveConcurrency()
    let lanes = INITIAL_CONCURRENCY
    for (let nth = 0; nth < 8; nth++) lanes = observe(inUse, 1, elapsedMs, lost)
    return lanes
  }

  it('learn nothing from uploads that began with lanes empty, or under another number', () => {
    expect(countAfter(3, 10)).toBe(4)
    for (const inUse of [1, 2, 4]) expect(countAfter(inUse, 10)).toBe(3)
    expect(countAfter(1, 10, true)).toBe(3)
  })

  it('count the losses of one moment as one', () => {
    expect(countAfter(3, 10, true)).toBe(2)
  })

  it('learn nothing from a clock that was set', () => {
    for (const elapsedMs of [0, -5]) expect(countAfter(3, elapsedMs)).toBe(3)
  })

  it('are one to five, whatever happens', () => {
    const sample = fc.record({
      bytes: fc.integer({ min: 1, max: 64 * 1024 * 1024 }),
      elapsedMs: fc.integer({ min: -10, max: 100_000 }),
      lost: fc.boolean(),
      full: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), (samples) => {
        const observe = adaptiveConcurrency()
        let lanes = INITIAL_CONCURRENCY
        for (const { bytes, elapsedMs, lost, full } of samples) {
          lanes = observe(full ? lanes : 1, bytes, elapsedMs, lost)
          expect(lanes).toBeGreaterThanOrEqual(1)
          expect(lanes).toBeLessThanOrEqual(5)
          expect(Number.isInteger(lanes)).toBe(true)
        }
      }),
    )
  })
})
