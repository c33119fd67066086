import { toHex } from '../../src/evidence/bytes.ts'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { chunkIdOf, type ChunkId } from '../../src/protocol/ids.ts'
import { CHUNK_STATUSES } from '../../src/protocol/snapshot.ts'
import {
  aChunk,
  aHead,
  aListing,
  anchoredAt,
  aSession,
  digest,
  listedUpTo,
  SEAL as seal,
  SESSION_ID as sessionId,
} from '../testing/records.ts'
import type { ChunkEvent } from './chunk-machine.ts'
import type { SessionEffect } from './draft.ts'
import { entryOf } from './entry-of.ts'
import { headsNeeded } from './expired-pages.ts'
import { listingDueMs } from './listing.ts'
import { NEW_EFFORT } from './effort.ts'
import type {
  ChunkRecord,
  ChunkState,
  HeadRecord,
  Listing,
  MayLeave,
  SessionRecord,
  TrialKind,
} from './record.ts'
import { PROOF_LASTS_MS, type Failure, type Now } from './retry-policy.ts'
import type { SessionEvent } from './session-event.ts'
import { chunksNeeded, isCut, sessionTransition } from './session-machine.ts'
import {
  isSettled,
  pendingChunks,
  rawChunks,
  recount,
  totalChunks,
  withMarks,
  statusOf,
  withOpenMarker,
} from './session.ts'
import { PROVED_TOGETHER_MS } from './waits.ts'
import { NOT_WITNESSED, witnessDueMs } from './witnessing.ts'

// Promise 3 of docs/guarantees.md.

const NOW_MS = 1_800_000_000_000
const now = { nowMs: NOW_MS, random: 0.5 }
const parked = { ...NEW_EFFORT, notBeforeMs: Infinity }
const fresh = aSession(NOW_MS - 9_000, { size: 1 })
const failure = (code: ErrorCode): Failure => ({ code, message: 'why', retryAfterMs: 0 })

const CAPTURED: ChunkState = { status: 'captured' }
const UPLOADING = { status: 'uploading', seal } as const
/** Its session tells whether it is listed. */
const proved = (agoMs = 5): ChunkState => ({
  status: 'uploaded',
  seal,
  uploadedAtMs: NOW_MS - agoMs,
})
const CONFIRMED: ChunkState = {
  status: 'confirmed',
  seal,
  uploadedAtMs: NOW_MS - 5,
  confirmedAtMs: NOW_MS - 1,
}

const page = aListing(0, 2)

/** A session with its chunks. */
interface Situation {
  readonly session: SessionRecord
  readonly chunks: readonly ChunkRecord[]
}

/** As it is once these chunks have come, in this order, after the first entry. */
function situation(
  states: readonly ChunkState[],
  rest: Partial<SessionRecord> = {},
  failed: Partial<ChunkRecord> = {},
): Situation {
  let session: SessionRecord = { ...fresh, ...rest }
  let position = 1
  const chunks = states.map((state, index) => {
    const place = state.seal ? { position: position++ } : {}
    const chunk = withMarks(aChunk(index, state, { ...place, ...failed }), session)
    session = recount(session, undefined, chunk)
    return chunk
  })
  return { session: withOpenMarker({ ...session, size: position, ...rest }), chunks }
}

const first = chunkIdOf(sessionId, 0)
const blocked = { effort: { ...parked, lastError: { code: 'sign-in-needed', message: 'why' } } } as const
/** The log has its start, the chunk and its end. */
const ended = { ending: 'complete', endedAtMs: NOW_MS - 1, logEnd: 'complete', size: 3 } as const

const STATES = {
  recording: situation([UPLOADING]),
  paused: situation([UPLOADING], { paused: true }),
  interrupted: situation([UPLOADING], { ending: 'interrupted', logEnd: 'interrupted', size: 3 }),
  ended: situation([proved()], ended),
  onTrial: situation(
    [UPLOADING],
    { ...ended, trials: { 'sign-in': { failures: 1, retryAtMs: NOW_MS, setAtMs: 0 } } },
    blocked,
  ),
  listing: situation([proved()], { ...ended, listing: page }),
  witnessing: situation([proved()], { ...ended, listed: listedUpTo(3) }),
  settled: situation([CONFIRMED], { ...ended, listed: listedUpTo(3), anchored: anchoredAt(3) }),
} as const satisfies Record<string, Situation>
type StateName = keyof typeof STATES

function nameOf({ open, listing, listed, size, paused, trials, ending }: SessionRecord): StateName {
  if (open === undefined) return 'settled'
  if (listing) return 'listing'
  if (paused) return 'paused'
  if (trials) return 'onTrial'
  if (ending !== 'complete') return ending
  return listed.tree.size === size ? 'witnessing' : 'ended'
}

const LOOKED = { atMs: NOW_MS + 9, shown: 0, blockNumber: 7, taken: 0 }

const EVENTS: { readonly [Type in SessionEvent['type']]: Extract<SessionEvent, { type: Type }> } = {
  'session-started': { type: 'session-started' },
  'chunk-admitted': { type: 'chunk-admitted', chunk: aChunk(1, UPLOADING) },
  noted: { type: 'noted', index: 0, atMs: NOW_MS, sealed: 'abcd' },
  chunk: { type: 'chunk', id: first, event: { type: 'stored' } },
  'session-ended': { type: 'session-ended', ending: 'complete' },
  paused: { type: 'paused' },
  resumed: { type: 'resumed', byPerson: true },
  adopted: { type: 'adopted', here: 'here' },
  'must-wait': {
    type: 'must-wait',
    error: { code: 'throttled', message: 'why' },
    untilMs: NOW_MS + 9_000,
  },
  'held-back': { type: 'held-back' },
  recounted: { type: 'recounted' },
  'trial-due': { type: 'trial-due', of: 'sign-in', mayLeave: 'all', setAtMs: 0 },
  hoped: { type: 'hoped', of: ['sign-in'] },
  'listing-began': { type: 'listing-began', of: page },
  listing: { type: 'listing', of: page, event: { type: 'resume-token-saved', resumeToken: 'there' } },
  'page-stored': { type: 'page-stored', of: page, listed: listedUpTo(2), head: aHead(2) },
  witness: { type: 'witness', event: { type: 'anchor-sent', size: 3, ...LOOKED } },
  'anchor-confirmed': { type: 'anchor-confirmed', anchored: anchoredAt(3) },
  'anchor-seen': { type: 'anchor-seen', anchored: undefined },
  completion: { type: 'completion', event: { type: 'told', size: 3 } },
  discarded: { type: 'discarded' },
}

const _ = 'ignored'

