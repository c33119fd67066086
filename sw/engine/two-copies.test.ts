import { describe, expect, it } from 'vitest'
import type { Cid, Sha256Hex } from '../../src/protocol/ids.ts'
import { HoldfastError, type ErrorCode } from '../../src/protocol/errors.ts'
import { ReadError } from './read-error.ts'
import { PUT_OFF_MS } from './limits.ts'
import { counted } from './two-copies.ts'

// Promise 2 of docs/guarantees.md.

const upload = { cid: 'bafy' as Cid, sha256: '00' as Sha256Hex, sizeBytes: 100 }

/** An object whose attempts find what the last one left. */
function object() {
  let resumeToken = ''
  let copies = 0
  return {
    copies: () => copies,
    /** @param isThere what the store says before anything is sent */
    async attempt(failure: HoldfastError, isThere = false): Promise<HoldfastError> {
      const saveResumeToken = async (token: string) => void (resumeToken = token)
      const signal = new AbortController().signal
      const attempt = { signal, resumeToken, saveResumeToken, progress: () => {} }
      return counted(attempt, upload, true, async (own, mayBeSent) => {
        if (isThere) own.progress(100)
        else {
          await mayBeSent()
          own.progress(0)
          copies += 1
        }
        throw failure
      }).catch((error: unknown) => HoldfastError.from(error))
    },
  }
}

const busy = (retryAfterMs = 0) => new HoldfastError('throttled', 'Busy.', { retryAfterMs })

describe('a copy that a busy server puts off', () => {
  it('waits two minutes from the second one on, where it names no time', async () => {
    const { attempt } = object()
    const waits = []
    for (let time = 0; time < 4; time += 1) waits.push((await attempt(busy())).retryAfterMs)
    expect(waits).toEqual([0, PUT_OFF_MS, PUT_OFF_MS, PUT_OFF_MS])
  })

  it('waits as long as the server says, however often', async () => {
    const { attempt } = object()
    for (let time = 0; time < 4; time += 1)
      expect(await attempt(busy(7_000))).toMatchObject({ code: 'throttled', retryAfterMs: 7_000 })
  })

  it('is a copy, of which none is refused thrice', async () => {
    const { attempt, copies } = object()
    await attempt(busy())
    await attempt(new HoldfastError('server-error', 'Down.'))
    expect(await attempt(busy())).toMatchObject({ code: 'rejected-by-store' })
    expect(copies()).toBe(2)
  })
})

describe('a copy that the store took, while the question whether it is there failed', () => {
  it.each<ErrorCode>(['bad-answer', 'server-error', 'unreachable', 'sign-in-needed'])(
    'counts where the store then says that there is nothing: %s',
    async (code) => {
      const { attempt, copies } = object()
      const failed = new ReadError(code, 'No.')
      expect(await attempt(failed)).toMatchObject({ code })
      expect(await attempt(failed)).toMatchObject({ code })
      expect(await attempt(failed)).toMatchObject({ code: 'rejected-by-store' })
      expect(copies()).toBe(2)
    },
  )

  it('is asked for again and again where it is there', async () => {
    const { attempt, copies } = object()
    const failed = new ReadError('server-error', 'No.')
    await attempt(failed)
    for (let time = 0; time < 5; time += 1) expect(await attempt(failed, true)).toBe(failed)
    expect(copies()).toBe(1)
  })
})
