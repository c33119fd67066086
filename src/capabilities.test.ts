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

// Promise 2 of docs/guarantees.md.
describe('a browser that has Background Sync', () => {
  const ORIGIN = 'https://app.example'
  afterEach(() => vi.unstubAllGlobals())

  const wakes = async (registration: object | undefined, ancestorOrigins?: readonly string[]) => {
    const serviceWorker = { getRegistration: async () => registration }
    vi.stubGlobal('navigator', { serviceWorker, locks: {} })
    vi.stubGlobal('ServiceWorkerRegistration', { prototype: { sync: {} } })
    vi.stubGlobal('indexedDB', {})
    vi.stubGlobal('location', { origin: ORIGIN, ancestorOrigins })
    return (await capabilities()).backgroundWakes.kind
  }

  it.each([undefined, {}])('is told before a worker is registered, and after', async (registration) => {
    expect(await wakes(registration)).toBe('background-sync')
    expect(await wakes(registration, [])).toBe('background-sync')
  })

  it('has it in a frame of the same origin, and in no frame of another: there nothing can be registered', async () => {
    expect(await wakes({}, [ORIGIN])).toBe('background-sync')
    expect(await wakes({}, ['https://other.example'])).toBe('none')
    expect(await wakes({}, [ORIGIN, 'https://other.example'])).toBe('none')
  })
})

describe('a page that may keep nothing', () => {
  afterEach(() => vi.unstubAllGlobals())

  const words =
    'Recordings cannot be kept here: cookies and site data are blocked, or this frame is sandboxed.'
  const refuse = () => {
    throw new DOMException('The user denied permission to use Service Worker.', 'NotSupportedError')
  }
  const refusals: Record<string, object> = {
    'cookies are blocked': { getRegistration: async () => refuse() },
    'it is in a sandbox': {
      get getRegistration() {
        return refuse()
      },
    },
  }

  it.each(Object.keys(refusals))('is told so, and of no upload: %s', async (name) => {
    vi.stubGlobal('isSecureContext', true)
    vi.stubGlobal('navigator', { serviceWorker: refusals[name], locks: {} })
    vi.stubGlobal('indexedDB', {})
    expect(await capabilities()).toMatchObject({ missing: ['site data'], words: [words] })
  })
})

describe('a browser whose answer never comes', () => {
  const never = () => new Promise<never>(() => {})
  const silent = { addEventListener: () => undefined }
  const asked: Record<string, () => Record<string, unknown>> = {
    'its registration': () => ({ serviceWorker: { getRegistration: never } }),
    'its storage': () => ({ storage: { persisted: never, estimate: never } }),
    'a permission': () => ({ permissions: { query: never } }),
  }
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  const found = async (navigator: object, indexedDB: object) => {
    const serviceWorker = { getRegistration: async () => undefined }
    vi.stubGlobal('navigator', { serviceWorker, locks: {}, ...navigator })
    vi.stubGlobal('indexedDB', indexedDB)
    const told = capabilities()
    await vi.advanceTimersByTimeAsync(10_000)
    return told
  }

  it.each(Object.entries(asked))('is not waited for: %s', async (_what, navigator) => {
    expect(await found(navigator(), {})).toMatchObject({ storage: 'unknown', earlierDatabase: 'unknown' })
  })

  it('is not waited for, and no window is told as private for it: a database', async () => {
    const database = { open: () => silent, databases: never, deleteDatabase: () => silent }
    expect(await found({}, database)).toMatchObject({ window: 'unknown', earlierDatabase: 'unknown' })
  })

  it.each([
    ['a Blob', 'private'],
    ['anything', 'unknown'],
  ])('tells a private window by a database that refuses to store %s', async (what, window) => {
    const settled = (result: unknown) => ({
      result,
      addEventListener: (type: string, listener: () => void) =>
        type === 'success' && queueMicrotask(listener),
    })
    const put = (value: unknown) => {
      if (what === 'anything' || value instanceof Blob) throw new DOMException('No.', 'DataCloneError')
      return settled(1)
    }
    const db = { transaction: () => ({ objectStore: () => ({ put }) }), close: () => undefined }
    const open = () => settled(db)
    expect(await found({}, { open, deleteDatabase: () => settled(undefined) })).toMatchObject({ window })
  })

  it.each(['success', 'error', 'blocked'])(
    'is asked to forget the database of the trial, and is waited for: %s',
    async (answer) => {
      const settled = (result: unknown) =>
        Object.assign(new EventTarget(), { result, error: new DOMException('No.') })
      const answers = (request: EventTarget, type: string) => {
        queueMicrotask(() => request.dispatchEvent(new Event(type)))
        return request
      }
      const put = () => answers(settled(1), 'success')
      const db = { transaction: () => ({ objectStore: () => ({ put }) }), close: () => undefined }
      const open = () => answers(settled(db), 'success')
      const deleting = settled(undefined)
      const deleted: string[] = []
      const deleteDatabase = (name: string) => {
        deleted.push(name)
        return deleting
      }
      vi.stubGlobal('navigator', { serviceWorker: { getRegistration: async () => undefined }, locks: {} })
      vi.stubGlobal('indexedDB', { open, deleteDatabase })
      const isTold = vi.fn()
      const told = capabilities().then(isTold)
      await vi.advanceTimersByTimeAsync(1_000)
      expect([deleted, isTold.mock.calls]).toEqual([['holdfast-probe'], []])
      deleting.dispatchEvent(new Event(answer))
      await told
      expect(isTold).toHaveBeenCalledWith(expect.objectContaining({ window: 'unknown' }))
    },
  )

  it.each(['QuotaExceededError', 'UnknownError', 'InvalidStateError'])(
    'is no private window because its database fails: %s',
    async (name) => {
      const error = new DOMException('No.', name)
      const failing = () => {
        throw error
      }
      expect(await found({}, { open: failing })).toMatchObject({ window: 'unknown' })
    },
  )
})