/** Every event in every state: where it leads, or that nothing changes. The type leaves no cell out. */
const TABLE: Readonly<Record<StateName, Readonly<Record<SessionEvent['type'], StateName | typeof _>>>> = {
  recording: {
    'session-started': 'recording',
    'chunk-admitted': 'recording',
    noted: 'recording',
    chunk: 'recording',
    'session-ended': 'ended',
    paused: 'paused',
    resumed: 'recording',
    adopted: _,
    'must-wait': 'recording',
    'trial-due': _,
    'held-back': _,
    recounted: 'recording',
    hoped: _,
    'listing-began': 'listing',
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': 'recording',
    'anchor-seen': _,
    completion: _,
    discarded: 'recording',
  },
  paused: {
    'session-started': 'paused',
    'chunk-admitted': 'paused',
    noted: 'paused',
    chunk: 'paused',
    'session-ended': 'paused',
    paused: 'paused',
    resumed: 'recording',
    adopted: _,
    'must-wait': 'paused',
    'trial-due': _,
    'held-back': _,
    recounted: 'paused',
    hoped: _,
    'listing-began': 'listing',
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': 'paused',
    'anchor-seen': _,
    completion: _,
    discarded: 'paused',
  },
  interrupted: {
    'session-started': 'interrupted',
    'chunk-admitted': 'recording',
    noted: 'recording',
    chunk: 'interrupted',
    'session-ended': 'ended',
    paused: 'paused',
    resumed: 'interrupted',
    adopted: _,
    'must-wait': 'interrupted',
    'trial-due': _,
    'held-back': _,
    recounted: 'interrupted',
    hoped: _,
    'listing-began': 'listing',
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': 'interrupted',
    'anchor-seen': _,
    completion: _,
    discarded: 'interrupted',
  },
  ended: {
    'session-started': 'ended',
    'chunk-admitted': _,
    noted: _,
    chunk: _,
    'session-ended': _,
    paused: 'paused',
    resumed: 'ended',
    adopted: _,
    'must-wait': 'ended',
    'trial-due': _,
    'held-back': _,
    recounted: 'ended',
    hoped: _,
    'listing-began': 'listing',
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': 'ended',
    'anchor-seen': _,
    completion: _,
    discarded: 'ended',
  },
  onTrial: {
    'session-started': 'onTrial',
    'chunk-admitted': _,
    noted: _,
    chunk: 'ended',
    'session-ended': _,
    paused: 'paused',
    resumed: 'ended',
    adopted: _,
    'must-wait': 'onTrial',
    'trial-due': 'onTrial',
    'held-back': _,
    recounted: 'onTrial',
    hoped: _,
    'listing-began': 'listing',
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': 'onTrial',
    'anchor-seen': _,
    completion: _,
    discarded: 'onTrial',
  },
  listing: {
    'session-started': 'listing',
    'chunk-admitted': _,
    noted: _,
    chunk: _,
    'session-ended': _,
    paused: 'listing',
    resumed: 'listing',
    adopted: _,
    'must-wait': 'listing',
    'trial-due': _,
    'held-back': _,
    recounted: 'listing',
    hoped: _,
    'listing-began': _,
    listing: 'listing',
    'page-stored': 'ended',
    witness: _,
    'anchor-confirmed': 'listing',
    'anchor-seen': _,
    completion: _,
    discarded: 'listing',
  },
  witnessing: {
    'session-started': 'ended',
    'chunk-admitted': _,
    noted: _,
    chunk: _,
    'session-ended': _,
    paused: 'paused',
    resumed: 'witnessing',
    adopted: _,
    'must-wait': 'witnessing',
    'trial-due': _,
    'held-back': _,
    recounted: 'witnessing',
    hoped: _,
    'listing-began': _,
    listing: _,
    'page-stored': _,
    witness: 'witnessing',
    'anchor-confirmed': 'settled',
    'anchor-seen': _,
    completion: _,
    discarded: 'witnessing',
  },
  settled: {
    'session-started': 'ended',
    'chunk-admitted': _,
    noted: _,
    chunk: _,
    'session-ended': _,
    paused: 'settled',
    resumed: 'settled',
    adopted: _,
    'must-wait': _,
    'trial-due': _,
    'held-back': _,
    recounted: 'settled',
    hoped: _,
    'listing-began': _,
    listing: _,
    'page-stored': _,
    witness: _,
    'anchor-confirmed': _,
    'anchor-seen': 'witnessing',
    completion: _,
    discarded: 'settled',
  },
}

/** Those that an event is given, as the store gives them. */
function given({ session, chunks }: Situation, event: SessionEvent): ChunkRecord[] {
  const needed =
    event.type === 'listing-began' && isCut(session, event.of)
      ? { from: event.of.frame.from, to: event.of.tree.size }
      : chunksNeeded(event)
  if (needed === 'all') return [...chunks]
  if (!needed) return []
  if (typeof needed !== 'object') return chunks.filter(({ id }) => id === needed)
  return chunks.filter(({ proved }) => proved && proved[1] >= needed.from && proved[1] < needed.to)
}

/** What an event makes of a situation, which stays as it is where the event is late. */
function transition(
  session: SessionRecord,
  chunks: readonly ChunkRecord[],
  event: SessionEvent,
  at: Now,
  heads: readonly HeadRecord[] = [],
) {
  const result = sessionTransition(session, chunks, event, at, heads)
  return { ...(result ?? { session, chunks: [], effects: [] }), accepted: result !== undefined }
}

const step = (before: Situation, event: SessionEvent, at = now) =>
  transition(before.session, given(before, event), event, at)

/** The situation after an event, which must be accepted. */
function after(before: Situation, event: SessionEvent, at = now): Situation {
  const { session, chunks, accepted } = step(before, event, at)
  expect(accepted, event.type).toBe(true)
  const changed = new Map(chunks.map((chunk) => [chunk.id, chunk]))
  const kept = before.chunks.map((chunk) => changed.get(chunk.id) ?? chunk)
  const isNew = ({ id }: ChunkRecord) => before.chunks.every((chunk) => chunk.id !== id)
  return { session, chunks: [...kept, ...chunks.filter(isNew)] }
}

const afterAll = (before: Situation, ...events: readonly SessionEvent[]) =>
  events.reduce((situation, event) => after(situation, event), before)

const toChunk = (index: number, event: ChunkEvent): SessionEvent => ({
  type: 'chunk',
  id: chunkIdOf(sessionId, index),
  event,
})
const statusesOf = ({ session, chunks }: Situation) => chunks.map((chunk) => statusOf(chunk, session))

/** Whether an entry is of the start, of the end or a note, or the index of its chunk. */
const kindOf = (entry: Uint8Array<ArrayBuffer>): 'start' | 'end' | 'note' | number =>
  (['start', undefined, 'end', 'note'] as const)[entry[0] ?? -1] ?? new DataView(entry.buffer).getUint32(1)
/** What was appended to the log: places, and what of. */
const appended = (effects: readonly SessionEffect[]) =>
  effects.flatMap((effect) => (effect[0] === 'putEntry' ? [[effect[2], kindOf(effect[3])] as const] : []))
const typesOf = (effects: readonly SessionEffect[]) =>
  effects.map(([call]) => call).filter((call) => call !== 'addLog')

describe.each(Object.keys(TABLE) as StateName[])('in %s', (state) => {
  it.each(Object.keys(EVENTS) as SessionEvent['type'][])('%s', (type) => {
    const before = STATES[state]
    expect(nameOf(before.session)).toBe(state)
    const result = step(before, EVENTS[type])
    const expected = TABLE[state][type]
    if (expected === _)
      expect(result).toEqual({ session: before.session, chunks: [], effects: [], accepted: false })
    else expect([result.accepted, nameOf(result.session)]).toEqual([true, expected])
  })
})

// Promise 1 of docs/guarantees.md.
describe('a note', () => {
  const note = (index: number): SessionEvent => ({ ...EVENTS.noted, index })

  it('is in the log from the transaction that takes it, in its order', () => {
    const { session, effects } = step(STATES.recording, note(0))
    expect(effects).toContainEqual(['putEntry', sessionId, 2, entryOf(session, EVENTS.noted)])
    expect(session).toMatchObject({ size: 3, notes: 1 })
    const later = step(after(STATES.recording, note(0)), EVENTS['chunk-admitted'])
    expect(appended(later.effects)).toEqual([[3, 1]])
  })

  it('is known again by its number, and one that was given up on the way leaves none', () => {
    const noted = afterAll(STATES.recording, note(0), note(2))
    expect(noted.session).toMatchObject({ size: 4, notes: 3 })
    for (const index of [0, 1, 2]) expect(step(noted, note(index)).accepted).toBe(false)
    expect(after(noted, note(3)).session.size).toBe(5)
  })

  it('of a page that was taken for dead is taken, and its end said again', () => {
    const { session } = after(STATES.interrupted, note(0))
    expect(session).toMatchObject({ ending: 'recording', logEnd: undefined, size: 4 })
  })

  it('makes a recording that is listed and settled, without a chunk too', () => {
    const noted = after(situation([]), note(0))
    expect(listingDueMs(noted.session)).toBe(0)
    const { session, effects } = step(noted, EVENTS['session-ended'])
    expect(session).toMatchObject({ ending: 'complete', logEnd: 'complete', size: 3 })
    expect(session.open).toBeDefined()
    // The key is needed to sign it.
    expect(typesOf(effects)).toEqual(['putEntry'])
  })
})

