import { describe, expect, it } from 'vitest'
import { brokenAt, logOf } from './leveldb-log.ts'

// That Chromium takes the same logs for broken is shown by torn-write.spec.ts.

const [short, long] = [new Uint8Array(900).fill(7), new Uint8Array(100_000).fill(8)]

describe('a write-ahead log', () => {
  const whole = logOf([short, long, short])

  it('is whole as its writer left it', () => {
    expect(brokenAt(new Uint8Array())).toBeUndefined()
    expect(brokenAt(whole)).toBeUndefined()
  })

  it('is broken at the record that its writer did not finish, wherever that died', () => {
    const ends = [0, 1, 2, 3].map((count) => logOf([short, long, short].slice(0, count)).length)
    for (const died of [1, 6, 7, 8, ends[1]! + 7, ends[1]! + 40_000, ends[2]! + 3, ends[3]! - 1]) {
      const begun = ends.findLast((end) => end <= died)
      expect(brokenAt(whole.subarray(0, died)), `died at ${died}`).toBe(begun)
    }
    for (const end of ends) expect(brokenAt(whole.subarray(0, end)), `died at ${end}`).toBeUndefined()
  })

  it('stays broken there when another writer goes on behind it', () => {
    const torn = whole.subarray(0, logOf([short]).length + 7)
    const after = logOf([short, short, short, short])
    expect(brokenAt(Buffer.concat([torn, after]))).toBe(logOf([short]).length)
  })
})
