import { describe, expect, it } from 'vitest'
import { uploadWords } from './upload-progress.ts'

const MB = 1_000_000
const progress = {
  totalMs: 0,
  storedMs: 0,
  totalBytes: 40 * MB,
  storedBytes: 12.3 * MB,
  bytesPerSecond: 262_500,
  timeLeftMs: 106_000,
}
const words = (more: Partial<typeof progress> = {}, moving = true, locale = 'en') =>
  uploadWords({ ...progress, ...more }, moving, locale)

describe('the words of an upload', () => {
  it('tell bytes, rate and time left', () => {
    expect(words()).toBe('12.3 of 40 MB, 2.1 Mbit/s, about 2 min left')
  })

  it('tell the bytes alone where nothing moves', () => {
    expect(words({}, false)).toBe('12.3 of 40 MB')
  })

  it('are in the reader’s notation', () => {
    expect(words({}, true, 'de')).toBe('12,3 of 40 MB, 2,1 Mbit/s, about 2 min left')
  })

  it.each([
    [0, 640, '0 of 640 B'],
    [100, 999_600, '0 of 1 MB'],
    [160_000, 720_100, '160 of 720 kB'],
    [1_550_000, 9_000_000, '1.6 of 9 MB'],
    [2_460_000_000, 12_000_000_000, '2.5 of 12 GB'],
  ])('%d of %d bytes: %s', (storedBytes, totalBytes, text) => {
    expect(words({ storedBytes, totalBytes }, false)).toBe(text)
  })

  it.each([
    [1_000, '8 kbit/s'],
    [124_937, '999 kbit/s'],
    [124_938, '1 Mbit/s'],
    [1_250_000, '10 Mbit/s'],
    [125_000_000, '1,000 Mbit/s'],
  ])('%d bytes per second: %s', (bytesPerSecond, text) => {
    expect(words({ bytesPerSecond })).toContain(`, ${text}, `)
  })

  it.each([
    [3, 'a few seconds left'],
    [11, 'about 20 s left'],
    [50, 'about 50 s left'],
    [51, 'about 1 min left'],
    [61, 'about 2 min left'],
    [3_570, 'about 60 min left'],
    [3_600, 'about 1 h left'],
    [5_400, 'about 1.5 h left'],
  ])('%d seconds: %s', (seconds, text) => {
    expect(words({ timeLeftMs: seconds * 1_000 })).toMatch(new RegExp(`, ${text}$`))
  })
})
