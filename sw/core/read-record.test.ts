import { describe, expect, it } from 'vitest'
import { readChunk, readSession } from './read-record.ts'
import { stepsDueMs, workRemains } from './plan.ts'
import { isSettled, recount } from './session.ts'
import { trialOf } from './retry-policy.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { NEW_EFFORT } from './effort.ts'
import type { ChunkRecord } from './record.ts'
import { sessionTransition } from './session-machine.ts'
import { sessionView } from './view.ts'
import { aChunk, aSession, SEAL as seal } from '../testing/records.ts'

const session = aSession(1_000)
const chunk = aChunk(0, { status: 'captured' }, { retryCount: 2 })

/** A record without some of its fields, as a version wrote it that did not know them. */
const without = <T extends object>(record: T, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name))) as T

describe('a record of this version', () => {
  it('is read as it is', () => {
    expect(readSession(session)).toEqual(session)
    expect(readChunk(chunk)).toEqual(chunk)
  })
})

describe('a record of another version', () => {
  it('that counts one status fewer settles all the same', () => {
    const stored = { ...session, ending: 'complete' as const, tally: without(session.tally, 'anchoring') }
    const read = readSession(stored)
    expect(read.tally.anchoring).toBe(0)
    expect(isSettled(read)).toBe(true)
  })

  it.each(['listed', 'witnessing', 'ending'])('that lacks %s breaks no look at it', (name) => {
    const read = readSession(without({ ...session, size: 3 }, name))
    expect(Object.keys(stepsDueMs(read))).toContain('listing')
    expect(workRemains(read)).toBe(true)
  })

  it.each(['totalBytes', 'storedBytes', 'totalMs', 'storedMs', 'localBytes', 'parked'])(
    'that lacks %s makes no NaN',
    (name) => {
      const read = readSession(without(session, name))
      const added = readChunk(chunk)
      const counted = recount(read, undefined, added)
      expect(counted).toEqual(recount(session, undefined, added))
    },
  )

  it('that lacks how often a chunk has failed has failed never', () => {
    expect(readChunk(without(chunk, 'retryCount'))).toEqual({
      ...chunk,
      retryCount: 0,
    })
  })

  it('that lacks how a chunk is tried is tried', () => {
    expect(readChunk(without(chunk, 'effort')).effort).toEqual(NEW_EFFORT)
  })

  it('that lacks even how far a chunk is breaks nothing that looks at it', () => {
    expect(readChunk(without(chunk, 'state'))).toMatchObject({ state: { status: 'captured' } })
  })

  it('that a later version calls otherwise is of a chunk that is to be sent', () => {
    const stored = { ...chunk, state: { status: 'checking', seal } } as unknown as ChunkRecord
    expect(readChunk(stored)).toMatchObject({ state: { status: 'uploading', seal }, effort: chunk.effort })
  })

  it.each(['manifesting', 'anchoring'])(
    'that stored a proved chunk as %s is of one that is uploaded',
    (status) => {
      const proved = aChunk(0, { status: 'uploaded', seal, uploadedAtMs: 5 })
      const stored = { ...proved, state: { ...proved.state, status } } as ChunkRecord
      expect(readChunk(stored)).toEqual(proved)
      const confirmed = aChunk(0, { status: 'confirmed', seal, uploadedAtMs: 5, confirmedAtMs: 6 })
      expect(readChunk(confirmed)).toEqual(confirmed)
    },
  )

  it.each(['name', 'access', 'tally', 'size', 'startedAtMs'])(
    'that lacks %s is set apart and told, and never settles',
    (name) => {
      const ended = { ...session, ending: 'complete' as const, logEnd: 'complete' as const, size: 2 }
      for (const stored of [without(ended, name), { ...ended, [name]: undefined }]) {
        const read = readSession(stored)
        expect(read).toMatchObject({ damaged: true, paused: true })
        expect(stepsDueMs(read)).toEqual({})
        expect(isSettled(read)).toBe(false)
        expect(sessionView(read, { bytesOf: () => 0, bytesPerSecond: () => 0 })).toMatchObject({
          paused: true,
          upload: 'publishing',
          lastError: { code: 'defect' },
        })
        // Also once something was written, and whatever a person asks for.
        const resumed = sessionTransition(
          read,
          [],
          { type: 'resumed', byPerson: true },
          { nowMs: 2_000, random: 0 },
        )
        expect(readSession(resumed!.session)).toMatchObject({ damaged: true, paused: true })
      }
    },
  )

  it('with an error code that is not known any more is a refusal, which is tried again', () => {
    expect(trialOf({ code: 'was-once' as ErrorCode, message: 'why' })).toBe('refusal')
  })
})
