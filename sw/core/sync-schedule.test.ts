import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  endsEarly,
  isScheduledTag,
  attemptCanEndEarly,
  planSyncTags,
  TAG_INTERVAL_MS,
  type WakeHolder,
} from './sync-schedule.ts'

const NOW_MS = 1_770_000_000_000

/** Chromium's rules as measured: three attempts, 5 and 15 minutes after the end of the one before. */
const ATTEMPTS = 3
const FIRST_WAIT_MS = 300_000
const WAIT_FACTOR = 3
const SYNC_MS = 165_000
const MESSAGE_MS = 270_000
const HELLO_EVERY_MS = 20_000
const STEP_MS = 1_000

interface Tag {
  attempt: number
  firing: boolean
  dueMs: number
}

interface History {
  /** When pages open and close, ms from the start: open from even to odd places. */
  readonly visits: readonly number[]
  readonly lengthMs: number
  readonly startMs?: number
  /** Only one tag, registered once. */
  readonly plain?: boolean
}

interface Seen {
  /** Seconds, from the start, in which something held the worker. */
  readonly held: readonly boolean[]
  /** Seconds in which a `sync` event ran: a browser that is killed then fires it again at its start. */
  readonly firing: readonly boolean[]
  readonly registered: readonly { readonly tag: string; readonly atMs: number; readonly out: boolean }[]
  readonly mostTags: number
}

/** Runs a browser by these rules against the plan, second by second, with work that never ends. */
function simulate({ visits, lengthMs, startMs = NOW_MS, plain = false }: History): Seen {
  const tags = new Map<string, Tag>()
  const holders = new Map<string, WakeHolder>()
  const held: boolean[] = []
  const firing: boolean[] = []
  const registered: { tag: string; atMs: number; out: boolean }[] = []
  let [helloAtMs, mostTags] = [0, 0]

  for (let atMs = 0; atMs < lengthMs; atMs += STEP_MS) {
    const nowMs = startMs + atMs
    const page = visits.filter((visit) => visit <= atMs).length % 2 === 1
    if (page && atMs >= helloAtMs) {
      holders.set('message', { untilMs: nowMs + MESSAGE_MS, canEndEarly: false })
      helloAtMs = atMs + HELLO_EVERY_MS
    }
    for (const [name, tag] of tags) {
      if (tag.firing || tag.dueMs > nowMs) continue
      tag.firing = true
      tag.attempt += 1
      const canEndEarly = attemptCanEndEarly(name, tag.attempt === ATTEMPTS, nowMs)
      holders.set(name, { untilMs: nowMs + SYNC_MS, canEndEarly })
    }
    for (const [name, holder] of holders) {
      if (holder.untilMs > nowMs && !endsEarly(holder, holders.values())) continue
      holders.delete(name)
      const tag = tags.get(name)
      if (tag === undefined) continue
      tag.firing = false
      tag.dueMs = nowMs + FIRST_WAIT_MS * WAIT_FACTOR ** (tag.attempt - 1)
      if (tag.attempt === ATTEMPTS) tags.delete(name)
    }
    if (holders.size > 0 && page) {
      const scheduled = planSyncTags([...tags.keys()], nowMs)
      const wanted = plain ? (registered.length === 0 ? ['plain'] : []) : scheduled
      for (const tag of wanted) {
        registered.push({ tag, atMs, out: tags.has(tag) })
        tags.set(tag, { attempt: 0, firing: false, dueMs: nowMs })
      }
    }
    mostTags = Math.max(mostTags, tags.size)
    held.push(holders.size > 0)
    firing.push([...tags.values()].some((tag) => tag.firing))
  }
  return { held, firing, registered, mostTags }
}

/** Seconds of work within the first 25 minutes after a page that was open for so long has died. */
function secondsAfter(openMs: number, options: Partial<History> = {}): number {
  const { held } = simulate({ visits: [0, openMs], lengthMs: openMs + 1_500_000, ...options })
  return held.slice(openMs / 1000).filter(Boolean).length
}

const openMs = fc.integer({ min: 30, max: 2_400 }).map((seconds) => seconds * 1000)
const startMs = fc.integer({ min: 0, max: 240 }).map((seconds) => NOW_MS + seconds * 1000)

