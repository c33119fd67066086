import { describe, expect, it } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const NOW_MS = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT')
const DAY_MS = 86_400_000

describe('retryAfterMs', () => {
  it.each([
    { header: null, ms: 0 },
    { header: '', ms: 0 },
    { header: '0', ms: 0 },
    { header: '7', ms: 7_000 },
    { header: ' 120 ', ms: 120_000 },
    { header: 'Sun, 06 Nov 1994 08:49:52 GMT', ms: 15_000 },
    { header: 'Sun, 06 Nov 1994 08:49:30 GMT', ms: 0 },
    { header: 'soon', ms: 0 },
    { header: '99999999', ms: DAY_MS },
    { header: '9'.repeat(400), ms: DAY_MS },
    { header: 'Fri, 31 Dec 9999 23:59:59 GMT', ms: DAY_MS },
  ])('$header is $ms ms', ({ header, ms }) => expect(retryAfterMs(header, NOW_MS)).toBe(ms))
})
