import { describe, expect, it } from 'vitest'
import { warningWords } from './storage-notice.ts'

const freeBytes = 1_000_000_000

describe('the storage warning in words', () => {
  it('says what to do: uploads free space where some wait', () => {
    expect(warningWords({ reason: 'little-room', freeBytes, localBytes: 76_000_000 })).toBe(
      'Storage is running low: 1.0 GB left. 76 MB of recordings wait to be uploaded. ' +
        'Connect to a network so that uploads free space, or delete other files.',
    )
    expect(warningWords({ reason: 'little-room', freeBytes, localBytes: 0 })).toContain('Delete other files')
  })

  it('promises no room where only the backlog is known', () => {
    expect(warningWords({ reason: 'backlog', freeBytes, localBytes: 3_000_000_000 })).toBe(
      'Much is not uploaded yet. 3.0 GB of recordings wait to be uploaded. ' +
        'Connect to a network so that uploads free space, or delete other files.',
    )
  })
})
