import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryStore, VARIANTS, type Rude } from '../../../e2e/transports/memory-stores.ts'
import { ODDLY_THERE, REPORTED, type Reported } from '../../../e2e/transports/reported-answers.ts'
import type { VariantName } from '../../../e2e/transports/variants.ts'
import { sampleOf, takesWhole } from '../../../e2e/test-size.ts'
import { TRIAL_FLOOR_MS } from '../../core/waits.ts'
import { createDrain } from '../../engine/drain.ts'
import type { Clock } from '../../ports/platform.ts'
import { cidOf, createWorld, recordSession, sessionIdOf } from '../../testing/world.ts'

// Promises 2, 6 of docs/guarantees.md. The whole engine over each transport, against each answer that public reports and
// documents of servers tell of, for ever: two copies at most before a trial is due, and within two minutes it is stored or
// told; nothing counts that is not there, and once the server is in order all goes up.

afterEach(() => void vi.unstubAllGlobals())

const id = sessionIdOf(1)

/** A recording, and a store of this kind that answers so. */
async function scene(variant: VariantName, rude: Rude, chunks = 1) {
  const world = createWorld()
  const store = memoryStore(variant)
  vi.stubGlobal('fetch', store.fetch)
  await recordSession(world, { chunks })
  store.rude = rude
  const [chunk] = await world.chunks(id)
  const key = cidOf(chunk)
  const sizeBytes = chunk?.sizeBytes ?? 0

  /** A new worker, until it dies. */
  function worker() {
    const { lifetime, ...context } = world.worker()
    const { join } = createDrain({ ...context, transport: store.transport() })
    return {
      async drain(ms: number) {
        void join('message')
        await world.clock.advance(ms)
      },
      die: () => lifetime.die(),
    }
  }
  const status = async () => (await world.statuses(id))[0]
  return {
    world,
    store,
    worker,
    status,
    /** The server is in order again, and another worker drains: how far the chunk is then. */
    async comesBack() {
      store.rude = () => undefined
      const next = worker()
      await next.drain(TWO_MINUTES_MS)
      next.die()
      return status()
    },
    copies: () => store.copies(key, sizeBytes),
    isThere: () => store.stored.get(key)?.length === sizeBytes,
    trouble: async () => (await world.session(id)).trouble?.error,
  }
}

/** `npm test` has every eighth answer, of one of the kinds of store that give it, in turn. */
const EACH_EIGHTH = 8
const cases = ({ title, by, rude }: Reported, at: number) => {
  const taken = at % EACH_EIGHTH === 0 ? [by[(at / EACH_EIGHTH) % by.length]!] : []
  return (takesWhole() ? by : taken).map((variant) => ({ variant, title, rude }))
}

/** A trial sends one copy, or two where the first was refused as if its grant were old: another grant might be taken. */
const MOST_BY_TRIAL = 2
const TWO_MINUTES_MS = 120_000

describe('a store that always answers so gets two copies before the first trial, and is told', () => {
  test.each(REPORTED.flatMap(cases))('$variant: $title', async ({ variant, rude }) => {
    const { store, worker, status, copies, isThere, trouble } = await scene(variant, rude)
    const first = worker()
    await first.drain(TRIAL_FLOOR_MS - 1_000)
    expect(copies()).toBeLessThanOrEqual(2)
    await first.drain(TWO_MINUTES_MS - TRIAL_FLOOR_MS + 1_000)
    first.die()
    const sent = copies()
    expect(sent).toBeLessThanOrEqual(2 + MOST_BY_TRIAL)
    if ((await status()) === 'uploading') {
      const { code, message } = (await trouble())!
      expect(code).not.toBe('defect')
      expect(message).not.toBe('')
    } else expect(isThere()).toBe(true)

    store.rude = () => undefined
    const second = worker()
    for (let look = 0; look < 60 && (await status()) !== 'confirmed'; look += 1)
      await second.drain(TWO_MINUTES_MS)
    second.die()
    expect(await status()).toBe('confirmed')
    expect(isThere()).toBe(true)
    expect(copies()).toBeLessThanOrEqual(sent + 1)
  })
})

