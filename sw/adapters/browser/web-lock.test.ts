import { afterEach, expect, it, vi } from 'vitest'
import { webLock } from './web-lock.ts'

afterEach(() => vi.unstubAllGlobals())

// Promise 5 of docs/guarantees.md: without a lock a drain goes on all the same.
it('rejects, and does not throw, where a browser has no Web Locks', async () => {
  vi.stubGlobal('navigator', {})
  const asked = webLock('/').run('drain', async () => undefined)
  await expect(asked).rejects.toBeInstanceOf(TypeError)
})