describe('the log', () => {
  const SEALED: ChunkEvent = { type: 'sealed', seal, bytes: new ArrayBuffer(116) }
  const sealing = (...states: ChunkState[]) => situation(states, { sealedBy: 'worker' })

  it('begins with the start of the recording', () => {
    const { session, effects } = transition(aSession(5), [], EVENTS['session-started'], now)
    expect(appended(effects)).toEqual([[0, 'start']])
    expect(session.size).toBe(1)
  })

  it('has a sealed chunk from the transaction that admits it, by its place', () => {
    const { session, chunks, effects } = step(STATES.recording, EVENTS['chunk-admitted'])
    expect(session.size).toBe(3)
    expect(chunks).toMatchObject([{ index: 1, position: 2 }])
    const [chunk = aChunk(1, CAPTURED)] = chunks
    expect(effects).toContainEqual(['putEntry', sessionId, 2, entryOf(session, chunk)])
  })

  it('has a raw chunk from the transaction that seals it, as it is then', () => {
    const admitted = step(situation([]), { type: 'chunk-admitted', chunk: aChunk(0, CAPTURED) })
    expect(appended(admitted.effects)).toEqual([])
    expect(admitted.session.size).toBe(1)
    expect(admitted.chunks[0]?.position).toBeUndefined()
    const { session, chunks, effects } = step(sealing({ status: 'encrypting' }), toChunk(0, SEALED))
    expect(session.size).toBe(2)
    expect(chunks).toMatchObject([{ position: 1, sizeBytes: 116 }])
    const [chunk = aChunk(0, CAPTURED)] = chunks
    expect(effects).toContainEqual(['putEntry', sessionId, 1, entryOf(session, chunk)])
  })

  it('says how the recording ended in the same transaction, where nothing of it is raw', () => {
    const { session, effects } = step(STATES.recording, EVENTS['session-ended'])
    expect(appended(effects)).toEqual([[2, 'end']])
    expect(session).toMatchObject({ size: 3, logEnd: 'complete' })
  })

  it('says it after the last chunk that is sealed here, however many there are', () => {
    let { session, chunks } = afterAll(sealing({ status: 'encrypting' }, CAPTURED), EVENTS['session-ended'])
    expect(session.logEnd).toBeUndefined()
    let result = step({ session, chunks }, toChunk(0, SEALED))
    expect(appended(result.effects)).toEqual([[1, 0]])
    const last = withMarks({ ...chunks[1]!, state: { status: 'encrypting' } }, session)
    ;({ session, chunks } = {
      session: recount(result.session, chunks[1], last),
      chunks: [...result.chunks, last],
    })
    result = step({ session, chunks }, toChunk(1, SEALED))
    expect(appended(result.effects)).toEqual([
      [2, 1],
      [3, 'end'],
    ])
    expect(result.session).toMatchObject({ size: 4, logEnd: 'complete' })
  })

  it('says interrupted where a chunk that is to be sealed is parked, and how it ended once that is sealed', () => {
    const { session, chunks } = after(situation([CAPTURED], { sealedBy: 'worker' }, { effort: parked }), {
      type: 'session-ended',
      ending: 'complete',
      indexes: 1,
    })
    expect(session).toMatchObject({ ending: 'complete', logEnd: 'interrupted', size: 2 })
    expect(session.open).toBeDefined()
    const found = { ...chunks[0]!, state: { status: 'encrypting' } } as const
    const again = { session: recount(session, chunks[0], found), chunks: [found] }
    const { effects, session: then } = step(again, toChunk(0, SEALED))
    expect(appended(effects)).toEqual([
      [2, 0],
      [3, 'end'],
    ])
    expect(then.logEnd).toBe('complete')
  })

  it('begins with the app’s metadata, which is kept nowhere else', () => {
    const metadata = 'ab'.repeat(48)
    const { session, effects } = step(situation([], { metadata, size: 0 }), EVENTS['session-started'])
    const put = effects.find(([call]) => call === 'putEntry')
    expect(toHex(put?.[3] as Uint8Array)).toContain(metadata)
    expect(session.metadata).toBeUndefined()
  })

  it('goes on where an interrupted recording does, and says its end again once there is one', () => {
    const on = after(STATES.interrupted, EVENTS['chunk-admitted'])
    expect(on.session).toMatchObject({ ending: 'recording', size: 4 })
    expect(on.session.logEnd).toBeUndefined()
    for (const ending of ['interrupted', 'complete'] as const) {
      const { session, effects } = step(on, { type: 'session-ended', ending })
      expect(appended(effects)).toEqual([[4, 'end']])
      expect(session).toMatchObject({ ending, size: 5, logEnd: ending })
    }
  })

  it('says it again only once a late chunk is sealed', () => {
    const raw = { type: 'chunk-admitted', chunk: aChunk(1, CAPTURED) } as const
    const late = step(STATES.interrupted, raw)
    expect(appended(late.effects)).toEqual([])
    const sealed = afterAll(
      STATES.interrupted,
      raw,
      { type: 'session-ended', ending: 'interrupted' },
      toChunk(1, { type: 'hash-began' }),
      toChunk(1, { type: 'encrypt-began' }),
    )
    expect(appended(step(sealed, toChunk(1, SEALED)).effects)).toEqual([
      [3, 1],
      [4, 'end'],
    ])
  })

  it('says that it is complete after all', () => {
    const { session, effects } = step(STATES.interrupted, EVENTS['session-ended'])
    expect(appended(effects)).toEqual([[3, 'end']])
    expect(session).toMatchObject({ size: 4, logEnd: 'complete' })
  })

  it('says it again once it is known how many chunks there should be', () => {
    const told = { type: 'session-ended', ending: 'complete', indexes: 5 } as const
    const { session, effects } = step(STATES.interrupted, told)
    expect(session).toMatchObject({ ending: 'interrupted', indexes: 5, logEnd: 'interrupted' })
    expect(appended(effects)).toEqual([[3, 'end']])
    expect(step({ ...STATES.interrupted, session }, told).accepted).toBe(false)
  })

  it('says an end once, whatever else happens', () => {
    for (const state of ['interrupted', 'ended', 'onTrial', 'listing', 'witnessing', 'settled'] as const)
      for (const event of Object.values(EVENTS)) {
        if (['session-started', 'chunk-admitted', 'noted', 'session-ended'].includes(event.type)) continue
        expect(appended(step(STATES[state], event).effects), `${state} ${event.type}`).toEqual([])
      }
  })

  it('is told another end neither after the complete one, nor an interrupted one twice', () => {
    for (const ending of ['complete', 'interrupted'] as const)
      expect(step(STATES.ended, { type: 'session-ended', ending, indexes: 9 }).accepted).toBe(false)
    expect(step(STATES.interrupted, { type: 'session-ended', ending: 'interrupted' }).accepted).toBe(false)
  })
})

