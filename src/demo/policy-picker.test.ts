import { describe, expect, it } from 'vitest'
import { policyWords } from './policy-picker.ts'

describe('policyWords', () => {
  it('says so while uploads are suspended, and nothing while they are not', () => {
    for (const metered of [true, false]) {
      expect(policyWords({ policy: 'paused', metered })).toContain('off')
      expect(policyWords({ policy: 'always', metered })).toBe('')
    }
    expect(policyWords({ policy: 'unmetered', metered: true })).toContain('Waiting for Wi-Fi')
    expect(policyWords({ policy: 'unmetered', metered: false })).toBe('')
  })
})
