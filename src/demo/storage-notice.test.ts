import { describe, expect, it } from 'vitest'
import { leftOfTrial, lengthInWords, stillRoomFor, storageWords, warningWords } from './storage-notice.ts'

const MINUTE_MS = 60_000

describe('the storage warning in words', () => {
  const held = { localBytes: 76_000_000, localMs: 4.5 * MINUTE_MS }

  it('says what to do: uploads free space where some wait', () => {
    expect(warningWords({ isSoonFull: true, ...held }, false)).toBe(
      'This device is almost full: less than two minutes of video have room. ' +
        '4 min of video (76 MB) wait to be uploaded. ' +
        'Connect to a network so that uploads free space, or delete other files.',
    )
    expect(warningWords({ isSoonFull: true, localBytes: 0, localMs: 0 }, false)).toContain(
      'Delete other files',
    )
  })

  it('promises no room where only the backlog is known, and is silent while there is room', () => {
    expect(warningWords({ isSoonFull: false, ...held }, true)).toMatch(/^Much is not uploaded yet\./)
    expect(warningWords({ isSoonFull: false, ...held }, false)).toBeUndefined()
  })
})

describe('the storage line', () => {
  it('tells used and free in minutes, and whether it stays', () => {
    const forecast = { localBytes: 1, localMs: 30_000, freeMs: 200 * MINUTE_MS }
    expect(storageWords(forecast, 'kept')).toBe(
      'Less than a minute of video on this device until it is proved. Room for at least 3 h more. ' +
        'The browser will not clear recordings to make room.',
    )
    const first = { localBytes: 0, localMs: 0, freeMs: undefined }
    expect(storageWords(first, 'refused')).toMatch(/^The browser may clear recordings when space runs out:/)
    expect(storageWords({ localBytes: 0, localMs: 0, freeMs: undefined }, undefined)).toBe('')
    expect(storageWords({ localBytes: 0, localMs: 0, freeMs: 119_000 }, undefined)).toBe('')
  })

  it('never promises more than there is', () => {
    expect([59_999, 60_000, 119 * MINUTE_MS, 120 * MINUTE_MS].map(lengthInWords)).toEqual([
      'less than a minute',
      '1 min',
      '119 min',
      '2 h',
    ])
  })
})

describe('room while something records', () => {
  /** Each look finds 20 more on this device. */
  const looks = (has: boolean | undefined) => {
    let look = { triedBytes: 100 as number | undefined, localBytes: 0 }
    return [20, 40, 60, 80].map((localBytes) => {
      const left = leftOfTrial(look, localBytes)
      look = { triedBytes: stillRoomFor(50, has, left), localBytes }
      return look.triedBytes
    })
  }
  it('goes down by what was recorded, look by look, to what was tried just now', () => {
    expect(looks(true)).toEqual([80, 60, 50, 50])
    expect(looks(undefined)).toEqual([80, 60, 40, 20])
    expect(looks(false)).toEqual([0, 0, 0, 0])
  })

  it('takes nothing for found where uploads have freed space, or nothing was tried', () => {
    expect(leftOfTrial({ triedBytes: 100, localBytes: 20 }, 5)).toBe(100)
    expect(leftOfTrial({ triedBytes: undefined, localBytes: 0 }, 5)).toBeUndefined()
  })
})
