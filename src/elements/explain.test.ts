import { describe, expect, it } from 'vitest'
import { HoldfastError, type ErrorCode } from '../protocol/errors.ts'
import { explain } from './explain.ts'
import { english } from './texts.ts'

const AGAIN = 'Press it again.'

describe('what failed, in words', () => {
  const nextOf = (code: ErrorCode, next?: string) => explain(new HoldfastError(code, 'No.'), next).next

  it('is tried again by itself only where nobody asked for it', () => {
    for (const code of ['worker-timeout', 'storage-failed'] as const) {
      expect(nextOf(code)).toBe(english.errors[code][1])
      expect(nextOf(code, AGAIN)).toBe(AGAIN)
    }
  })

  it('has the advice for it, also where a person asked for it', () => {
    for (const code of ['unknown-session', 'storage-full', 'protocol-mismatch'] as const)
      expect(nextOf(code, AGAIN)).toBe(english.errors[code][1])
  })

  it('names cookies and the secure address where there is no service worker: a browser tells neither to the person', () => {
    expect(nextOf('no-service-worker')).toMatch(/cookies.*secure address/)
  })

  it.each([
    [new Error('No.'), 'No.'],
    [new DOMException('No.', 'TimeoutError'), 'No.'],
    // Of another library.
    [Object.assign(new Error('No.'), { code: 'timeout' }), 'No.'],
    // Of a newer version.
    [Object.assign(new Error('No.'), { name: 'HoldfastError', code: 'not-known-yet' }), 'No.'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('is what was thrown where nobody foresaw it: %s', (thrown, what) => {
    expect(explain(thrown)).toEqual({ what, next: english.notice.next })
    expect(explain(thrown, AGAIN)).toEqual({ what, next: AGAIN })
  })
})
