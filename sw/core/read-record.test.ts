import { describe, expect, it } from 'vitest'
import { chunkIdOf, type SessionId } from '../../src/protocol/ids.ts'
import { readChunk, readSession } from './read-record.ts'
import { isSettled, newSession, recount } from './session.ts'

const sessionId = '00000000-0000-4000-8000-000000000001' as SessionId
const session = newSession({ sessionId, mimeType: 'video/webm', startedAtMs: 1_000, access: [] })
const chunk = {
  id: chunkIdOf(sessionId, 0),
  sessionId,
  index: 0,
  plaintextHash: 'a'.repeat(64),
  capturedAt: 1,
  durationMs: 1,
  sizeBytes: 10,
  state: { status: 'captured', wait: { kind: 'due', notBeforeMs: 0 } },
  retryCount: 2,
  failures: 1,
}

/** A record without some of its fields, as a version wrote it that did not know them. */
const without = (record: object, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)))

describe('a record of this version', () => {
  it('is read as it is', () => {
    expect(readSession(session)).toEqual(session)
    expect(readChunk(chunk)).toEqual(chunk)
    expect(readSession(undefined)).toBeUndefined()
  })
})

describe('a record of another version', () => {
  it('that counts one status fewer settles all the same', () => {
    const stored = { ...session, ending: 'complete', tally: without(session.tally, 'anchoring') }
    const read = readSession(stored)
    expect(read?.tally.anchoring).toBe(0)
    expect(read && isSettled(read)).toBe(true)
  })

  it.each(['totalBytes', 'storedBytes', 'localBytes', 'parked', 'tally'])(
    'that lacks %s makes no NaN',
    (name) => {
      const read = readSession(without(session, name))
      const added = readChunk(chunk)
      const counted = read && recount(read, undefined, added)
      expect(counted).toEqual(recount(session, undefined, added))
    },
  )

  it('that lacks a chunk’s counts has none', () => {
    expect(readChunk(without(chunk, 'retryCount', 'failures'))).toEqual({
      ...chunk,
      retryCount: 0,
      failures: 0,
    })
  })

  it('with an error code that is not known any more is a defect, in its own words', () => {
    const gone = { code: 'was-once', message: 'why' }
    const known = { code: 'defect', message: 'why' }
    expect(readChunk({ ...chunk, lastError: gone })?.lastError).toEqual(known)
    const publication = { stage: 'anchoring', lastError: gone }
    const read = readSession({ ...session, trouble: { error: gone }, publication })
    expect(read?.trouble).toEqual({ error: known, sinceMs: 1_000 })
    expect(read?.publication?.lastError).toEqual(known)
  })
})
