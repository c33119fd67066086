import { describe, expect, it } from 'vitest'
import { storageWarning } from './storage-notice.ts'

const GB = 1_000_000_000

describe('the storage warning', () => {
  it('is silent while there is room, or while the browser tells nothing', () => {
    expect(storageWarning({ usage: 1 * GB, quota: 10 * GB }, 0)).toBeUndefined()
    expect(storageWarning({ usage: 0, quota: 0 }, 0)).toBeUndefined()
  })

  it('speaks from four fifths used, or below 500 MB free', () => {
    expect(storageWarning({ usage: 8 * GB, quota: 10 * GB }, 0)).toContain('2.0 GB left')
    expect(storageWarning({ usage: 0.1 * GB, quota: 0.5 * GB }, 0)).toContain('400 MB left')
  })

  it('says what to do: uploads free space where some wait', () => {
    expect(storageWarning({ usage: 9 * GB, quota: 10 * GB }, 76_000_000)).toBe(
      'Storage is running low: 1.0 GB left. 76 MB of recordings wait to be uploaded. ' +
        'Connect to a network so that uploads free space, or delete other files.',
    )
    expect(storageWarning({ usage: 9 * GB, quota: 10 * GB }, 0)).toContain('Delete other files')
  })
})
