import { vi } from 'vitest'
import { FakeChannel } from './fake-channels.ts'

const CRYPTO = ['generateKey', 'exportKey', 'importKey', 'digest', 'encrypt', 'deriveBits'] as const

/**
 * A page's platform for tests in Node: what `connect()` looks for is there, and each promise of the real WebCrypto and of
 * Blobs goes through `hears`, which may hold it up or count it. `vi.restoreAllMocks()` and `vi.unstubAllGlobals()` end it.
 */
export function stubPlatform(navigator: object, hears: <T>(promise: Promise<T>) => Promise<T>): void {
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('indexedDB', {})
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('addEventListener', () => undefined)
  vi.stubGlobal('BroadcastChannel', FakeChannel)
  for (const name of CRYPTO) {
    const work = crypto.subtle[name].bind(crypto.subtle) as (...given: unknown[]) => Promise<never>
    vi.spyOn(crypto.subtle, name).mockImplementation((...given: unknown[]) => hears(work(...given)))
  }
  const { arrayBuffer } = Blob.prototype
  vi.spyOn(Blob.prototype, 'arrayBuffer').mockImplementation(function (this: Blob) {
    return hears(arrayBuffer.call(this))
  })
}