describe('a page of the log', () => {
  it('changes no chunk, and has none counted unless more follows it', () => {
    const began = { type: 'listing-began', of: aListing(4, 7) } as const
    expect(chunksNeeded(began)).toBeUndefined()
    expect([7, 8].map((size) => isCut(aSession(1, { size }), began.of))).toEqual([false, true])
    const { tally } = step(situation([proved(), UPLOADING]), {
      type: 'listing-began',
      of: aListing(0, 3),
    }).session
    expect(tally).toMatchObject({ uploading: 1, uploaded: 0, manifesting: 1 })
  })

  it('takes what is proved with it; what is not proved yet stays where it is', () => {
    const before = situation([proved(), UPLOADING, proved(), proved()])
    const began = after(before, { type: 'listing-began', of: aListing(0, 4) })
    expect(statusesOf(began)).toEqual(['manifesting', 'uploading', 'manifesting', 'uploaded'])
    const stored = after(began, {
      type: 'page-stored',
      of: aListing(0, 4),
      listed: listedUpTo(4),
      head: aHead(4),
    })
    expect(statusesOf(stored)).toEqual(['anchoring', 'uploading', 'anchoring', 'uploaded'])
  })

  it('begins only where none is in flight, and where the last one ended', () => {
    const began = (rest: Partial<SessionRecord>, listing: Listing) =>
      step(situation([UPLOADING, UPLOADING], rest), { type: 'listing-began', of: listing })
    expect(began({}, aListing(0, 3)).session.listing).toEqual(aListing(0, 3))
    expect(began({ listed: listedUpTo(2) }, aListing(2, 3)).accepted).toBe(true)
    expect(began({ listed: listedUpTo(2) }, aListing(0, 3)).accepted).toBe(false)
    expect(began({ listed: listedUpTo(1) }, aListing(2, 3)).accepted).toBe(false)
    expect(began({ listing: page }, aListing(0, 3)).accepted).toBe(false)
    // Another worker's, late: it is made of the same log, and all the same changes nothing.
    expect(began({ listing: page }, page).accepted).toBe(false)
  })

  const other = aListing(0, 2, { page: digest('8') })
  const late = [
    { type: 'listing', of: other, event: { type: 'resume-token-saved', resumeToken: 'here' } },
    { type: 'listing', of: other, event: { type: 'failed', failure: failure('bad-answer') } },
    { type: 'page-stored', of: other, listed: listedUpTo(3), head: aHead(3, true) },
  ] as const

  test.each(late)('that is not the one in flight changes nothing any more: $type', (event) => {
    for (const state of ['listing', 'witnessing', 'settled'] as const)
      expect(step(STATES[state], event)).toEqual({
        session: STATES[state].session,
        chunks: [],
        effects: [],
        accepted: false,
      })
  })

  it('goes on from where it is: a step of it as it was read before changes only what is new', () => {
    const sent = after(STATES.listing, EVENTS.listing)
    const { session } = step(sent, {
      type: 'listing',
      of: page,
      event: { type: 'resume-token-saved', resumeToken: 'here' },
    })
    expect(session.listing).toEqual({ ...page, resumeToken: 'here' })
  })

  it('that is stored leaves its head, and has the chain looked at now', () => {
    const waiting = {
      ...STATES.listing,
      session: {
        ...STATES.listing.session,
        witnessing: { ...NOT_WITNESSED, notBeforeMs: NOW_MS + 9_000 },
      },
    } as const
    const { session, effects } = step(waiting, EVENTS['page-stored'])
    expect(session.listing).toBeUndefined()
    expect(session.listed).toEqual(listedUpTo(2))
    expect(effects).toContainEqual(['putHead', aHead(2, false, 0, NOW_MS)])
    expect(typesOf(effects)).not.toContain('deleteMeta')
    expect(witnessDueMs(session)).toBe(0)
    expect(listingDueMs(session)).toBe(0)
  })

  it('that is stored ends no back-off of the witness, and forgives it no failure', () => {
    const listed = { listing: aListing(2, 3), listed: listedUpTo(2) }
    const before = situation([proved(), proved()], listed)
    for (const code of ['bad-answer', 'wrong-chain', 'anchor-rejected'] as const) {
      const failed = after(before, { type: 'witness', event: { type: 'failed', failure: failure(code) } })
      const { witnessing } = after(failed, {
        type: 'page-stored',
        of: listed.listing,
        listed: listedUpTo(3),
        head: aHead(3),
      }).session
      expect(witnessing).toEqual(failed.session.witnessing)
    }
  })

  it('of an empty recording is never signed, so that its key is not kept: but where more may come', () => {
    const endedAs = (ending: 'complete' | 'interrupted', of = situation([])) =>
      typesOf(step(of, { type: 'session-ended', ending }).effects)
    expect(endedAs('complete')).toEqual(['putEntry', 'deleteMeta'])
    expect(endedAs('interrupted')).toEqual(['putEntry'])
    expect(endedAs('complete', STATES.recording)).toEqual(['putEntry'])
  })

  it('with the complete end is the last that is signed', () => {
    const last = aListing(2, 3)
    const before = situation([proved()], { ...ended, listed: listedUpTo(2), listing: last })
    const { effects } = step(before, {
      type: 'page-stored',
      of: last,
      listed: listedUpTo(3),
      head: aHead(3, true),
    })
    expect(typesOf(effects)).toEqual(['putHead', 'deleteMeta'])
  })
})

describe('a chunk that is proved once its entry', () => {
  const STORED = toChunk(0, { type: 'stored' })
  const waiting = { ...NOT_WITNESSED, notBeforeMs: NOW_MS + 9_000 } as const

  it('is in no page waits for one', () => {
    const { session, chunks } = step(situation([UPLOADING], { witnessing: waiting }), STORED)
    expect(statusesOf({ session, chunks })).toEqual(['uploaded'])
    expect(session.witnessing).toEqual(waiting)
  })

  it('comes after the page in flight waits for the next one', () => {
    const before = situation([proved(), UPLOADING], { listing: page })
    expect(statusesOf(step(before, toChunk(1, { type: 'stored' })))).toEqual(['uploaded'])
  })

  it('is in the page in flight waits for that', () => {
    const before = situation([UPLOADING], { listing: page, witnessing: waiting })
    const { session, chunks } = step(before, STORED)
    expect(statusesOf({ session, chunks })).toEqual(['manifesting'])
    expect(session.tally).toMatchObject({ uploading: 0, uploaded: 0, manifesting: 1 })
    expect(session.witnessing).toEqual(waiting)
  })

  it('is listed waits for the chain, which is looked at once for all that is proved in half a second', () => {
    for (const listing of [undefined, aListing(2, 3)]) {
      const rest = { listed: listedUpTo(2), anchored: anchoredAt(2), witnessing: waiting }
      const before = situation([UPLOADING, UPLOADING], { ...rest, ...(listing && { listing }) })
      const { session, chunks } = step(before, STORED)
      expect(chunks).toMatchObject([{ proved: [sessionId, 1] }])
      expect(statusesOf({ session, chunks })).toEqual(['anchoring'])
      expect(witnessDueMs(session)).toBe(NOW_MS + PROVED_TOGETHER_MS)
      const soon = { ...waiting, notBeforeMs: NOW_MS + 1 }
      expect(witnessDueMs(step(situation([UPLOADING], { ...rest, witnessing: soon }), STORED).session)).toBe(
        NOW_MS + 1,
      )
    }
  })
})

