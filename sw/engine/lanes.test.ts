import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import type { ChunkRecord } from '../core/record.ts'
import { aChunk, SEAL } from '../testing/records.ts'
import { sessionIdOf } from '../testing/world.ts'
import { createLanes } from './lanes.ts'

/** Lanes, and uploads that a test ends. */
function world() {
  const clock = { nowMs: 0 }
  const lanes = createLanes(() => clock.nowMs)
  const begun: number[] = []
  const over: number[] = []
  const ends = new Map<number, (code?: ErrorCode) => void>()
  const chunk: ChunkRecord = aChunk(0, { status: 'uploading', seal: SEAL })
  const upload = (number: number, sessionId = sessionIdOf(1)) =>
    lanes
      .upload({ ...chunk, sessionId }, async (inLane) => {
        try {
          await inLane(() => {
            begun.push(number)
            return new Promise<void>((resolve, reject) =>
              ends.set(number, (code) => (code ? reject(new Error(code)) : resolve())),
            )
          })
          return undefined
        } catch (error) {
          return (error as Error).message as ErrorCode
        }
      })
      .finally(() => over.push(number))
  const end = async (number: number, code?: ErrorCode) => {
    ends.get(number)?.(code)
    for (let turns = 0; turns < 20; turns++) await Promise.resolve()
  }
  return { clock, lanes, begun, over, upload, end }
}

describe('uploads that are ready', () => {
  it('go as many at once as the network bears, in their order', async () => {
    const { lanes, begun, upload, end } = world()
    lanes.allow(3, Infinity)
    for (let number = 0; number < 6; number++) void upload(number)
    await end(-1)
    expect(begun).toEqual([0, 1, 2])
    await end(1)
    expect(begun).toEqual([0, 1, 2, 3])
  })

  it('are turned away once one has failed, and none begins before the next look', async () => {
    const { lanes, begun, over, upload, end } = world()
    lanes.allow(3, Infinity)
    for (let number = 0; number < 6; number++) void upload(number)
    await end(-1)
    await end(0, 'unreachable')
    expect(over.toSorted()).toEqual([0, 3, 4, 5])
    void upload(6)
    await end(1)
    expect(begun).toEqual([0, 1, 2])
    lanes.allow(1, Infinity)
    expect(begun, 'one is under way still').toEqual([0, 1, 2])
    await end(2)
    expect(begun).toEqual([0, 1, 2, 6])
  })

  it('are let in by no look that did not know of a failure', async () => {
    const { lanes, begun, upload, end } = world()
    lanes.allow(3, Infinity)
    for (let number = 0; number < 3; number++) void upload(number)
    await end(-1)
    const before = lanes.failures()
    await end(0, 'throttled')
    void upload(3)
    lanes.allow(3, Infinity, [], before)
    await end(1)
    await end(2)
    expect(begun).toEqual([0, 1, 2])
    lanes.allow(3, Infinity, [], lanes.failures())
    await end(-1)
    expect(begun).toEqual([0, 1, 2, 3])
  })

  it('are turned away where nothing may leave, and none begins after the end', async () => {
    const { clock, lanes, begun, over, upload, end } = world()
    lanes.allow(3, 1_000)
    for (let number = 0; number < 5; number++) void upload(number)
    await end(-1)
    clock.nowMs = 1_000
    await end(0)
    expect(begun).toEqual([0, 1, 2])
    expect(over.toSorted()).toEqual([0, 3, 4])
    // One that was still being made ready when the drain ended.
    void upload(5)
    await end(-1)
    expect(over).toContain(5)
    lanes.allow(3, Infinity)
    void upload(6)
    void upload(7)
    await end(-1)
    lanes.allow(0, Infinity)
    await end(-1)
    expect(over).toContain(7)
  })

  it('of a session of which nothing is heard leave the lane to those of others, as of the next look', async () => {
    const { lanes, begun, over, upload, end } = world()
    lanes.allow(3, Infinity)
    for (let number = 0; number < 5; number++) void upload(number)
    void upload(5, sessionIdOf(2))
    void upload(6, sessionIdOf(2))
    await end(-1)
    expect(begun).toEqual([0, 1, 2])
    lanes.allow(4, Infinity, [sessionIdOf(1)])
    await end(-1)
    expect(over).toEqual([3, 4])
    expect(begun, 'one more, not two').toEqual([0, 1, 2, 5])
    lanes.allow(4, Infinity, [sessionIdOf(1)])
    await end(5)
    expect(begun).toEqual([0, 1, 2, 5, 6])
    lanes.allow(3, Infinity)
    await end(0)
    await end(1)
    void upload(7)
    await end(-1)
    expect(begun, 'they are heard again').toEqual([0, 1, 2, 5, 6, 7])
  })
})
