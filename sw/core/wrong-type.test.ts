import { describe, expect, it } from 'vitest'
import { NEW_EFFORT } from './effort.ts'
import { finding } from './finding.ts'
import { CLOSED } from './circuit.ts'
import { stepsDueMs, workRemains } from './plan.ts'
import { readChunk, readSession } from './read-record.ts'
import type { ChunkRecord, SessionRecord } from './record.ts'
import { chunksNeeded, sessionTransition, type SessionEvent } from './session-machine.ts'
import { isSettled, recount } from './session.ts'
import { chunkView, sessionView } from './view.ts'
import { isLookDue } from './watching.ts'
import { aChunk, aListing, anchoredAt, aSession, listedUpTo, SEAL as seal } from '../testing/records.ts'

// Whatever a disk, or a script of the origin, has put in the place of something: nothing that is asked of all sessions at
// once may fail for one of them. Promises 1, 5 of docs/guarantees.md.

const failure = { code: 'rejected-by-store', message: 'Why.', retryAfterMs: 0 } as const
const trial = { failures: 1, retryAtMs: 1_500, setAtMs: 1_000 }
const idle = { bytesOf: () => 0, bytesPerSecond: () => 0 }
const now = { nowMs: 2_000, random: 0.5 }

const uploading = aChunk(0, { status: 'uploading', seal }, { position: 1, due: [0, 1_000, 0] })
const proved = aChunk(
  1,
  { status: 'uploaded', seal, uploadedAtMs: 1_500 },
  { position: 2, proved: [uploading.sessionId, 2] },
)
const captured = aChunk(2, { status: 'captured' }, { due: [-1, 0, 1_000, 2] })

/** A session that has all fields, with its chunks. */
const session: SessionRecord = [uploading, proved, captured].reduce(
  (counted: SessionRecord, chunk) => recount(counted, undefined, chunk),
  aSession(1_000, {
    size: 4,
    notes: 1,
    listed: { ...listedUpTo(2), full: listedUpTo(1) },
    listing: aListing(2, 3),
    expired: [{ from: 0, to: 2 }],
    anchored: anchoredAt(1),
    completion: NEW_EFFORT,
    trouble: { error: failure, sinceMs: 1_000, retryAtMs: 5_000 },
    trials: { 'sign-in': trial, refusal: trial },
    paging: NEW_EFFORT,
    endedAtMs: 1_800,
    indexes: 3,
    lost: 0,
    refused: 1,
    heldBack: false,
    resumedAtMs: 1_000,
    stores: ['one'],
    atLeast: 1,
    labels: {},
    logEnd: 'interrupted',
    identity: 'here',
    fingerprint: uploading.plaintextHash,
    continues: aSession(0).name,
    damaged: undefined,
    open: 1_000,
  }),
)

const VALUES: readonly (readonly [string, unknown])[] = [
  ['missing', undefined],
  ['null', null],
  ['a string', 'x'],
  ['a number', 7],
  ['NaN', NaN],
  ['an object', {}],
  ['a list', []],
  ['an object of nothing', { error: null, tree: null, refusal: null }],
]

const EVENTS: readonly SessionEvent[] = [
  { type: 'chunk', id: uploading.id, event: { type: 'stored' } },
  { type: 'chunk', id: uploading.id, event: { type: 'failed', failure } },
  { type: 'session-ended', ending: 'complete', indexes: 3 },
  { type: 'paused' },
  { type: 'resumed', byPerson: true },
  { type: 'must-wait', error: failure, untilMs: 9_000 },
  { type: 'held-back' },
  { type: 'recounted' },
  { type: 'trial-due', of: 'refusal', mayLeave: 'all' },
  { type: 'hoped', of: ['sign-in', 'refusal'] },
  { type: 'listing', of: session.listing, event: { type: 'failed', failure } },
  { type: 'witness', event: { type: 'failed', failure } },
  { type: 'anchor-confirmed', anchored: anchoredAt(3) },
  { type: 'completion', event: { type: 'told', size: 3 } },
]

/** Whatever is asked of every session at once. */
function look(read: SessionRecord, chunks: readonly ChunkRecord[]) {
  const steps = Object.values(stepsDueMs(read, now.nowMs)).filter((atMs) => Number.isNaN(atMs))
  finding(read, 'here', { listing: CLOSED, witness: CLOSED }, now.nowMs)
  isLookDue(read, now.nowMs)
  return { steps, view: sessionView(read, idle), chunks: chunks.map((one) => chunkView(one, read, idle)) }
}

/** Whatever may happen to it, as the disk keeps it then. */
function through(read: SessionRecord, chunks: readonly ChunkRecord[]) {
  for (const event of EVENTS) {
    const needed = chunksNeeded(event)
    const given = chunks.filter(({ id }) => needed === 'all' || needed === id || typeof needed === 'object')
    const after = sessionTransition(read, given, event, now)
    if (after) look(readSession(after.session), after.chunks.map(readChunk))
  }
}

const sane = [uploading, proved, captured]

describe.each(VALUES)('%s in the place of a field', (_what, value) => {
  it.each(Object.keys(session).filter((name) => name !== 'id'))(
    'of a session, %s, breaks no look at it; it goes on, or is set apart and told',
    (name) => {
      const read = readSession({ ...session, [name]: value })
      expect(readSession(read)).toEqual(read)
      const { steps, view } = look(read, sane)
      expect(steps).toEqual([])
      expect(Object.values(view.chunks).concat(view.localBytes, view.missing, view.parked)).not.toContain(NaN)
      through(read, sane)
      if (read.damaged) {
        expect(view).toMatchObject({ paused: true, lastError: { code: 'defect' } })
        expect(isSettled(read)).toBe(false)
      } else expect(workRemains({ ...read, paused: false })).toBe(true)
    },
  )

  it.each(
    sane.flatMap((chunk, at) =>
      Object.keys(chunk)
        // By these it is found: one that has another's is another.
        .filter((name) => !['id', 'sessionId', 'index'].includes(name) || typeof value === 'object')
        .filter((name) => name !== 'id')
        .map((name) => [name, at] as const),
    ),
  )('of a chunk, %s, breaks no look at it (%i)', (name, at) => {
    const chunk = sane[at]!
    const read = readChunk({ ...chunk, [name]: value })
    expect(readChunk(read)).toEqual(read)
    expect(read).toMatchObject({ id: chunk.id, sessionId: chunk.sessionId, index: chunk.index })
    const { totalBytes, storedBytes, totalMs, parked } = recount(session, undefined, read)
    expect([totalBytes, storedBytes, totalMs, parked]).not.toContain(NaN)
    look(session, [read])
    if (!read.damaged) through(session, [read])
  })
})

it('a record that has all fields is read as it is', () => {
  expect(readSession(session)).toEqual(session)
  for (const chunk of sane) expect(readChunk(chunk)).toEqual(chunk)
})

it('a person’s pause stays one, and a worker’s that goes elsewhere', () => {
  expect(readSession({ ...session, paused: 'elsewhere' })).toMatchObject({ paused: 'elsewhere' })
  expect(readSession({ ...session, paused: true }).damaged).toBeUndefined()
})
