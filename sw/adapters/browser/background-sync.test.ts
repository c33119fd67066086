import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { REGISTER_INTERVAL_MS } from '../../core/sync-schedule.ts'
import type { CreateWake, Wake } from '../../ports/platform.ts'
import { createWorld, recordSession } from '../../testing/world.ts'
import { systemClock } from './system-clock.ts'

const BASE_TAG = 'workbox-background-sync:holdfast'

describe.each(['backgroundSync', 'workboxSync'])('the last chance, by %s', (name) => {
  /** What the browser lists. */
  const tags = new Set<string>()

  beforeEach(() => {
    tags.clear()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) })
    vi.stubEnv('NODE_ENV', 'production')
    vi.stubGlobal('self', {
      addEventListener: () => undefined,
      clients: { matchAll: async () => [] },
      registration: {
        sync: { getTags: async () => [...tags], register: async (tag: string) => void tags.add(tag) },
      },
    })
    vi.resetModules()
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllEnvs()
    vi.unstubAllGlobals()
  })

  /** The wakes of a new worker, which has asked for its tags; workbox looks at the worker when it is loaded. */
  async function armed() {
    const { backgroundSync } = await import('./background-sync')
    const { workboxSync } = await import('../../workbox')
    const { atLast } = await import('./last-chance')
    const create: CreateWake = name === 'workboxSync' ? workboxSync : (clock) => backgroundSync(clock)
    const clock = systemClock()
    const wake = create(clock, async () => undefined)
    await wake.arm()
    const world = createWorld()
    await recordSession(world, { chunks: 1 })
    let told = 0
    const lastChance = atLast(async (recordings) => void (told += recordings))
    /** Whether somebody is told now that this tag's last attempt has ended. */
    const isLast = async (tag: string) => {
      const before = told
      await lastChance({ ...world.worker(), wake, clock }, tag)
      return told > before
    }
    return { wake, isLast, log: () => world.disk.read((tx) => tx.log(Infinity)) }
  }

  it('is that of the last tag that is out, though the browser still lists the others', async () => {
    const { isLast, log } = await armed()
    expect(tags).toContain(BASE_TAG)
    const last = [...tags].at(-1)
    for (const tag of tags) expect(await isLast(tag), tag).toBe(tag === last)
    expect((await log()).filter(({ event }) => event === 'last-chance')).toHaveLength(1)
  })

  it('is not there while the base tag is out again, which was spent before', async () => {
    const { wake, isLast } = await armed()
    await isLast(BASE_TAG)
    tags.clear()
    vi.setSystemTime(Date.now() + REGISTER_INTERVAL_MS)
    await wake.arm()
    const scheduled = [...tags].filter((tag) => tag !== BASE_TAG)
    for (const tag of scheduled) expect(await isLast(tag), tag).toBe(false)
    expect(await isLast(BASE_TAG)).toBe(true)
  })
})

it('a workbox queue drains at the start where Background Sync is missing, but only once its caller has it', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  vi.stubGlobal('self', { addEventListener: () => undefined, registration: {} })
  vi.resetModules()
  const { workboxSync } = await import('../../workbox')
  const seen = await new Promise<Wake>((resolve) => {
    // What it is given may need what it returns, as the engine does.
    const wake: Wake = workboxSync(systemClock(), async () => resolve(wake))
  })
  expect(seen.arm).toBeTypeOf('function')
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})
