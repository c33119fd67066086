import { afterEach, describe, expect, it, vi } from 'vitest'
import { isMetered } from './network.ts'

describe('isMetered', () => {
  afterEach(() => vi.unstubAllGlobals())
  const tells = (connection: unknown) => vi.stubGlobal('navigator', { connection })

  it.each([{ saveData: true }, { type: 'cellular' }, { saveData: false, type: 'cellular' }])(
    'is true where the browser tells %j',
    (connection) => {
      tells(connection)
      expect(isMetered()).toBe(true)
    },
  )

  it.each([undefined, {}, { saveData: false }, { saveData: false, type: 'wifi' }, { type: 'unknown' }])(
    'is false where the browser tells %j',
    (connection) => {
      tells(connection)
      expect(isMetered()).toBe(false)
    },
  )

  it('is false where the browser tells nothing', () => {
    vi.stubGlobal('navigator', {})
    expect(isMetered()).toBe(false)
  })
})