describe('what the chain holds', () => {
  const listed = { ...ended, size: 4, listed: listedUpTo(4) }

  it('is about the proved chunks within it', () => {
    expect(chunksNeeded({ type: 'anchor-confirmed', anchored: anchoredAt(7) })).toEqual({
      from: 0,
      to: 7,
    })
  })

  it('confirms what was lately proved: the bytes here go with it', () => {
    const before = situation([proved(5), proved(PROOF_LASTS_MS)], listed)
    const { session, chunks, effects } = step(before, {
      type: 'anchor-confirmed',
      anchored: anchoredAt(4),
    })
    expect(statusesOf({ session, chunks })).toEqual(['confirmed', 'confirmed'])
    expect(effects.filter(([call]) => call !== 'addLog')).toEqual(
      [0, 1].map((index) => ['deletePayload', chunkIdOf(sessionId, index)]),
    )
    expect(session.open).toBeUndefined()
    expect(session.anchored).toEqual(anchoredAt(4))
  })

  it.each([
    { what: 'too long ago', agoMs: PROOF_LASTS_MS + 1 },
    { what: 'at a time that is yet to come', agoMs: -1 },
  ])('has the store asked again for what was proved $what, and keeps the bytes', ({ agoMs }) => {
    const confirmed = { type: 'anchor-confirmed', anchored: anchoredAt(4) } as const
    const before = situation([proved(agoMs), proved(5)], listed)
    const { effects } = step(before, confirmed)
    expect(typesOf(effects)).toEqual(['deletePayload'])
    const asked = after(before, confirmed)
    expect(asked.chunks).toMatchObject([
      { state: { status: 'uploading' }, effort: { sent: true }, due: [0, expect.anything(), 0] },
      { state: { status: 'confirmed' } },
    ])
    expect(asked.chunks[0]?.proved).toBeUndefined()
    expect(isSettled(asked.session)).toBe(false)
    // The store has it still: then the chain is looked at once more, and nothing is left.
    const again = after(asked, toChunk(0, { type: 'stored' }))
    expect(statusesOf(again)).toEqual(['anchoring', 'confirmed'])
    expect(witnessDueMs(again.session)).toBe(0)
    expect(isSettled(after(again, confirmed).session)).toBe(true)
  })

  it('confirms nothing that is not proved, and nothing beyond it', () => {
    const before = situation([proved(5), UPLOADING, proved(5)], { listed: listedUpTo(4) })
    const held = after(before, { type: 'anchor-confirmed', anchored: anchoredAt(3) })
    expect(statusesOf(held)).toEqual(['confirmed', 'uploading', 'anchoring'])
  })

  it('settles nothing while the recording goes on, or its end is not on the chain', () => {
    const recording = situation([proved(5)], { listed: listedUpTo(2) })
    const held = after(recording, { type: 'anchor-confirmed', anchored: anchoredAt(2) })
    expect(held.session.open).toBeDefined()
    const closing = after(held, EVENTS['session-ended'])
    expect(closing.session.open).toBeDefined()
    expect(listingDueMs(closing.session)).toBe(0)
    const listing = aListing(2, 3)
    const pageStored = {
      type: 'page-stored',
      of: listing,
      listed: listedUpTo(3),
      head: aHead(3, true),
    } as const
    const whole = afterAll(closing, { type: 'listing-began', of: listing }, pageStored)
    expect(whole.session.open).toBeDefined()
    const settled = after(whole, { type: 'anchor-confirmed', anchored: anchoredAt(3) })
    expect(settled.session.open).toBeUndefined()
  })

  it('opens again where an interrupted recording has more after all', () => {
    const rest = { size: 3, listed: listedUpTo(3), anchored: anchoredAt(3) }
    const settled = situation([CONFIRMED], { ...rest, ending: 'interrupted', logEnd: 'interrupted' })
    for (const event of [EVENTS['chunk-admitted'], EVENTS['session-ended']]) {
      const { session } = step(settled, event)
      expect(session.open).toBe(fresh.startedAtMs)
      expect(listingDueMs(session)).toBe(0)
    }
  })

  it('is never told as less than it was', () => {
    const before = situation([proved(5), proved(5)], { listed: listedUpTo(3), anchored: anchoredAt(3) })
    const held = after(before, {
      type: 'anchor-confirmed',
      anchored: { ...anchoredAt(2), blockNumber: 99 },
    })
    expect(statusesOf(held)).toEqual(['confirmed', 'anchoring'])
    expect(held.session.anchored).toEqual(anchoredAt(3))
  })

  it('is kept with its head, whatever is anchored after it; what a look finds once more is not written again', () => {
    const before = situation([CONFIRMED, proved(5)], { listed: listedUpTo(4), anchored: anchoredAt(2) })
    const held = (size: number) =>
      transition(
        before.session,
        [],
        { type: 'anchor-confirmed', anchored: anchoredAt(size) },
        now,
        [aHead(1), aHead(2), aHead(3)].filter((head) => head.size <= size),
      ).effects
    expect(held(3)).toContainEqual(['putHead', { ...aHead(3), anchored: anchoredAt(3) }])
    expect(held(2)).toEqual([])
  })

  const inVain = { ...NOT_WITNESSED, submitted: 4, submittedAtMs: NOW_MS - 5, taken: 3 }
  const unseen = {
    listed: listedUpTo(4),
    witnessing: {
      ...inVain,
      failures: 3,
      lastError: { code: 'anchor-unseen', message: 'why' },
      notBeforeMs: NOW_MS + 9_000,
    },
    trouble: { error: { code: 'anchor-unseen', message: 'why' }, sinceMs: NOW_MS - 90_000 },
  } as const

  it('at each look still changes nothing: a newer head on its way waits, and is told, as before', () => {
    const before = situation([CONFIRMED, proved(5)], { ...unseen, anchored: anchoredAt(2) })
    const { accepted, session } = step(before, { type: 'anchor-confirmed', anchored: anchoredAt(2) })
    expect(accepted).toBe(false)
    expect(session).toBe(before.session)
  })

  it('forgives failures; what the relay took in vain is forgotten with the head that it took', () => {
    const before = situation([proved(5), proved(5)], unseen)
    const held = (size: number) =>
      step(before, { type: 'anchor-confirmed', anchored: anchoredAt(size) }).session
    expect(held(2).witnessing).toEqual(inVain)
    expect(held(4).witnessing).toEqual({ ...inVain, taken: 0 })
    expect(held(2).trouble).toBeUndefined()
  })
})

describe('a page or a head that was refused', () => {
  const refusal = { type: 'failed', failure: failure('rejected-by-store') } as const
  const signIn = { type: 'failed', failure: failure('sign-in-needed') } as const
  const events = {
    listing: (event: typeof refusal | typeof signIn): SessionEvent => ({ type: 'listing', of: page, event }),
    witness: (event: typeof refusal | typeof signIn): SessionEvent => ({ type: 'witness', event }),
  }
  const CASES = [
    { of: 'listing', before: STATES.listing },
    { of: 'witness', before: STATES.witnessing },
  ] as const
  const dueMs = { listing: listingDueMs, witness: witnessDueMs }

  test.each(CASES)('$of: is parked and told', ({ of, before }) => {
    const { session, effects } = step(before, events[of](refusal))
    expect(dueMs[of](session)).toBe(Infinity)
    expect(session.trouble).toEqual({
      error: { code: 'rejected-by-store', message: 'why' },
      sinceMs: NOW_MS,
    })
    expect(session.trials?.refusal).toMatchObject({ failures: 1 })
    expect(effects).toMatchObject([['addLog', [{ event: 'failed', error: { code: 'rejected-by-store' } }]]])
  })

  test.each(CASES)('$of: is tried by trials of its kind, and of no other', ({ of, before }) => {
    for (const [event, kind] of [
      [refusal, 'refusal'],
      [signIn, 'sign-in'],
    ] as const) {
      const stuck = after(before, events[of](event))
      for (const tried of ['refusal', 'sign-in'] as const) {
        const trials = { [tried]: { failures: 1, retryAtMs: NOW_MS, setAtMs: 0 } }
        const waiting = { ...stuck, session: { ...stuck.session, trials } }
        const { session } = step(waiting, { type: 'trial-due', mayLeave: 'all', of: tried, setAtMs: 0 })
        const isTried = tried === kind
        expect(dueMs[of](session), `${kind} by ${tried}`).toBe(isTried ? 0 : Infinity)
        // The next trial is set before this one ends, or the kind is given up where nothing waits for it.
        expect(session.trials?.[tried]?.failures).toBe(isTried ? 2 : undefined)
      }
    }
  })

  test.each(CASES)('$of: is tried at once by a person, and told no more', ({ of, before }) => {
    const { session } = step(after(before, events[of](refusal)), { type: 'resumed', byPerson: true })
    expect(dueMs[of](session)).toBe(0)
    expect(session.trouble).toBeUndefined()
    expect(session.trials).toBeUndefined()
  })

  it('is not tried twice where nothing of it is parked', () => {
    const sent = afterAll(STATES.listing, EVENTS.listing)
    const trials = { refusal: { failures: 1, retryAtMs: NOW_MS, setAtMs: 0 } }
    const { session } = step(
      { ...sent, session: { ...sent.session, trials } },
      { type: 'trial-due', of: 'refusal', mayLeave: 'all', setAtMs: 0 },
    )
    expect(session.listing).toEqual({ ...page, resumeToken: 'there' })
    expect(session.trials?.refusal).toBeUndefined()
  })

  it('stays told while something else goes well', () => {
    const stuck = after(situation([UPLOADING], { ...ended, listed: listedUpTo(3) }), events.witness(refusal))
    expect(step(stuck, toChunk(0, { type: 'stored' })).session.trouble).toBeDefined()
  })
})

describe('the newest head', () => {
  const witness = (event: Extract<SessionEvent, { type: 'witness' }>['event']) =>
    ({ type: 'witness', event }) as const
  const look = (isShown: boolean) =>
    witness({ ...LOOKED, type: 'look-again', shown: isShown ? 99 : 0, handed: false })
  const taken = witness({ ...LOOKED, type: 'look-again', handed: true })
  const failed = (code: ErrorCode) => witness({ type: 'failed', failure: failure(code) })

  it('has a trouble until the chain shows it, or the relay takes it', () => {
    const troubled = after(STATES.witnessing, failed('unreachable'))
    expect(troubled.session.trouble).toMatchObject({ error: { code: 'unreachable' } })
    const sent = after(troubled, EVENTS.witness)
    expect(after(sent, look(false)).session.trouble).toBeDefined()
    expect(after(sent, look(true)).session.trouble).toBeUndefined()
    expect(after(sent, taken).session.trouble).toBeUndefined()
    expect(after(sent, EVENTS['anchor-confirmed']).session.trouble).toBeUndefined()
  })

  it('that the chain does not show is told though the relay takes it once more', () => {
    const unseen = after(STATES.witnessing, failed('anchor-unseen'))
    expect(after(after(unseen, EVENTS.witness), taken).session.trouble).toMatchObject({
      error: { code: 'anchor-unseen' },
    })
  })

  it('that fails late leaves no trouble on a session of which the chain holds all', () => {
    for (const event of [failed('unreachable'), failed('forked'), taken])
      expect(step(STATES.settled, event)).toMatchObject({ accepted: false, effects: [] })
  })

  it('leaves no line in the custody log for each look', () => {
    expect(step(STATES.witnessing, look(false)).effects).toEqual([])
    expect(step(STATES.witnessing, EVENTS.witness).effects).toMatchObject([
      ['addLog', [{ event: 'anchor-sent' }]],
    ])
  })
})

