import { describe, expect, it, test } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { chunkIdOf, type Cid, type SessionId, type Sha256Hex } from '../../src/protocol/ids.ts'
import type { Failure } from './retry-policy.ts'
import { publicationDueMs } from './publication.ts'
import type { ChunkRecord, ChunkState, Publication, SessionRecord } from './record.ts'
import { chunksNeeded, sessionTransition, type SessionEvent } from './session-machine.ts'
import { newSession, placeInQueue, recount } from './session.ts'

// Promise 3 of docs/guarantees.md.

const NOW_MS = 1_800_000_000_000
const now = { nowMs: NOW_MS, random: 0.5 }
const due = { kind: 'due', notBeforeMs: 0 } as const
const sessionId = '00000000-0000-4000-8000-000000000001' as SessionId
const seal = { encryptedHash: 'e'.repeat(64) as Sha256Hex, iv: 'A'.repeat(16), cid: 'bcid' as Cid }
const root = 'c'.repeat(64) as Sha256Hex
const manifest = { uploader: '0x1', cid: 'bmanifest' as Cid, sha256: root, sizeBytes: 900 }
const fresh = newSession({ sessionId, mimeType: 'video/webm', startedAtMs: NOW_MS - 9_000, access: [] })
const failure = (code: ErrorCode): Failure => ({ code, message: 'why', retryAfterMs: 0 })

const UPLOADING: ChunkState = { status: 'uploading', wait: due, sent: false, seal }
const inStatus = (status: 'uploaded' | 'manifesting' | 'anchoring'): ChunkState => ({
  status,
  seal,
  uploadedAtMs: NOW_MS - 5,
})
const CONFIRMED: ChunkState = {
  status: 'confirmed',
  seal,
  uploadedAtMs: NOW_MS - 5,
  confirmedAtMs: NOW_MS - 1,
}

const aChunk = (index: number, state: ChunkState, rest: Partial<ChunkRecord> = {}): ChunkRecord => ({
  id: chunkIdOf(sessionId, index),
  sessionId,
  index,
  plaintextHash: root,
  capturedAt: 1,
  durationMs: 1,
  sizeBytes: 10,
  state,
  retryCount: 0,
  failures: 0,
  ...rest,
})

const begun: Publication = {
  stage: 'manifesting',
  ending: 'complete',
  lastUpdatedMs: NOW_MS,
  merkleRoot: root,
  chunkCount: 1,
  manifest,
  sent: false,
  failures: 0,
  wait: due,
}
const anchoring: Publication = { ...begun, stage: 'anchoring' }
const anchored = {
  merkleRoot: root,
  manifestCid: manifest.cid,
  chunkCount: 1,
  blockNumber: 7,
  confirmedAtMs: NOW_MS,
  ending: 'complete',
} as const

/** A session and its one chunk. */
interface Situation {
  readonly session: SessionRecord
  readonly chunk: ChunkRecord
}

function situation(
  state: ChunkState,
  rest: Partial<SessionRecord>,
  failed: Partial<ChunkRecord> = {},
): Situation {
  const session = { ...fresh, ...rest }
  const chunk = placeInQueue(aChunk(0, state, failed), session)
  return { session: recount(session, undefined, chunk), chunk }
}

const blocked = { lastError: { code: 'sign-in-needed', message: 'why' } } as const
const ended = { ending: 'complete', endedAtMs: NOW_MS - 1 } as const

const STATES = {
  recording: situation(UPLOADING, {}),
  paused: situation(UPLOADING, { paused: true }),
  interrupted: situation(UPLOADING, { ending: 'interrupted' }),
  ended: situation(inStatus('uploaded'), ended),
  onTrial: situation(
    { ...UPLOADING, wait: { kind: 'parked' } },
    { ...ended, trials: { 'sign-in': { failures: 1, retryAtMs: NOW_MS, setAtMs: 0 } } },
    blocked,
  ),
  manifesting: situation(inStatus('manifesting'), { ...ended, publication: begun }),
  anchoring: situation(inStatus('anchoring'), { ...ended, publication: anchoring }),
  settled: situation(CONFIRMED, { ...ended, anchored }),
} as const satisfies Record<string, Situation>
type StateName = keyof typeof STATES

