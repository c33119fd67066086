import { describe, expect, it } from 'vitest'
import { unlessAborted } from './unless-aborted.ts'

describe('unlessAborted', () => {
  it('gives what the work comes to, or throws', async () => {
    const { signal } = new AbortController()
    expect(await unlessAborted(signal, async () => 7)).toBe(7)
    expect(await unlessAborted(undefined, async () => 7)).toBe(7)
    const failing = unlessAborted(signal, () => Promise.reject(new Error('why')))
    await expect(failing).rejects.toThrow('why')
  })

  it('rejects with the signal’s reason, whatever that is, and with an AbortError where none was given', async () => {
    for (const reason of [new Error('enough'), 'enough', null]) {
      const leaving = new AbortController()
      const waiting = unlessAborted(leaving.signal, () => new Promise(() => {}))
      leaving.abort(reason)
      expect(await waiting.catch((thrown: unknown) => thrown)).toBe(reason)
    }
    const leaving = new AbortController()
    const waiting = unlessAborted(leaving.signal, () => new Promise(() => {}))
    leaving.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('begins nothing under a signal that is aborted already', async () => {
    let begun = false
    const work = async () => void (begun = true)
    await expect(unlessAborted(AbortSignal.abort('enough'), work)).rejects.toBe('enough')
    expect(begun).toBe(false)
  })

  it('leaves what comes of the work after the abort to nobody', async () => {
    const leaving = new AbortController()
    let fail = (_error: Error) => {}
    const work = new Promise<never>((_resolve, reject) => (fail = reject))
    const waiting = unlessAborted(leaving.signal, () => work)
    leaving.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    fail(new Error('too late'))
    await new Promise((resolve) => setTimeout(resolve))
  })
})