describe('what no browser tells from a dead network: an answer to what is sent that CORS hides, or a body that is cut off', () => {
  const hidden: Rude = ({ step }) => (step === 'send' ? 'cut' : undefined)

  test.each(sampleOf(VARIANTS))(
    '%s: is told at once, and costs ever fewer copies where it ends at once what follows a question that was answered',
    async (variant) => {
      const { worker, copies, trouble, comesBack } = await scene(variant, hidden)
      const first = worker()
      await first.drain(5_000)
      expect(await trouble()).toMatchObject({ code: 'unreachable' })
      await first.drain(TWO_MINUTES_MS - 5_000)
      first.die()
      // One before anything is asked, then after 1, 2, 4, 8, 16, 32 and 60 seconds.
      expect(copies()).toBeGreaterThan(2)
      expect(copies()).toBeLessThanOrEqual(1 + 8)
      expect(await comesBack()).toBe('confirmed')
    },
  )

  test.each(sampleOf(VARIANTS))(
    '%s: waits no longer where uploads are cut in their midst',
    async (variant) => {
      const { world, worker, copies, comesBack } = await scene(variant, async ({ step }) => {
        if (step !== 'send') return undefined
        await world.clock.sleep(4_000, new AbortController().signal)
        return 'cut'
      })
      const first = worker()
      await first.drain(TWO_MINUTES_MS)
      first.die()
      // As often as a server that is down is knocked at: each ten seconds at most, by chance.
      expect(copies()).toBeGreaterThan(9)
      expect(await comesBack()).toBe('confirmed')
    },
  )

  test.each(sampleOf(VARIANTS))(
    '%s: costs one copy where it hides what is asked for too',
    async (variant) => {
      const { worker, copies, trouble } = await scene(variant, () => 'cut')
      const first = worker()
      await first.drain(TWO_MINUTES_MS)
      first.die()
      expect(await trouble()).toMatchObject({ code: 'unreachable' })
      expect(copies()).toBeLessThanOrEqual(1)
    },
  )
})

describe('a copy whose answer was lost is not sent again, however oddly the store tells that it is there', () => {
  const all = ODDLY_THERE.flatMap(({ title, by, rude }) => by.map((variant) => ({ variant, title, rude })))

  test.each(all)('$variant: $title', async ({ variant, rude }) => {
    let isLost = false
    const { store, worker, copies, status } = await scene(variant, async (asked, honest) => {
      if (asked.step !== 'send' || isLost) return rude(asked, honest)
      isLost = true
      await honest()
      return 'cut'
    })
    const first = worker()
    await first.drain(TWO_MINUTES_MS)
    first.die()
    expect(copies()).toBe(1)
    store.rude = () => undefined
    const second = worker()
    for (let look = 0; look < 20 && (await status()) !== 'confirmed'; look += 1)
      await second.drain(TWO_MINUTES_MS)
    second.die()
    expect(await status()).toBe('confirmed')
    expect(copies()).toBe(1)
  })
})

describe('a store that shows what it took some seconds later gets one copy of each chunk, and nothing parks', () => {
  const LAG_MS = 3_000

  test.each(
    (['tus-plain', 'put-mute', 'pinata-legacy', 'resumable-mute'] as const).flatMap((variant) =>
      [1, 8].map((chunks) => ({ variant, chunks })),
    ),
  )('$variant, $chunks of them', async ({ variant, chunks }) => {
    // Whatever else the store names it by has this in it.
    const ofAny = (key: string) => key.slice(-40)
    const shownAtMs = new Map<string, number>()
    let clock: Pick<Clock, 'now'> = { now: () => 0 }
    const { world, store, worker } = await scene(
      variant,
      ({ step, key, url }) => {
        if (step === 'send') return void shownAtMs.set(ofAny(key), clock.now() + LAG_MS)
        const isHidden = clock.now() < (shownAtMs.get(ofAny(key)) ?? 0)
        if (!isHidden || (step !== 'ask' && step !== 'read')) return undefined
        return url.pathname.startsWith('/v3/files')
          ? Response.json({ data: { files: null } })
          : new Response(null, { status: 404 })
      },
      chunks,
    )
    clock = world.clock
    const { drain, die } = worker()
    await drain(TWO_MINUTES_MS)
    die()
    for (const chunk of await world.chunks(id)) expect(store.copies(cidOf(chunk), chunk.sizeBytes)).toBe(1)
    expect(new Set(await world.statuses(id))).toEqual(new Set(['confirmed']))
  })
})

describe('a store that asks for a second each time', () => {
  const busy: Rude = ({ step }) =>
    step === 'send' ? new Response(null, { status: 429, headers: { 'retry-after': '1' } }) : undefined

  test.each(sampleOf(VARIANTS).flatMap((variant) => [1, 20].map((chunks) => ({ variant, chunks }))))(
    '$variant: is asked ever more rarely, by $chunks at once',
    async ({ variant, chunks }) => {
      const { world, store, worker } = await scene(variant, busy, chunks)
      const { drain, die } = worker()
      await drain(TWO_MINUTES_MS)
      die()
      let copies = 0
      for (const chunk of await world.chunks(id)) copies += store.copies(cidOf(chunk), chunk.sizeBytes)
      // In three lanes, then after 1, 2, 4, 8, 16 and 32 seconds.
      expect(copies).toBeLessThanOrEqual(3 + 6)
      // And not given up.
      expect(copies).toBeGreaterThan(3)
    },
  )
})