function nameOf({ open, publication, paused, trials, ending }: SessionRecord): StateName {
  if (open === undefined) return 'settled'
  if (publication) return publication.stage
  if (paused) return 'paused'
  if (trials) return 'onTrial'
  return ending === 'complete' ? 'ended' : ending
}

const EVENTS: { readonly [Type in SessionEvent['type']]: Extract<SessionEvent, { type: Type }> } = {
  'session-started': { type: 'session-started' },
  'chunk-admitted': { type: 'chunk-admitted', chunk: aChunk(1, UPLOADING) },
  chunk: { type: 'chunk', id: chunkIdOf(sessionId, 0), event: { type: 'stored' } },
  'session-ended': { type: 'session-ended', ending: 'complete' },
  paused: { type: 'paused' },
  resumed: { type: 'resumed' },
  'set-aside': { type: 'set-aside', error: { code: 'defect', message: 'why' } },
  'trial-due': { type: 'trial-due', of: 'sign-in' },
  'trial-hinted': { type: 'trial-hinted' },
  visited: { type: 'visited' },
  'clock-set-back': { type: 'clock-set-back' },
  'space-wanted': { type: 'space-wanted' },
  'publication-began': {
    type: 'publication-began',
    publication: begun,
    chunks: new Set([chunkIdOf(sessionId, 0)]),
  },
  publication: { type: 'publication', of: begun, event: { type: 'manifest-stored' } },
  'anchor-confirmed': { type: 'anchor-confirmed', of: anchoring, anchored },
  discarded: { type: 'discarded' },
}

const _ = 'ignored'

/** Every event in every state: where it leads, or that nothing changes. The type leaves no cell out. */
const TABLE: Readonly<Record<StateName, Readonly<Record<SessionEvent['type'], StateName | typeof _>>>> = {
  recording: {
    'session-started': 'recording',
    'chunk-admitted': 'recording',
    chunk: 'recording',
    'session-ended': 'ended',
    paused: 'paused',
    resumed: 'recording',
    'set-aside': 'paused',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: _,
    'anchor-confirmed': _,
    discarded: 'recording',
  },
  paused: {
    'session-started': 'paused',
    'chunk-admitted': 'paused',
    chunk: 'paused',
    'session-ended': 'paused',
    paused: 'paused',
    resumed: 'recording',
    'set-aside': 'paused',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: _,
    'anchor-confirmed': _,
    discarded: 'paused',
  },
  interrupted: {
    'session-started': 'interrupted',
    'chunk-admitted': 'interrupted',
    chunk: 'interrupted',
    'session-ended': 'ended',
    paused: 'paused',
    resumed: 'interrupted',
    'set-aside': 'paused',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: _,
    'anchor-confirmed': _,
    discarded: 'interrupted',
  },
  ended: {
    'session-started': 'ended',
    'chunk-admitted': 'ended',
    chunk: _,
    'session-ended': _,
    paused: 'paused',
    resumed: 'ended',
    'set-aside': 'paused',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': 'ended',
    'publication-began': 'manifesting',
    publication: _,
    'anchor-confirmed': _,
    discarded: 'ended',
  },
  onTrial: {
    'session-started': 'onTrial',
    'chunk-admitted': 'onTrial',
    chunk: 'ended',
    'session-ended': _,
    paused: 'paused',
    resumed: 'ended',
    'set-aside': 'paused',
    'trial-due': 'onTrial',
    'trial-hinted': 'onTrial',
    visited: 'onTrial',
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: _,
    'anchor-confirmed': _,
    discarded: 'onTrial',
  },
  manifesting: {
    'session-started': 'manifesting',
    'chunk-admitted': 'manifesting',
    chunk: _,
    'session-ended': _,
    paused: 'manifesting',
    resumed: 'manifesting',
    'set-aside': 'manifesting',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: 'anchoring',
    'anchor-confirmed': _,
    discarded: 'manifesting',
  },
  anchoring: {
    'session-started': 'anchoring',
    'chunk-admitted': 'anchoring',
    chunk: _,
    'session-ended': _,
    paused: 'anchoring',
    resumed: 'anchoring',
    'set-aside': 'anchoring',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': _,
    publication: _,
    'anchor-confirmed': 'settled',
    discarded: 'anchoring',
  },
  settled: {
    'session-started': 'settled',
    'chunk-admitted': 'ended',
    chunk: _,
    'session-ended': _,
    paused: 'settled',
    resumed: 'settled',
    'set-aside': 'settled',
    'trial-due': _,
    'trial-hinted': _,
    visited: _,
    'clock-set-back': _,
    'space-wanted': _,
    'publication-began': 'manifesting',
    publication: _,
    'anchor-confirmed': _,
    discarded: 'settled',
  },
}

