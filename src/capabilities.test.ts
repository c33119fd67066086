import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { capabilities } from './capabilities.ts'

const told = 'Recordings of an earlier version of this app may be on this device, and are not uploaded.'

// Promise 1 of docs/guarantees.md.
describe('a database of an earlier version', () => {
  const serviceWorker = { getRegistration: async () => undefined }
  beforeEach(() => void vi.stubGlobal('navigator', { serviceWorker, locks: {} }))
  afterEach(() => vi.unstubAllGlobals())

  const found = async (databases?: () => Promise<readonly IDBDatabaseInfo[]>) => {
    vi.stubGlobal('indexedDB', { databases })
    const { earlierDatabase, words } = await capabilities()
    return { earlierDatabase, isTold: words.includes(told) }
  }

  it('is told where there is one', async () => {
    const databases = async () => [{ name: 'holdfast', version: 1 }]
    expect(await found(databases)).toEqual({ earlierDatabase: true, isTold: true })
  })

  it('is not one that has a scope in its name', async () => {
    const databases = async () => [{ name: 'holdfast-2:https://app.example/', version: 1 }]
    expect(await found(databases)).toEqual({ earlierDatabase: false, isTold: false })
  })

  it.each([undefined, () => Promise.reject(new Error('No.'))])(
    'is not known where the browser does not list them',
    async (databases) => {
      expect(await found(databases)).toEqual({ earlierDatabase: 'unknown', isTold: false })
    },
  )
})
