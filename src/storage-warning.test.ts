import { describe, expect, it } from 'vitest'
import { storageWarning } from './storage-warning.ts'

const GB = 1_000_000_000

describe('the storage warning', () => {
  it('is silent while there is room, or while the browser tells nothing', () => {
    expect(storageWarning({ usage: 1 * GB, quota: 10 * GB }, 0)).toBeUndefined()
    expect(storageWarning({ usage: 0, quota: 0 }, 0)).toBeUndefined()
  })

  it('speaks from four fifths used, or below 500 MB free', () => {
    expect(storageWarning({ usage: 8 * GB, quota: 10 * GB }, 5)).toEqual({
      reason: 'little-room',
      freeBytes: 2 * GB,
      localBytes: 5,
    })
    expect(storageWarning({ usage: 7.99 * GB, quota: 10 * GB }, 0)).toBeUndefined()
    expect(storageWarning({ usage: 0.1 * GB, quota: 0.5 * GB }, 0)).toMatchObject({ freeBytes: 0.4 * GB })
    expect(storageWarning({ usage: 0.6 * GB, quota: 0.5 * GB }, 0)).toMatchObject({ freeBytes: 0 })
  })

  it('believes our own ledger where the browser promises 10 GiB whatever is used', () => {
    const promised = (usage: number) => ({ usage, quota: usage + 10 * 1024 ** 3 })
    expect(storageWarning(promised(1 * GB), 1 * GB)).toBeUndefined()
    expect(storageWarning(promised(2 * GB), 2 * GB)).toMatchObject({ reason: 'backlog', localBytes: 2 * GB })
    expect(storageWarning({ usage: 0, quota: 0 }, 3 * GB)).toMatchObject({ reason: 'backlog' })
  })
})
