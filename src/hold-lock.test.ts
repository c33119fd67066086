import { afterEach, expect, it, vi } from 'vitest'
import { holdLock } from './hold-lock.ts'

afterEach(() => vi.unstubAllGlobals())

// Promise 1 of docs/guarantees.md: a lock that nobody holds any more must not keep a session open.
it('lets go of a lock that is granted in the moment in which it is given up', async () => {
  let grant = async () => {}
  let isHeld = false
  const request = (_name: string, _options: object, held: () => Promise<void> | undefined) =>
    new Promise<void>((freed) => {
      grant = async () => {
        isHeld = true
        await held()
        isHeld = false
        freed()
      }
    })
  vi.stubGlobal('navigator', { locks: { request } })
  const leaving = new AbortController()
  const holding = holdLock('a', 1_000, leaving.signal)
  leaving.abort('enough')
  await expect(holding).rejects.toBe('enough')
  // The browser had granted it before it heard of that.
  const granted = grant()
  await Promise.race([granted, new Promise((resolve) => setTimeout(resolve))])
  expect(isHeld).toBe(false)
})
