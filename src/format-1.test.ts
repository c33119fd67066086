import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { format1Sessions, openFormat1 } from './format-1.ts'
import { isHoldfastError } from './protocol/errors.ts'

class FakeRequest extends EventTarget {}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

// Promise 9 of docs/guarantees.md.
it.each([
  ['never answers', () => new FakeRequest()],
  [
    'fails',
    () => {
      throw new DOMException('Internal error opening backing store', 'UnknownError')
    },
  ],
])('a database that %s is told, as an error of ours', async (_how, open) => {
  vi.stubGlobal('IDBRequest', FakeRequest)
  vi.stubGlobal('indexedDB', { open })
  const scope = 'https://app.example/'
  const asked = [format1Sessions(scope), openFormat1(scope, 'id', new Uint8Array(32)).next()].map((each) =>
    Promise.resolve<unknown>(each).catch((error: unknown) => error),
  )
  await vi.advanceTimersByTimeAsync(60_000)
  for (const each of asked) expect(isHoldfastError(await each, 'storage-failed')).toBe(true)
})