describe('the schedule, in a browser that keeps Chromium’s rules', () => {
  // Promise 9 of docs/guarantees.md.
  test('gives 15 minutes of work in the first 25 after the death of any page that was open for half a minute', () => {
    fc.assert(
      fc.property(openMs, startMs, (open, start) => {
        expect(secondsAfter(open, { startMs: start })).toBeGreaterThanOrEqual(15 * 60)
      }),
      { numRuns: 60 },
    )
  })

  test('gives 18 minutes after 5 minutes, where one tag gives under 9', () => {
    expect(secondsAfter(300_000)).toBeGreaterThanOrEqual(18 * 60)
    expect(secondsAfter(300_000, { plain: true })).toBeLessThan(9 * 60)
  })

  test('leaves no gap over 15 minutes until 27 minutes after the death', () => {
    fc.assert(
      fc.property(openMs, startMs, (open, start) => {
        const { held } = simulate({ visits: [0, open], lengthMs: open + 1_560_000, startMs: start })
        const gaps = held.slice(open / 1000).reduce(
          ({ longest, now }, busy) => {
            const gap = busy ? 0 : now + 1
            return { longest: Math.max(longest, gap), now: gap }
          },
          { longest: 0, now: 0 },
        )
        expect(gaps.longest).toBeLessThan(15 * 60)
      }),
      { numRuns: 40 },
    )
  })

  test('keeps an event running at any time while a page is open, so that a killed browser goes on at its start', () => {
    const { firing } = simulate({ visits: [0, 3_600_000], lengthMs: 3_600_000 })
    expect(firing.slice(1).indexOf(false)).toBe(-1)
  })

  const history = fc
    .array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 12 })
    .map((lengths) => {
      let atMs = 0
      return lengths.map((seconds) => (atMs += seconds * 1000))
    })

  // Promise 9 of docs/guarantees.md.
  test('over any history of visits: no tag twice, never a busy loop, few tags out', () => {
    fc.assert(
      fc.property(history, startMs, (visits, start) => {
        const { registered, mostTags } = simulate({ visits, lengthMs: 5_400_000, startMs: start })
        expect(new Set(registered.map(({ tag }) => tag)).size).toBe(registered.length)
        for (const { atMs, out } of registered) {
          expect(out).toBe(false)
          const within = registered.filter((other) => Math.abs(other.atMs - atMs) < TAG_INTERVAL_MS / 2)
          // One of each kind, and one more where those before run out right after it.
          expect(within.length).toBeLessThanOrEqual(5)
        }
        expect(mostTags).toBeLessThan(40)
      }),
      { numRuns: 40 },
    )
  })
})

describe('planWakes', () => {
  const scheduled = (atMs: number) => planSyncTags([], atMs)

  test('starts with one tag of each kind, then adds one a minute', () => {
    const first = scheduled(NOW_MS)
    expect(first).toHaveLength(4)
    const soon = planSyncTags(first, NOW_MS + 1_000)
    expect(soon).toEqual([])
    expect(planSyncTags(first, NOW_MS + TAG_INTERVAL_MS)).toHaveLength(1)
  })

  test('knows its own tags among others’', () => {
    expect(scheduled(NOW_MS).every(isScheduledTag)).toBe(true)
    const foreign = ['workbox-background-sync:holdfast', 'theirs:1', 'theirs:2', 'theirs:3', 'theirs:4']
    expect(planSyncTags(foreign, NOW_MS)).toHaveLength(4)
  })

  test('goes on after the clock was set back, by an hour or by a year', () => {
    for (const backMs of [3_600_000, 31_536_000_000])
      expect(planSyncTags(scheduled(NOW_MS), NOW_MS - backMs)).toHaveLength(1)
  })

  test('adds one a minute then, too, and not one each time that it is asked', () => {
    const tags = scheduled(NOW_MS)
    for (let ms = 0; ms < 5 * TAG_INTERVAL_MS; ms += 2_000)
      tags.push(...planSyncTags(tags, NOW_MS - 3_600_000 + ms))
    expect(tags).toHaveLength(4 + 5)
  })
})

describe('giving way', () => {
  const lasting = (untilMs: number, canEndEarly = false): WakeHolder => ({ untilMs, canEndEarly })

  test('never in the last attempt, nor for a tag that is not of the schedule', () => {
    for (const tag of planSyncTags([], NOW_MS)) expect(attemptCanEndEarly(tag, true, NOW_MS)).toBe(false)
    expect(attemptCanEndEarly('workbox-background-sync:holdfast', false, NOW_MS)).toBe(false)
  })

  test('each of the four kinds gives way in other attempts', () => {
    const tags = planSyncTags([], NOW_MS)
    const ways = tags.map((tag) =>
      [NOW_MS, NOW_MS + 300_000].map((atMs) => attemptCanEndEarly(tag, false, atMs)),
    )
    expect(ways).toEqual([
      [true, true],
      [false, true],
      [true, false],
      [false, false],
    ])
  })

  test('only to another that lasts longer, and to one that began together but stays', () => {
    const own = lasting(NOW_MS, true)
    expect(endsEarly(own, [own])).toBe(false)
    expect(endsEarly(own, [own, lasting(NOW_MS - 1_000)])).toBe(true)
    expect(endsEarly(own, [own, lasting(NOW_MS - 10_000)])).toBe(false)
    expect(endsEarly(own, [own, lasting(NOW_MS + 1, true)])).toBe(true)
    expect(endsEarly(lasting(NOW_MS), [lasting(NOW_MS + 1)])).toBe(false)
  })

  test('of any events, one at least stays', () => {
    const holder = fc.record({ untilMs: fc.integer({ min: 0, max: 20_000 }), canEndEarly: fc.boolean() })
    fc.assert(
      fc.property(fc.array(holder, { minLength: 1, maxLength: 8 }), (holders) => {
        expect(holders.some((one) => !endsEarly(one, holders))).toBe(true)
      }),
    )
  })
})
