import { describe, expect, it } from 'vitest'
import type { Cid, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import { workRemains } from './plan.ts'
import { publicationDueMs, publicationStep, PUBLISH_EVERY_MS } from './publication.ts'
import type { Anchored, Publication, SessionRecord } from './record.ts'
import { newSession } from './session.ts'

const NOW_MS = 1_800_000_000_000
const moment = { nowMs: NOW_MS, random: 0.5 }
const due = { kind: 'due', notBeforeMs: 0 } as const
const root = 'c'.repeat(64) as Sha256Hex
const manifest = {
  uploader: `0x${'1'.repeat(40)}`,
  cid: 'bmanifest' as Cid,
  sha256: 'c'.repeat(64) as Sha256Hex,
  sizeBytes: 900,
}

const fresh = newSession({
  sessionId: '00000000-0000-4000-8000-000000000001' as SessionId,
  mimeType: 'video/webm',
  startedAtMs: NOW_MS - 3_600_000,
  access: [],
})
const session = (
  tally: Partial<SessionRecord['tally']>,
  rest: Partial<SessionRecord> = {},
): SessionRecord => ({ ...fresh, ...rest, tally: { ...fresh.tally, ...tally } })

const begun: Publication = {
  stage: 'manifesting',
  ending: 'complete',
  lastUpdatedMs: NOW_MS,
  merkleRoot: root,
  chunkCount: 3,
  sent: false,
  failures: 0,
  wait: due,
}
const under = (ending: Anchored['ending']): Anchored => ({
  merkleRoot: root,
  manifestCid: manifest.cid,
  chunkCount: 3,
  blockNumber: 5,
  confirmedAtMs: NOW_MS,
  ending,
})

describe('publicationDueMs', () => {
  it('is never for a session without verified chunks', () => {
    expect(publicationDueMs(session({}))).toBeUndefined()
    expect(publicationDueMs(session({ uploading: 5 }))).toBeUndefined()
    expect(publicationDueMs(session({ uploading: 5 }, { ending: 'complete' }))).toBeUndefined()
    expect(publicationDueMs(session({}, { ending: 'complete' }))).toBeUndefined()
  })

  it('is now once an ended session has everything verified', () => {
    expect(publicationDueMs(session({ uploaded: 500 }, { ending: 'complete' }))).toBe(0)
    expect(publicationDueMs(session({ uploaded: 500 }, { ending: 'interrupted' }))).toBe(0)
  })

  it('waits for the interval while more of a backlog is on its way, however old the session is', () => {
    const backlog = session(
      { uploading: 499, uploaded: 1 },
      { ending: 'interrupted', unpublishedSinceMs: NOW_MS },
    )
    expect(publicationDueMs(backlog)).toBe(NOW_MS + PUBLISH_EVERY_MS)
  })

  it('waits for the interval while the recording goes on', () => {
    expect(publicationDueMs(session({ uploaded: 2 }, { unpublishedSinceMs: NOW_MS }))).toBe(
      NOW_MS + PUBLISH_EVERY_MS,
    )
  })

  // Promise 9 of docs/guarantees.md.
  it('waits longer in a long recording, so that its manifests do not grow with the square of its length', () => {
    const anHour = session({ confirmed: 1_190, uploaded: 10 }, { unpublishedSinceMs: NOW_MS })
    expect(publicationDueMs(anHour)).toBe(NOW_MS + 180_000)
  })

  // Promise 5 of docs/guarantees.md.
  it('does not wait for parked chunks', () => {
    const tally = { uploaded: 2, uploading: 1, captured: 1 }
    expect(publicationDueMs(session(tally, { ending: 'complete', parked: 2 }))).toBe(0)
  })

  it('is now for an ended session that is confirmed under a manifest that says otherwise', () => {
    const all = { confirmed: 3 }
    expect(publicationDueMs(session(all, { ending: 'complete', anchored: under('recording') }))).toBe(0)
    expect(publicationDueMs(session(all, { ending: 'complete', anchored: under('interrupted') }))).toBe(0)
    expect(
      publicationDueMs(session(all, { ending: 'complete', anchored: under('complete') })),
    ).toBeUndefined()
  })

  it('closes a session whose last chunk is parked, with what there is', () => {
    const rest = { ending: 'complete', parked: 1 } as const
    const tally = { confirmed: 3, uploading: 1 }
    expect(publicationDueMs(session(tally, { ...rest, anchored: under('recording') }))).toBe(0)
    expect(publicationDueMs(session(tally, { ...rest, anchored: under('complete') }))).toBeUndefined()
  })

  it('is the time of the publication in flight, and never that of one that waits for a person', () => {
    const at = (wait: Publication['wait']) =>
      publicationDueMs(session({ uploaded: 9 }, { ending: 'complete', publication: { ...begun, wait } }))
    expect(at({ kind: 'due', notBeforeMs: 77 })).toBe(77)
    expect(at({ kind: 'parked' })).toBeUndefined()
  })

  it('is never while the session is paused', () => {
    expect(publicationDueMs(session({ uploaded: 3 }, { ending: 'complete', paused: true }))).toBeUndefined()
    expect(
      publicationDueMs(session({ manifesting: 3 }, { publication: begun, paused: true })),
    ).toBeUndefined()
  })
})

describe('publicationStep', () => {
  it('goes from the manifest over the anchor to looking at the chain', () => {
    const named = publicationStep(begun, { type: 'manifest-built', manifest }, moment)
    expect(named).toEqual({ ...begun, manifest })
    const sent = publicationStep(named, { type: 'manifest-sent' }, moment)
    expect(sent).toEqual({ ...named, sent: true })
    const stored = publicationStep(sent, { type: 'manifest-stored' }, moment)
    expect(stored).toEqual({ ...named, stage: 'anchoring', sent: false })
    const taken = publicationStep(
      publicationStep(stored, { type: 'anchor-sent' }, moment),
      { type: 'anchor-taken' },
      moment,
    )
    expect(taken).toEqual({ ...stored, sent: true, submittedAtMs: NOW_MS, taken: 1 })
    const look = { type: 'look-again', isSeen: false, atMs: NOW_MS + 9, blockNumber: 7 } as const
    const looking = publicationStep(taken, look, moment)
    const newest = { blockNumber: 7, sinceMs: NOW_MS }
    expect(looking).toEqual({ ...taken, newest, wait: { kind: 'due', notBeforeMs: NOW_MS + 9 } })
    const later = { ...moment, nowMs: NOW_MS + 5 }
    expect(publicationStep(looking, { ...look, isSeen: true }, later)).toEqual({ ...looking, taken: 0 })
    const grown = publicationStep(looking, { ...look, blockNumber: 8 }, later)
    expect(grown.newest).toEqual({ blockNumber: 8, sinceMs: NOW_MS + 5 })
  })

  const failed = (code: 'server-error' | 'unreachable' | 'anchor-rejected', publication = begun) =>
    publicationStep(
      publication,
      { type: 'failed', failure: { code, message: 'why', retryAfterMs: 0 } },
      moment,
    )

  it('waits after a failure, longer after each, and forgets them on progress', () => {
    const twice = failed('server-error', failed('server-error'))
    expect(twice).toMatchObject({
      failures: 2,
      wait: { kind: 'due', notBeforeMs: NOW_MS + 500 },
      lastError: { code: 'server-error' },
    })
    const named = publicationStep(twice, { type: 'manifest-built', manifest }, moment)
    expect(named).toEqual({ ...begun, manifest })
  })

  it('counts no failure while there is no network', () => {
    expect(failed('unreachable')).toMatchObject({ failures: 0, wait: { kind: 'due', notBeforeMs: NOW_MS } })
  })

  it('parks what a person must clear, until it is resumed', () => {
    const parked = failed('anchor-rejected')
    expect(parked.wait).toEqual({ kind: 'parked' })
    expect(publicationStep(parked, { type: 'resumed' }, moment)).toEqual(begun)
  })

  it('under another signer begins with its manifest, of the same chunks', () => {
    const anchored = {
      ...begun,
      stage: 'anchoring' as const,
      manifest,
      sent: true,
      resumeToken: 'here',
      submittedAtMs: 5,
      taken: 2,
    }
    expect(publicationStep(failed('anchor-rejected', anchored), { type: 'signer-changed' }, moment)).toEqual(
      begun,
    )
  })

  it('keeps in mind what has left already when it is resumed', () => {
    const sent = { ...begun, manifest, sent: true }
    expect(publicationStep(failed('anchor-rejected', sent), { type: 'resumed' }, moment)).toEqual(sent)
  })
})

describe('workRemains', () => {
  it.each([
    { what: 'a recording, even an empty one', of: session({}), remains: true },
    { what: 'chunks on their way', of: session({ uploading: 1 }, { ending: 'complete' }), remains: true },
    {
      what: 'only parked chunks',
      of: session({ uploading: 2, captured: 1 }, { ending: 'complete', parked: 3 }),
      remains: false,
    },
    { what: 'a publication to begin', of: session({ uploaded: 1 }, { ending: 'complete' }), remains: true },
    {
      what: 'a parked publication',
      of: session(
        { manifesting: 1 },
        { ending: 'complete', publication: { ...begun, wait: { kind: 'parked' } } },
      ),
      remains: false,
    },
    {
      what: 'a paused session',
      of: session({ uploading: 4 }, { ending: 'complete', paused: true }),
      remains: false,
    },
    {
      what: 'all confirmed',
      of: session({ confirmed: 4 }, { ending: 'complete', anchored: under('complete') }),
      remains: false,
    },
  ])('$what: $remains', ({ of, remains }) => expect(workRemains(of)).toBe(remains))
})
