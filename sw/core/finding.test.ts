import { describe, expect, it } from 'vitest'
import { aListing, aSession } from '../testing/records.ts'
import type { ErrorCode } from '../../src/protocol/errors.ts'
import { CLOSED } from './circuit.ts'
import { finding } from './finding.ts'

// Promises 5, 6 of docs/guarantees.md.

const NOW_MS = 1_000
const asked = { ...CLOSED, notBeforeMs: NOW_MS + 60, floorMs: NOW_MS + 60 }
const told = {
  type: 'must-wait',
  error: { code: 'throttled', message: 'It waits for its server.' },
  untilMs: NOW_MS + 60,
}
const session = aSession(5)
const uploading = { ...session, tally: { ...session.tally, uploading: 1 } }
const anchoring = { ...session, tally: { ...session.tally, anchoring: 1 } }

describe('of a store that has asked for a wait', () => {
  const from = { listing: asked, witness: CLOSED, completion: CLOSED }
  it('is told who needs it next', () => {
    expect(finding(uploading, 'here', from, NOW_MS)).toEqual(told)
    expect(finding({ ...anchoring, listing: aListing(0, 2) }, 'here', from, NOW_MS)).toEqual(told)
    expect(finding(anchoring, 'here', from, NOW_MS)).toBeUndefined()
    expect(finding({ ...uploading, paused: true }, 'here', from, NOW_MS)).toBeUndefined()
  })

  it('is told nobody who has trouble of its own, nor once the time has come', () => {
    const trouble = { error: { code: 'rejected-by-store', message: 'why' }, sinceMs: 70 } as const
    expect(finding({ ...uploading, trouble }, 'here', from, NOW_MS)).toBeUndefined()
    expect(finding(uploading, 'here', from, NOW_MS + 60)).toBeUndefined()
  })
})

it('of a chain that has asked for a wait is told who needs no store before it', () => {
  const from = { listing: CLOSED, witness: asked, completion: CLOSED }
  expect(finding(anchoring, 'here', from, NOW_MS)).toEqual(told)
  expect(finding(uploading, 'here', from, NOW_MS)).toBeUndefined()
  expect(finding(session, 'here', from, NOW_MS)).toBeUndefined()
})

describe('of a server that does not answer', () => {
  const away = (failures: number, code: ErrorCode = 'unreachable') => ({
    ...CLOSED,
    failures,
    notBeforeMs: NOW_MS + 9,
    code,
  })
  const says = { ...told, error: { ...told.error, code: 'unreachable' }, untilMs: NOW_MS + 9 }

  it.each(['timeout', 'server-error'] as const)('is told that it failed with %s', (code) => {
    const from = { listing: away(3, code), witness: CLOSED, completion: CLOSED }
    expect(finding(uploading, 'here', from, NOW_MS)).toMatchObject({ error: { code } })
    // While the server has asked for a wait, it is that, whatever has failed since.
    const busy = { ...from.listing, floorMs: NOW_MS + 9 }
    expect(finding(uploading, 'here', { ...from, listing: busy }, NOW_MS)).toMatchObject({
      error: { code: 'throttled' },
    })
  })

  it('is told who needs it next, once it has failed three times', () => {
    const store = (failures: number) => ({ listing: away(failures), witness: CLOSED, completion: CLOSED })
    expect(finding(uploading, 'here', store(2), NOW_MS)).toBeUndefined()
    expect(finding(uploading, 'here', store(3), NOW_MS)).toEqual(says)
    expect(finding(anchoring, 'here', store(3), NOW_MS)).toBeUndefined()
    const chain = { listing: CLOSED, witness: away(3), completion: CLOSED }
    expect(finding(anchoring, 'here', chain, NOW_MS)).toEqual(says)
    // Also while it is asked.
    expect(finding(anchoring, 'here', chain, NOW_MS + 9)).toEqual(says)
  })

  it('is told nobody who has trouble of its own', () => {
    const trouble = { error: { code: 'timeout', message: 'why' }, sinceMs: 70 } as const
    const from = { listing: away(3), witness: CLOSED, completion: CLOSED }
    expect(finding({ ...uploading, trouble }, 'here', from, NOW_MS)).toBeUndefined()
  })
})

describe('of what it waits for, of which nothing is heard,', () => {
  const from = { listing: CLOSED, witness: CLOSED, completion: CLOSED }
  const untilMs = NOW_MS + 5

  it('is told until when that may last, unless it has trouble of its own', () => {
    const error = { code: 'timeout', message: 'It waits for its server.' }
    expect(finding(uploading, 'here', from, NOW_MS, untilMs)).toEqual({ type: 'must-wait', error, untilMs })
    expect(finding(uploading, 'here', from, NOW_MS)).toBeUndefined()
    expect(finding({ ...uploading, paused: true }, 'here', from, NOW_MS, untilMs)).toBeUndefined()
    const trouble = { error: { code: 'rejected-by-store', message: 'why' }, sinceMs: 70 } as const
    expect(finding({ ...uploading, trouble }, 'here', from, NOW_MS, untilMs)).toBeUndefined()
  })
})

it('of an app that does not answer is told a session that has settled', () => {
  const from = {
    listing: CLOSED,
    witness: CLOSED,
    completion: { ...CLOSED, failures: 3, code: 'completion-failed' as const },
  }
  const settled = { ...session, ending: 'complete', logEnd: 'complete' } as const
  expect(finding(settled, 'here', from, NOW_MS)).toMatchObject({ error: { code: 'completion-failed' } })
  expect(finding(session, 'here', from, NOW_MS)).toBeUndefined()
})

describe('whether it is bound here', () => {
  const well = { listing: CLOSED, witness: CLOSED, completion: CLOSED }
  it.each([
    ['goes on here', { identity: 'here', paused: false }, undefined],
    ['goes on, and is of an older version', { paused: false }, undefined],
    ['goes on, and belongs elsewhere', { identity: 'there', paused: false }, 'elsewhere'],
    ['is paused by a person, and belongs elsewhere', { identity: 'there', paused: true }, undefined],
    ['waits for its own worker', { identity: 'there', paused: 'elsewhere' }, undefined],
    ['has its own worker back', { identity: 'here', paused: 'elsewhere' }, false],
    ['is paused by a person', { identity: 'here', paused: true }, undefined],
  ] as const)('a session that %s', (_what, fields, by) => {
    const event = by === undefined ? undefined : { type: 'paused', by }
    expect(finding({ ...session, ...fields }, 'here', well, NOW_MS)).toEqual(event)
  })
})

describe('of a session that changed at a time that is yet to come', () => {
  const from = { listing: CLOSED, witness: CLOSED, completion: CLOSED }
  const changed = (changedAtMs?: number) => finding({ ...session, changedAtMs }, 'here', from, NOW_MS)

  it('is found that the clock was set back: it waits for nothing that was stored', () => {
    expect(changed(NOW_MS + 60_000)).toBeUndefined()
    expect(changed(NOW_MS + 60_001)).toEqual({ type: 'resumed' })
    expect(changed(undefined)).toEqual({ type: 'resumed' })
  })

  it('is nothing found while it is paused', () => {
    expect(finding({ ...session, changedAtMs: 1e15, paused: true }, 'here', from, NOW_MS)).toBeUndefined()
  })
})