describe('what is parked', () => {
  const parkedFor = (code: ErrorCode) => ({ ...parked, lastError: { code, message: 'why' } })
  const refused = (index: number, rest: Partial<ChunkRecord>) =>
    aChunk(index, UPLOADING, { effort: parkedFor('rejected-by-store'), retryCount: 1, ...rest })
  const sessionOf = (chunks: readonly ChunkRecord[], rest: Partial<SessionRecord>) =>
    chunks.reduce<SessionRecord>((counted, chunk) => recount(counted, undefined, chunk), {
      ...fresh,
      ...rest,
    })
  const trialOf = (failures: number) => ({ refusal: { failures, retryAtMs: NOW_MS, setAtMs: 0 } })
  const triedOf = (session: SessionRecord, chunks: readonly ChunkRecord[], mayLeave: MayLeave = 'all') =>
    transition(session, chunks, { type: 'trial-due', of: 'refusal', mayLeave, setAtMs: 0 }, now)
  const tried = (chunks: readonly ChunkRecord[], failures: number, mayLeave?: MayLeave) =>
    triedOf(sessionOf(chunks, { trials: trialOf(failures) }), chunks, mayLeave)
      .chunks.map(({ index }) => index)
      .sort()

  it('is tried by one chunk of each cause: of those tried the least, the smallest', () => {
    const chunks = [
      refused(0, { sizeBytes: 5, retryCount: 2 }),
      refused(1, { sizeBytes: 9 }),
      refused(2, { sizeBytes: 7 }),
      refused(3, { sizeBytes: 99, effort: parkedFor('defect') }),
      refused(4, { effort: parkedFor('payload-corrupt') }),
    ]
    expect(tried(chunks, 3)).toEqual([2, 3])
    // An upload went through: everything that time can mend.
    expect(tried(chunks, 0)).toEqual([0, 1, 2, 3])
  })

  it('is sealed whatever may leave, and sent only where bytes cost nothing', () => {
    const chunks = [refused(0, {}), aChunk(1, { status: 'captured' }, { effort: parkedFor('defect') })]
    expect(tried(chunks, 3)).toEqual([0, 1])
    for (const mayLeave of ['small', 'nothing'] as const) expect(tried(chunks, 3, mayLeave)).toEqual([1])
    // What is not tried is tried later.
    const session = sessionOf(chunks, { trials: trialOf(3) })
    expect(triedOf(session, chunks.slice(0, 1), 'small').session.trials?.refusal?.failures).toBe(4)
  })

  it('may be a page or a head, which cost next to nothing', () => {
    const trials = trialOf(3)
    const listing = aListing(0, 2, parkedFor('rejected-by-store'))
    const session = { ...fresh, trials, listing }
    expect(triedOf(session, [], 'small').session.listing?.notBeforeMs).toBe(0)
    expect(triedOf(session, [], 'nothing').session.listing?.notBeforeMs).toBe(Infinity)
  })
})

// Promise 6 of docs/guarantees.md.
describe('a session of which three chunks in a row were refused', () => {
  const waiting = Array.from({ length: 6 }, (_of, index) =>
    aChunk(index, UPLOADING, { effort: NEW_EFFORT, sizeBytes: 10 - index }),
  )
  const begun: Situation = {
    session: waiting.reduce<SessionRecord>((counted, chunk) => recount(counted, undefined, chunk), fresh),
    chunks: waiting,
  }
  const refuse = (index: number) => toChunk(index, { type: 'failed', failure: failure('rejected-by-store') })
  const held = afterAll(begun, refuse(0), refuse(1), refuse(2), { type: 'held-back' })
  const trial = { type: 'trial-due', of: 'refusal', mayLeave: 'all', setAtMs: NOW_MS } as const
  const inQueue = ({ chunks }: Situation) => chunks.filter(({ due }) => due).map(({ index }) => index)

  it('keeps the others back, and tries one of each at a time', () => {
    expect(step(afterAll(begun, refuse(0), refuse(1)), { type: 'held-back' }).accepted).toBe(false)
    expect(inQueue(held)).toEqual([])
    // The smallest of each: never tried, and refused.
    expect(inQueue(after(held, trial))).toEqual([2, 5])
  })

  it('lets them go once any is taken, but not what was refused, for which that shows nothing', () => {
    const taken = afterAll(held, trial, toChunk(5, { type: 'stored' }), { type: 'held-back' })
    expect(inQueue(taken)).toEqual([2, 3, 4])
    expect(taken.session.trials?.refusal?.failures).toBe(2)
    // Of what was refused that shows that it is over.
    const over = afterAll(held, trial, toChunk(2, { type: 'stored' }))
    expect(over.session.trials?.refusal?.failures).toBe(0)
  })

  it('is tried as soon as any other, though something else was refused for long', () => {
    const trials = { refusal: { failures: 9, retryAtMs: NOW_MS + 9_999_999, setAtMs: NOW_MS } }
    const before = { ...begun, session: { ...begun.session, trials } }
    const { session } = afterAll(before, refuse(0), refuse(1), refuse(2), { type: 'held-back' })
    expect(session.trials?.refusal).toMatchObject({ failures: 1, retryAtMs: NOW_MS + 60_000 })
  })

  it('holds nothing back for bytes that it cannot read itself', () => {
    const unread = [0, 1, 2].flatMap((index) =>
      Array<SessionEvent>(4).fill(toChunk(index, { type: 'failed', failure: failure('payload-unreadable') })),
    )
    expect(afterAll(begun, ...unread).session).toMatchObject({ parked: 3 })
    expect(step(afterAll(begun, ...unread), { type: 'held-back' }).accepted).toBe(false)
  })
})

describe('a page that cannot be made', () => {
  const inVain = (code: ErrorCode): SessionEvent => ({
    type: 'listing',
    of: undefined,
    event: { type: 'failed', failure: { ...failure(code), isOfRead: true } },
  })

  it('is told, waits and never parks its session', () => {
    const failed = afterAll(STATES.ended, ...Array<SessionEvent>(9).fill(inVain('defect')))
    expect(failed.session).toMatchObject({
      paused: false,
      trouble: { error: { code: 'defect' }, retryAtMs: expect.any(Number) },
    })
    expect(listingDueMs(failed.session)).toBe(NOW_MS + 30_000)
    expect(after(failed, EVENTS.resumed).session.paging).toBeUndefined()
    expect(after(failed, EVENTS['listing-began']).session.paging).toBeUndefined()
  })
})

describe('a session that does not go on', () => {
  it('has no chunk in the queue', () => {
    expect(STATES.recording.chunks[0]).toHaveProperty('due')
    const stopped = after(STATES.recording, EVENTS.paused)
    expect(stopped.chunks[0]?.due).toBeUndefined()
    expect(after(stopped, EVENTS.resumed).chunks).toEqual(STATES.recording.chunks)
  })
})

// Promise 5 of docs/guarantees.md.
describe('a session that is set apart for where it is bound', () => {
  const after = (paused: SessionRecord['paused'], event: SessionEvent) =>
    transition({ ...fresh, paused }, [], event, now).session.paused

  it('goes on again, and not where a person paused it, before or meanwhile', () => {
    expect(after(false, { type: 'paused', by: 'elsewhere' })).toBe('elsewhere')
    expect(after('elsewhere', { type: 'paused', by: false })).toBe(false)
    expect(after(true, { type: 'paused', by: 'elsewhere' })).toBe(true)
    expect(after(true, { type: 'paused', by: false })).toBe(true)
    expect(after('elsewhere', { type: 'paused' })).toBe(true)
  })
})

