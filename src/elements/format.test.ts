import { describe, expect, it } from 'vitest'
import { count, formatBytes, formatClock, formatWait, shorten } from './format.ts'

describe('formats', () => {
  it('bytes', () => {
    expect([0, 999, 1000, 1_530_000, 12_400_000, 999_999].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.5 MB',
      '12 MB',
      '1.0 MB',
    ])
  })

  it('clocks', () => {
    expect([0, 12_900, 3_723_000].map(formatClock)).toEqual(['00:00', '00:12', '1:02:03'])
  })

  it('waits, rounded up', () => {
    expect([1, 7_001, 84_000, 100_000].map(formatWait)).toEqual(['1 s', '8 s', '84 s', '2 min'])
  })

  it('long ids by both ends, short ones whole', () => {
    expect(shorten('bafkreiabcdefghijklq4mu')).toBe('bafkrei…q4mu')
    expect(shorten('bafkreiq4mu')).toBe('bafkreiq4mu')
  })

  it('one and many', () => {
    expect([count(1, 'retry', 'retries'), count(2, 'retry', 'retries')]).toEqual(['1 retry', '2 retries'])
  })
})
