import { describe, expect, it } from 'vitest'
import { chunkIdOf } from '../../src/protocol/ids.ts'
import { createProgress } from './progress.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { sessionIdOf } from '../testing/world.ts'

const id = sessionIdOf(1)
const MB = 1_000_000

/** Uploads that take time on a virtual clock. */
function world() {
  const clock = virtualClock()
  /** By how much the time of day is off. */
  const off = { ms: 0 }
  const progress = createProgress({ ...clock, now: () => clock.now() + off.ms })
  /** Sends one chunk of 1 MB in parts, each in this time. */
  const send = (index: number, partMs: number, parts = 4) =>
    progress.during(chunkIdOf(id, index), async () => {
      for (let part = 1; part <= parts; part++) {
        await clock.after(partMs)
        progress.reached(chunkIdOf(id, index), (MB * part) / parts, true)
      }
    })
  return { clock, off, progress, send }
}

describe('bytes of uploads under way', () => {
  it('are those of the session, and of each chunk alone', () => {
    const { progress } = world()
    progress.reached(chunkIdOf(id, 1), 10, true)
    progress.reached(chunkIdOf(id, 10), 200, true)
    progress.reached(chunkIdOf(sessionIdOf(2), 1), 3_000, true)
    expect(progress.bytesOf(id)).toBe(210)
    expect(progress.bytesOf(chunkIdOf(id, 1))).toBe(10)
    expect(progress.bytesOf(chunkIdOf(id, 0))).toBe(0)
  })

  it('are over with the upload, and stay where it failed', async () => {
    const { clock, progress, send } = world()
    const sent = send(0, 1_000)
    await clock.advance(2_500)
    expect(progress.bytesOf(id)).toBe(MB / 2)
    await clock.runUntil(sent)
    expect(progress.bytesOf(id)).toBe(0)
    const failed = progress.during(chunkIdOf(id, 1), async () => {
      progress.reached(chunkIdOf(id, 1), 7, true)
      throw new Error('The connection is cut')
    })
    await expect(failed).rejects.toThrow('cut')
    expect(progress.bytesOf(id)).toBe(7)
  })

  it('stay while the upload waits for its next attempt, and follow what the store says then', () => {
    const { progress } = world()
    progress.reached(chunkIdOf(id, 0), 500, true)
    expect(progress.bytesOf(id)).toBe(500)
    progress.reached(chunkIdOf(id, 0), 300, false)
    expect(progress.bytesOf(id)).toBe(300)
  })
})

describe('the rate', () => {
  it('is not known any more after a failure: nobody is told of seconds left while nothing moves', async () => {
    const { clock, progress, send } = world()
    await clock.runUntil(send(0, 1_000))
    expect(progress.bytesPerSecond()).toBeGreaterThan(0)
    await expect(progress.during(chunkIdOf(id, 1), () => Promise.reject(new Error('Cut')))).rejects.toThrow()
    expect(progress.bytesPerSecond()).toBe(0)
    await clock.runUntil(send(1, 2_000))
    expect(progress.bytesPerSecond()).toBe(MB / 8)
  })

  it('is not known before anything arrived', async () => {
    const { clock, progress, send } = world()
    expect(progress.bytesPerSecond()).toBe(0)
    const sent = send(0, 2_000)
    await clock.advance(1_000)
    expect(progress.bytesPerSecond()).toBe(0)
    await clock.runUntil(sent)
    expect(progress.bytesPerSecond()).toBe(MB / 8)
  })

  it('is that of all lanes together', async () => {
    const { clock, progress, send } = world()
    await clock.runUntil(Promise.all([send(0, 2_000), send(1, 2_000), send(2, 2_000)]))
    expect(progress.bytesPerSecond()).toBeGreaterThan((2.9 * MB) / 8)
    // What arrives in one moment fades in it, too.
    expect(progress.bytesPerSecond()).toBeLessThan((3 * MB) / 8 / 0.9 ** 2)
  })

  it('is the same, to whatever time the clock is set meanwhile', async () => {
    for (const byMs of [-86_400_000, 86_400_000]) {
      const { clock, off, progress, send } = world()
      const sent = send(0, 1_000)
      await clock.advance(1_500)
      off.ms = byMs
      await clock.runUntil(sent)
      expect(progress.bytesPerSecond()).toBe(MB / 4)
    }
  })

  it('follows the link', async () => {
    const { clock, progress, send } = world()
    await clock.runUntil(send(0, 100))
    expect(progress.bytesPerSecond()).toBeCloseTo(2.5 * MB, -1)
    for (let index = 1; index <= 10; index++) await clock.runUntil(send(index, 1_000))
    expect(progress.bytesPerSecond()).toBeGreaterThan(0.24 * MB)
    expect(progress.bytesPerSecond()).toBeLessThan(0.27 * MB)
  })

  it('counts neither the time in which nothing was to be sent, nor what the store had already', async () => {
    const { clock, progress, send } = world()
    await clock.runUntil(send(0, 1_000))
    await clock.advance(50_000)
    progress.reached(chunkIdOf(id, 1), 5 * MB, false)
    await clock.runUntil(send(2, 1_000))
    expect(progress.bytesPerSecond()).toBe(MB / 4)
  })

  it('is not known any more when nothing moved for a minute', async () => {
    const { clock, progress, send } = world()
    await clock.runUntil(send(0, 1_000))
    await clock.advance(59_000)
    expect(progress.bytesPerSecond()).toBe(MB / 4)
    await clock.advance(1_000)
    expect(progress.bytesPerSecond()).toBe(0)
    const sent = send(1, 8_000, 1)
    await clock.advance(1_000)
    expect(progress.bytesPerSecond()).toBe(0)
    await clock.runUntil(sent)
    expect(progress.bytesPerSecond()).toBe(MB / 8)
  })
})
