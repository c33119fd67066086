import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { following } from './following.ts'

it('aborts with the reason of whichever signal aborts first', () => {
  const [one, other] = [new AbortController(), new AbortController()]
  const { signal } = following(one.signal, undefined, other.signal)
  expect(signal.aborted).toBe(false)
  other.abort('other')
  one.abort('one')
  expect(signal.reason).toBe('other')
})

it('is aborted from the start where one of them is', () => {
  const later = new AbortController()
  const { signal } = following(AbortSignal.abort('before'), later.signal)
  expect(signal.reason).toBe('before')
  expect(getEventListeners(later.signal, 'abort')).toEqual([])
})

it('leaves nothing behind on a signal that lives on, once it is aborted', () => {
  const long = new AbortController()
  const controller = following(long.signal)
  expect(getEventListeners(long.signal, 'abort')).toHaveLength(1)
  controller.abort('done')
  expect(getEventListeners(long.signal, 'abort')).toEqual([])
  long.abort('later')
  expect(controller.signal.reason).toBe('done')
})

it('aborts for itself alone', () => {
  const long = new AbortController()
  following(long.signal).abort()
  expect(long.signal.aborted).toBe(false)
})