const step = ({ session, chunk }: Situation, event: SessionEvent) =>
  sessionTransition(session, chunksNeeded(event) === 'none' ? [] : [chunk], event, now)

describe.each(Object.keys(TABLE) as StateName[])('in %s', (state) => {
  it.each(Object.keys(EVENTS) as SessionEvent['type'][])('%s', (type) => {
    const before = STATES[state]
    const result = step(before, EVENTS[type])
    const expected = TABLE[state][type]
    if (expected === _)
      expect(result).toEqual({ session: before.session, chunks: [], effects: [], accepted: false })
    else expect([result.accepted, nameOf(result.session)]).toEqual([true, expected])
  })
})

describe('a publication', () => {
  const stale: readonly { readonly what: string; readonly of: Publication }[] = [
    { what: 'of another root', of: { ...anchoring, merkleRoot: 'd'.repeat(64) as Sha256Hex } },
    { what: 'of another manifest', of: { ...anchoring, manifest: { ...manifest, cid: 'bother' as Cid } } },
    { what: 'that had no manifest yet', of: (({ manifest: _none, ...rest }) => rest)(anchoring) },
    { what: 'of another time', of: { ...anchoring, lastUpdatedMs: NOW_MS - 1 } },
    { what: 'at another stage', of: begun },
  ]

  test.each(stale)('$what changes nothing any more, whatever comes of it', ({ of }) => {
    for (const event of [
      { type: 'anchor-confirmed', of, anchored },
      { type: 'publication', of, event: { type: 'anchor-sent' } },
      { type: 'publication', of, event: { type: 'failed', failure: failure('bad-answer') } },
    ] as const)
      expect(step(STATES.anchoring, event)).toMatchObject({ accepted: false, chunks: [], effects: [] })
  })

  it('does not begin over chunks that are not as they were read', () => {
    const { session, chunk } = STATES.ended
    const other = aChunk(1, CONFIRMED)
    const began = (chunks: readonly ChunkRecord[], listed: readonly ChunkRecord[]) =>
      sessionTransition(
        chunks.reduce(
          (counted, each) => (each === chunk ? counted : recount(counted, undefined, each)),
          session,
        ),
        chunks,
        { type: 'publication-began', publication: begun, chunks: new Set(listed.map(({ id }) => id)) },
        now,
      ).accepted
    expect(began([chunk], [chunk])).toBe(true)
    expect(began([chunk, other], [chunk, other])).toBe(true)
    // Discarded, or not verified; a manifest that leaves out what the chain holds; and one that came later.
    expect(began([chunk], [chunk, other])).toBe(false)
    expect(began([chunk, other], [chunk])).toBe(false)
    expect(began([chunk, aChunk(1, inStatus('uploaded'))], [chunk])).toBe(true)
  })

  it('settles an ended session of which the chain holds all: bytes and sealing key go with it', () => {
    const sealedHere = {
      ...STATES.anchoring,
      session: { ...STATES.anchoring.session, sealedBy: 'worker' } as const,
    }
    const { session, chunks, effects } = step(sealedHere, EVENTS['anchor-confirmed'])
    expect(session).not.toHaveProperty('publication')
    expect(session).not.toHaveProperty('open')
    expect(chunks.map(({ state }) => state.status)).toEqual(['confirmed'])
    expect(effects.filter(({ type }) => type !== 'log')).toEqual([
      { type: 'delete-payload', id: sealedHere.chunk.id },
      { type: 'delete-seal-key' },
    ])
  })

  it('leaves a session open that recorded on or ended meanwhile', () => {
    const recording = situation(inStatus('anchoring'), { publication: anchoring })
    const { session } = step(recording, {
      type: 'anchor-confirmed',
      of: anchoring,
      anchored: { ...anchored, ending: 'recording' },
    })
    expect(session.open).toBeDefined()
    const closing = sessionTransition(session, [], { type: 'session-ended', ending: 'complete' }, now).session
    expect(closing.open).toBeDefined()
    expect(publicationDueMs(closing)).toBe(0)
  })
})