describe('the trouble that a person is told', () => {
  const failedWith = (before: SessionRecord, code: ErrorCode, nowMs = NOW_MS) =>
    transition(
      before,
      STATES.recording.chunks,
      { type: 'chunk', id: chunkIdOf(sessionId, 0), event: { type: 'failed', failure: failure(code) } },
      { nowMs, random: 0.5 },
    ).session

  it('is gone once something went well', () => {
    const troubled = failedWith(STATES.recording.session, 'unreachable')
    const { session } = transition(troubled, STATES.recording.chunks, EVENTS.chunk, now)
    expect(session.trouble).toBeUndefined()
  })

  it('keeps the time since when it lasts, for as long as it is the same', () => {
    const first = failedWith(STATES.recording.session, 'unreachable')
    const again = failedWith(first, 'unreachable', NOW_MS + 60_000)
    expect(again.trouble).toMatchObject({ error: { code: 'unreachable' }, sinceMs: NOW_MS })
    const other = failedWith(again, 'timeout', NOW_MS + 90_000)
    expect(other.trouble).toMatchObject({ sinceMs: NOW_MS + 90_000 })
    // The clock was ahead.
    expect(failedWith(first, 'unreachable', NOW_MS - 60_000).trouble).toMatchObject({
      sinceMs: NOW_MS - 60_000,
    })
  })

  it('lasts while what was refused is tried, until that goes well', () => {
    const refused = after(STATES.recording, toChunk(0, { type: 'failed', failure: failure('bad-input') }))
    const { trouble } = refused.session
    const tried = after(refused, { type: 'trial-due', of: 'refusal', mayLeave: 'all', setAtMs: NOW_MS })
    expect(tried.session).toMatchObject({ parked: 0, trouble })
    const again = transition(
      tried.session,
      tried.chunks,
      toChunk(0, { type: 'failed', failure: failure('bad-input') }),
      { nowMs: NOW_MS + 60_000, random: 0.5 },
    )
    expect(again.session).toMatchObject({ parked: 1, trouble })
    expect(after(tried, toChunk(0, { type: 'stored' })).session.trouble).toBeUndefined()
  })

  it('of a sealing is gone once that goes well, and of nothing else', () => {
    const seals: SessionEvent[] = (
      [
        { type: 'hash-began' },
        { type: 'encrypt-began' },
        { type: 'sealed', seal, bytes: new ArrayBuffer(9) },
      ] as const
    ).map((event) => toChunk(1, event))
    const unsealed = (code: ErrorCode) => toChunk(1, { type: 'failed', failure: failure(code) })
    const begun = situation([UPLOADING, CAPTURED])
    expect(afterAll(begun, unsealed('payload-unreadable'), ...seals).session.trouble).toBeUndefined()
    const unreachable = toChunk(0, { type: 'failed', failure: failure('unreachable') })
    const both = afterAll(begun, unsealed('payload-unreadable'), unreachable, ...seals)
    expect(both.session.trouble).toMatchObject({ error: { code: 'unreachable' } })
  })

  it('is none of a session that is over, of which something comes late', () => {
    const over = { ...ended, listed: listedUpTo(3), anchored: anchoredAt(3) }
    const told = situation([CONFIRMED], { ...over, completion: { ...NEW_EFFORT, told: 3 } })
    const untold = { type: 'completion', event: { type: 'failed', failure: failure('timeout') } } as const
    for (const event of [EVENTS['must-wait'], untold])
      expect(step(told, event).session.trouble).toBeUndefined()
  })

  it('is not told of our own stop', () => {
    expect(failedWith(STATES.recording.session, 'aborted').trouble).toBeUndefined()
  })
})

