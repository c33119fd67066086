import { describe, expect, it } from 'vitest'
import { LONGEST_WAIT_MS } from '../../sw/core/waits.ts'
import { VerificationError } from '../verify/index.ts'
import { adviceFor } from './advice.ts'
import type * as errors from './errors.ts'
import { ERRORS, fromWire, HoldfastError, isHoldfastError, type ErrorCode } from './errors.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]

describe('HoldfastError', () => {
  it.each(codes)('%s: crosses to another context and keeps code, class and message', (code) => {
    const error = new HoldfastError(code, 'why', { cause: new Error('inner') })
    const wire = structuredClone({ code: error.code, message: error.message })
    const told = fromWire(wire)
    expect(told).toBeInstanceOf(HoldfastError)
    expect(told).toMatchObject({ name: 'HoldfastError', code, message: 'why', class: ERRORS[code] })
  })

  it.each(['no-such-code', 'toString', '__proto__', 'constructor'])(
    'takes the unknown code %s of another version for a defect',
    (code) => {
      const wire: unknown = JSON.parse(JSON.stringify({ code, message: 'why' }))
      const error = fromWire(wire as { code: ErrorCode; message: string })
      expect(error).toMatchObject({ code: 'defect', class: 'defect', message: 'why' })
    },
  )

  it('keeps the cause and the wait that a server asked for', () => {
    const cause = new Error('inner')
    const error = new HoldfastError('throttled', 'why', { cause, retryAfterMs: 9 })
    expect(error.cause).toBe(cause)
    expect(error.retryAfterMs).toBe(9)
    expect(new HoldfastError('throttled', 'why').retryAfterMs).toBe(0)
  })

  it('heeds no wait beyond the longest legal one, nor one that is no number', () => {
    const asked = (retryAfterMs: number) =>
      new HoldfastError('throttled', 'why', { retryAfterMs }).retryAfterMs
    expect([86_400_000, Infinity].map(asked)).toEqual([LONGEST_WAIT_MS, LONGEST_WAIT_MS])
    expect(asked(NaN)).toBe(0)
  })

  it('takes anything thrown that is not ours for a defect, and keeps it as the cause', () => {
    const ours = new HoldfastError('timeout', 'why')
    expect(HoldfastError.from(ours)).toBe(ours)
    const theirs = new TypeError('x is undefined')
    expect(HoldfastError.from(theirs)).toMatchObject({
      code: 'defect',
      message: theirs.message,
      cause: theirs,
    })
    for (const thrown of ['text', 7, null, { code: 'timeout' }])
      expect(HoldfastError.from(thrown)).toMatchObject({ code: 'defect', cause: thrown })
  })
})

describe('isHoldfastError', () => {
  const found = new VerificationError('root', 'checking the log', 'why', { index: 7 })

  it('knows every error of the library by its one base class, the reader’s too', () => {
    expect(found).toBeInstanceOf(HoldfastError)
    for (const error of [new HoldfastError('timeout', 'why'), found])
      expect(isHoldfastError(error)).toBe(true)
  })

  it('knows those of another copy of the library, which instanceof does not', async () => {
    // The query makes it another module to the loader, as another bundle is to a page.
    const other = './errors.ts?copy'
    const copy = (await import(other)) as typeof errors
    const theirs = new copy.HoldfastError('storage-full', 'why')
    expect(theirs).not.toBeInstanceOf(HoldfastError)
    expect(isHoldfastError(theirs)).toBe(true)
    expect(isHoldfastError(theirs, 'storage-full')).toBe(true)
    // What an app's hook throws may be of its own copy: its code and its wait are heeded.
    const asked = new copy.HoldfastError('throttled', 'why', { retryAfterMs: 9 })
    expect(HoldfastError.from(asked)).toMatchObject({
      code: 'throttled',
      class: 'transient',
      retryAfterMs: 9,
    })
  })

  it('asks for one code as well', () => {
    expect(isHoldfastError(found, 'root')).toBe(true)
    expect(isHoldfastError(found, 'group')).toBe(false)
  })

  it.each([
    undefined,
    null,
    'HoldfastError',
    new Error('why'),
    new DOMException('why', 'AbortError'),
    Object.assign(new Error('why'), { code: 'timeout' }),
    Object.assign(new Error('why'), { name: 'HoldfastError' }),
    { name: 'HoldfastError', code: 'timeout', message: 'why' },
  ])('does not know %s', (value) => {
    expect(isHoldfastError(value)).toBe(false)
  })

  it.each([
    ['chain-unreachable', 'transient'],
    ['gateway-unreachable', 'transient'],
    ['chunk-missing', 'refused'],
  ] as const)('%s of the reader is %s', (code, kind) => {
    expect(new VerificationError(code, 'fetching a chunk', 'why').class).toBe(kind)
  })
})

describe('adviceFor', () => {
  it.each(codes)('%s: says in a sentence what to do', (code) => {
    expect(adviceFor(code)).toMatch(/^[A-Z].+\.$/)
  })

  it('has words for what only another version knows', () => {
    expect(adviceFor('no-such-code' as ErrorCode)).toBe(adviceFor('defect'))
  })
})
