import { describe, expect, it } from 'vitest'
import { aListing, aSession } from '../testing/records.ts'
import { CLOSED } from './circuit.ts'
import { finding } from './finding.ts'

// Promise 6 of docs/guarantees.md.

const NOW_MS = 1_000
const asked = { ...CLOSED, floorMs: NOW_MS + 60 }
const told = { type: 'held-up', untilMs: NOW_MS + 60 }
const session = aSession(5)
const uploading = { ...session, tally: { ...session.tally, uploading: 1 } }
const anchoring = { ...session, tally: { ...session.tally, anchoring: 1 } }

describe('of a store that has asked for a wait', () => {
  const from = { listing: asked, witness: CLOSED }
  it('is told who needs it next', () => {
    expect(finding(uploading, from, NOW_MS)).toEqual(told)
    expect(finding({ ...anchoring, listing: aListing(0, 2) }, from, NOW_MS)).toEqual(told)
    expect(finding(anchoring, from, NOW_MS)).toBeUndefined()
    expect(finding({ ...uploading, paused: true }, from, NOW_MS)).toBeUndefined()
  })

  it('is told nobody who has trouble of its own, nor once the time has come', () => {
    const trouble = { error: { code: 'rejected-by-store', message: 'why' }, sinceMs: 70 } as const
    expect(finding({ ...uploading, trouble }, from, NOW_MS)).toBeUndefined()
    expect(finding(uploading, from, NOW_MS + 60)).toBeUndefined()
  })
})

it('of a chain that has asked for a wait is told who needs no store before it', () => {
  const from = { listing: CLOSED, witness: asked }
  expect(finding(anchoring, from, NOW_MS)).toEqual(told)
  expect(finding(uploading, from, NOW_MS)).toBeUndefined()
  expect(finding(session, from, NOW_MS)).toBeUndefined()
})