describe('any history of a recording', () => {
  type Act =
    | 'admit-sealed'
    | 'admit-raw'
    | 'note'
    | 'seal'
    | 'store'
    | 'refuse'
    | 'complete'
    | 'interrupt'
    | 'begin-page'
    | 'store-page'
    | 'refuse-page'
    | 'hand-over'
    | 'confirm'
    | 'pause'
    | 'resume'
    | 'trial'
    | 'wait'
  const ACTS: readonly Act[] = [
    'admit-sealed',
    'admit-raw',
    'note',
    'seal',
    'store',
    'refuse',
    'complete',
    'interrupt',
    'begin-page',
    'store-page',
    'refuse-page',
    'hand-over',
    'confirm',
    'pause',
    'resume',
    'trial',
    'wait',
  ]
  const anyRun = fc.array(fc.record({ act: fc.constantFrom(...ACTS), pick: fc.nat(99) }), { maxLength: 80 })

  /** What is on the disk: records and, in the log's order, what each entry is of. */
  interface World extends Situation {
    readonly nowMs: number
    readonly log: readonly (number | 'start' | 'note' | 'complete' | 'interrupted')[]
    readonly payloads: ReadonlySet<ChunkId>
    readonly heads: readonly HeadRecord[]
  }

  const started: World = {
    ...keep(
      { session: aSession(NOW_MS), chunks: [], nowMs: NOW_MS, log: [], payloads: new Set(), heads: [] },
      [{ type: 'session-started' }],
    ),
  }

  /** Commits the events one after the other, those that are refused too, as the store does. */
  function keep(world: World, events: readonly SessionEvent[]): World {
    let before = world
    for (const event of events) {
      const at = { nowMs: before.nowMs, random: 0.5 }
      const found = given(before, event)
      const sizes = headsNeeded(before.session, found, event)
      let heads = before.heads
      const { session, chunks, effects } = transition(
        before.session,
        found,
        event,
        at,
        heads.filter(({ size }) => sizes && size > sizes.from && size <= sizes.to),
      )
      const payloads = new Set(before.payloads)
      const log = [...before.log]
      if (event.type === 'chunk-admitted') payloads.add(event.chunk.id)
      for (const effect of effects) {
        if (effect[0] === 'deletePayload') payloads.delete(effect[1])
        if (effect[0] === 'putHead') {
          const [, put] = effect
          heads = [...heads.filter(({ size }) => size !== put.size), put].sort((a, b) => a.size - b.size)
        }
        if (effect[0] !== 'putEntry') continue
        expect(effect[2]).toBe(log.length)
        const kind = kindOf(effect[3])
        log.push(kind === 'end' ? (effect[3][1] === 1 ? 'complete' : 'interrupted') : kind)
      }
      const all = new Map([...before.chunks, ...chunks].map((chunk) => [chunk.id, chunk]))
      before = Object.assign({}, before, { session, chunks: [...all.values()], log, payloads, heads })
    }
    return before
  }

  const among = (chunks: readonly ChunkRecord[], pick: number, ...statuses: string[]) => {
    const found = chunks.filter(({ state }) => statuses.includes(state.status))
    return found[pick % found.length]
  }
  const nextPage = ({ session }: World) => {
    const again = session.size === session.listed.tree.size ? session.expired?.[0] : undefined
    const to = again?.to ?? session.size
    return aListing(again?.from ?? session.listed.tree.size, to, { page: digest(String(to % 10)) })
  }

  /** What the engine would do, where it could. */
  function eventsOf(world: World, act: Act, pick: number): SessionEvent[] {
    const { session, chunks } = world
    const of = (id: ChunkId | undefined, ...events: readonly ChunkEvent[]): SessionEvent[] =>
      id === undefined ? [] : events.map((event) => ({ type: 'chunk', id, event }))
    switch (act) {
      case 'admit-sealed':
      case 'admit-raw': {
        if (session.ending === 'complete') return []
        const state = act === 'admit-raw' ? CAPTURED : UPLOADING
        return [{ type: 'chunk-admitted', chunk: aChunk(chunks.length, state) }]
      }
      case 'note':
        return [{ type: 'noted', index: Math.max(0, session.notes - (pick % 2)), atMs: 5, sealed: 'ab' }]
      case 'seal':
        return of(
          among(chunks, pick, 'captured')?.id,
          { type: 'hash-began' },
          { type: 'encrypt-began' },
          { type: 'sealed', seal, bytes: new ArrayBuffer(20) },
        )
      case 'store':
        return of(among(chunks, pick, 'uploading')?.id, { type: 'send-began' }, { type: 'stored' })
      case 'refuse':
        return of(among(chunks, pick, 'captured', 'uploading')?.id, {
          type: 'failed',
          failure: failure(pick % 2 === 0 ? 'rejected-by-store' : 'sign-in-needed'),
        })
      case 'complete':
        return [
          { type: 'session-ended', ending: 'complete', indexes: chunks.length + (pick % 4 === 0 ? 1 : 0) },
        ]
      case 'interrupt':
        return [{ type: 'session-ended', ending: 'interrupted' }]
      case 'begin-page':
        return listingDueMs(session) === 0 && !session.listing
          ? [{ type: 'listing-began', of: nextPage(world) }]
          : []
      case 'store-page': {
        const { listing } = session
        if (listing === undefined) return []
        const { size } = listing.tree
        const { from } = listing.frame
        const end = session.logEnd === 'complete' && size === session.size
        const listed = from < session.listed.tree.size ? session.listed : listedUpTo(size)
        return [{ type: 'page-stored', of: listing, listed, head: aHead(size, end, from) }]
      }
      case 'refuse-page': {
        const { listing } = session
        const event = { type: 'failed', failure: failure('rejected-by-store') } as const
        return listing ? [{ type: 'listing', of: listing, event }] : []
      }
      case 'hand-over':
        return [
          { type: 'witness', event: { ...LOOKED, type: 'anchor-sent', size: session.listed.tree.size } },
        ]
      case 'confirm': {
        const { size } = session.listed.tree
        return size === 0 ? [] : [{ type: 'anchor-confirmed', anchored: anchoredAt(size) }]
      }
      case 'pause':
        return [{ type: 'paused' }]
      case 'resume':
        return [{ type: 'resumed', byPerson: pick % 2 === 0 }]
      case 'trial': {
        const of = (['sign-in', 'refusal'] as const satisfies TrialKind[])[pick % 2]!
        return [{ type: 'trial-due', of, mayLeave: 'all', setAtMs: session.trials?.[of]?.setAtMs ?? 0 }]
      }
      case 'wait':
        return []
    }
  }

  const goOn = (world: World, act: Act, pick = 0): World => ({
    ...keep(world, eventsOf(world, act, pick)),
    nowMs: world.nowMs + (act === 'wait' ? PROOF_LASTS_MS + 1 : 1),
  })

  function check({ session, chunks, log, payloads }: World): void {
    const recounted = chunks.reduce(
      (counted, chunk) => recount(counted, undefined, chunk),
      aSession(NOW_MS, { listed: session.listed, listing: session.listing }),
    )
    for (const status of CHUNK_STATUSES) expect(session.tally[status], status).toBe(recounted.tally[status])
    for (const count of [
      'parked',
      'parkedRaw',
      'localBytes',
      'totalBytes',
      'storedBytes',
      'totalMs',
      'storedMs',
    ] as const)
      expect(session[count], count).toBe(recounted[count])

    expect(session.size).toBe(log.length)
    expect(log.filter((of) => of === 'note')).toHaveLength(session.notes)
    const indexes = log.filter((of) => typeof of === 'number')
    expect(new Set(indexes).size).toBe(indexes.length)
    expect(indexes).toHaveLength(totalChunks(session) - rawChunks(session))
    const completeAt = log.indexOf('complete')
    if (completeAt !== -1) expect(completeAt).toBe(log.length - 1)
    const last = log.at(-1)
    expect(session.logEnd).toBe(last === 'complete' || last === 'interrupted' ? last : undefined)
    const raw = rawChunks(session)
    if (session.ending !== 'recording' && raw === 0) expect(session.logEnd).toBe(session.ending)
    // What cannot be sealed holds no end up, and is not hidden by it.
    if (session.ending !== 'recording' && raw === session.parkedRaw) expect(session.logEnd).toBeDefined()
    if (raw > 0) expect(session.logEnd).not.toBe('complete')
    // One that goes on says so by its next entry.
    if (session.ending === 'recording' && raw === 0) expect(session.logEnd).toBeUndefined()

    const { listed, listing, anchored } = session
    const { from = listed.tree.size } = listing?.frame ?? {}
    expect(from === listed.tree.size || session.expired?.some((page) => page.from === from)).toBe(true)
    for (const chunk of chunks) {
      const { position, state } = chunk
      expect(withMarks(chunk, session)).toEqual(chunk)
      expect(position).toBe(state.seal ? log.indexOf(chunk.index) : undefined)
      expect(payloads.has(chunk.id)).toBe(state.status !== 'confirmed')
      // What is proved is as far as its entry.
      const isIn = (size: number) => position !== undefined && position < size
      if (state.status === 'confirmed') expect(isIn(anchored?.size ?? 0)).toBe(true)
    }
    const isWhole = session.ending !== 'recording' && session.tally.confirmed === chunks.length
    const isAnchored = anchored?.size === log.length && last === session.ending
    const isHeld =
      (chunks.length === 0 && !log.includes('note')) || (isAnchored && session.expired === undefined)
    expect(session.open === undefined).toBe(isWhole && isHeld)
  }

  const runOf = (run: readonly { readonly act: Act; readonly pick: number }[]) =>
    run.reduce((world, { act, pick }) => {
      const next = goOn(world, act, pick)
      check(next)
      return next
    }, started)

  it('keeps records, log and bytes in step', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        runOf(run)
      }),
      { numRuns: 300 },
    )
  })

  // Promise 5 of docs/guarantees.md.
  it('has a way to its end: all on the chain, nothing left to do', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        let world = goOn(runOf(run), 'resume')
        world = goOn(world, 'complete', 1)
        for (const act of ['seal', 'store'] as const)
          for (let left = pendingChunks(world.session); left > 0; left--) world = goOn(world, act)
        for (const act of ['store-page', 'begin-page', 'store-page', 'confirm', 'resume'] as const)
          world = goOn(world, act)
        // Pages and chunks whose proof had become too old.
        for (let left = world.heads.length; left > 0; left--)
          for (const act of ['begin-page', 'store-page'] as const) world = goOn(world, act)
        for (let left = pendingChunks(world.session); left > 0; left--) world = goOn(world, 'store')
        world = goOn(world, 'confirm')
        check(world)
        expect(world.session).toMatchObject({ ending: 'complete', logEnd: 'complete' })
        expect(world.session.open).toBeUndefined()
        expect(world.payloads.size).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a failure of what a person has resumed since', () => {
  const failure = { code: 'sign-in-needed', message: 'No.', retryAfterMs: 0 } as const
  const resumed = aSession(0, { size: 3, resumedAtMs: 500, listing: aListing(0, 2), completion: NEW_EFFORT })
  const chunk = aChunk(0, { status: 'uploading', seal })
  const failed = (asOf?: number) => {
    const of = asOf === undefined ? undefined : { ...resumed, resumedAtMs: asOf || undefined }
    return { type: 'failed', failure: { ...failure, of } } as const
  }
  const events = (asOf?: number): SessionEvent[] => [
    { type: 'chunk', id: chunk.id, event: failed(asOf) as never },
    { type: 'listing', of: resumed.listing, event: failed(asOf) as never },
    { type: 'witness', event: failed(asOf) as never },
    { type: 'completion', event: failed(asOf) as never },
  ]
  const after = (event: SessionEvent, session: SessionRecord = { ...resumed, listed: listedUpTo(1) }) =>
    sessionTransition(session, [chunk], event, { nowMs: 1_000, random: 0 })

  it.each(events(499))(
    'is of before, and changes nothing, where a person has resumed since: $type',
    (event) => {
      expect(after(event)).toBeUndefined()
    },
  )

  it.each([...events(500), ...events()])('counts where nobody has, or nobody knows: $type', (event) => {
    expect(after(event)).toBeDefined()
  })

  it('counts as it did where nobody ever has, by another clock too', () => {
    const event = events(0)[0]!
    expect(after(event, { ...resumed, resumedAtMs: undefined })).toBeDefined()
    // The clock was set back before the person resumed.
    expect(after(events(700)[0]!)).toBeUndefined()
  })
})