describe('what is parked', () => {
  const refused = (index: number, rest: Partial<ChunkRecord>) =>
    aChunk(
      index,
      { ...UPLOADING, wait: { kind: 'parked' } },
      {
        lastError: { code: 'rejected-by-store', message: 'why' },
        retryCount: 1,
        ...rest,
      },
    )
  const tried = (chunks: readonly ChunkRecord[], failures: number) => {
    const trials = { refusal: { failures, retryAtMs: NOW_MS, setAtMs: 0 } }
    const session = chunks.reduce<SessionRecord>((counted, chunk) => recount(counted, undefined, chunk), {
      ...fresh,
      trials,
    })
    return sessionTransition(session, chunks, { type: 'trial-due', of: 'refusal' }, now).chunks.map(
      ({ index }) => index,
    )
  }

  it('is tried by one chunk of each cause: of those tried the least, the smallest', () => {
    const chunks = [
      refused(0, { sizeBytes: 5, retryCount: 2 }),
      refused(1, { sizeBytes: 9 }),
      refused(2, { sizeBytes: 7 }),
      refused(3, { sizeBytes: 99, lastError: { code: 'defect', message: 'why' } }),
      refused(4, { lastError: { code: 'payload-corrupt', message: 'why' } }),
    ]
    expect(tried(chunks, 3)).toEqual([2, 3])
    // An upload went through: everything that time can mend.
    expect(tried(chunks, 0)).toEqual([0, 1, 2, 3])
  })

  it('waits for a time that can be true, once the clock was set back', () => {
    const waiting = (index: number, days: number) =>
      aChunk(index, { ...UPLOADING, wait: { kind: 'due', notBeforeMs: NOW_MS + days * 86_400_000 } })
    const chunks = [waiting(0, 0), waiting(1, 1), waiting(2, 365)]
    const { chunks: changed } = sessionTransition(fresh, chunks, { type: 'clock-set-back' }, now)
    expect(changed.map(({ index, due }) => [index, due?.[0]])).toEqual([
      [1, 0],
      [2, 0],
    ])
  })
})

describe('the trouble that a person is told', () => {
  const failedWith = (before: SessionRecord, code: ErrorCode, nowMs = NOW_MS) =>
    sessionTransition(
      before,
      [STATES.recording.chunk],
      { type: 'chunk', id: chunkIdOf(sessionId, 0), event: { type: 'failed', failure: failure(code) } },
      { nowMs, random: 0.5 },
    ).session

  it('keeps the time since when it lasts, however often it comes', () => {
    const first = failedWith(STATES.recording.session, 'unreachable')
    const again = failedWith(first, 'unreachable', NOW_MS + 60_000)
    expect(again.trouble).toMatchObject({ error: { code: 'unreachable' }, sinceMs: NOW_MS })
    expect(failedWith(again, 'timeout', NOW_MS + 90_000).trouble).toMatchObject({ sinceMs: NOW_MS + 90_000 })
  })

  it('is gone once something went well', () => {
    const troubled = failedWith(STATES.recording.session, 'unreachable')
    const { session } = sessionTransition(troubled, [STATES.recording.chunk], EVENTS.chunk, now)
    expect(session).not.toHaveProperty('trouble')
  })

  it('is not told of our own stop', () => {
    expect(failedWith(STATES.recording.session, 'aborted')).not.toHaveProperty('trouble')
  })
})
