import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { request, retryAfterMs, statusError, textOf } from './http.ts'

const NOW_MS = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT')
const DAY_MS = 86_400_000

describe('retryAfterMs', () => {
  it.each([
    { header: null, ms: 0 },
    { header: '', ms: 0 },
    { header: '0', ms: 0 },
    { header: '7', ms: 7_000 },
    { header: ' 120 ', ms: 120_000 },
    { header: 'Sun, 06 Nov 1994 08:49:52 GMT', ms: 15_000 },
    { header: 'Sun, 06 Nov 1994 08:49:30 GMT', ms: 0 },
    { header: 'soon', ms: 0 },
    { header: '99999999', ms: DAY_MS },
    { header: '9'.repeat(400), ms: DAY_MS },
    { header: 'Fri, 31 Dec 9999 23:59:59 GMT', ms: DAY_MS },
  ])('$header is $ms ms', ({ header, ms }) => expect(retryAfterMs(header, NOW_MS)).toBe(ms))
})

describe('statusError', () => {
  const answered = (status: number, headers: Record<string, string> = {}) =>
    Object.defineProperty(new Response(null, { status, headers }), 'url', {
      value: 'https://store.example/api/v0/add?secret=1',
    })

  it.each([
    { status: 400, code: 'rejected-by-store' },
    { status: 401, code: 'sign-in-needed' },
    { status: 403, code: 'sign-in-needed' },
    { status: 404, code: 'bad-answer' },
    { status: 408, code: 'throttled' },
    { status: 409, code: 'bad-answer' },
    { status: 410, code: 'bad-answer' },
    { status: 413, code: 'rejected-by-store' },
    { status: 415, code: 'rejected-by-store' },
    { status: 422, code: 'rejected-by-store' },
    { status: 425, code: 'throttled' },
    { status: 429, code: 'throttled' },
    { status: 500, code: 'server-error' },
    { status: 503, code: 'server-error' },
    { status: 507, code: 'server-error' },
  ])('$status is $code', ({ status, code }) =>
    expect(statusError(answered(status), '')).toMatchObject({ code }),
  )

  it('tells who answered what, in short, and keeps the rest of the address to itself', () => {
    const { message } = statusError(answered(503), 'x'.repeat(5_000))
    expect(message).toMatch(/^https:\/\/store\.example answered 503: x+$/)
    expect(message.length).toBeLessThan(300)
    expect(statusError(answered(503), '').message).toBe('https://store.example answered 503')
  })

  it('keeps the wait that the server asked for', () => {
    expect(statusError(answered(429, { 'retry-after': '7' }), '').retryAfterMs).toBe(7_000)
  })
})

describe('a request that takes too long', () => {
  const server = createServer((asked, response) => {
    if (asked.url === '/body') response.write('half')
  })
  beforeAll(
    () =>
      new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve)
      }),
  )
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  it.each(['/answer', '/body'])('is told as a timeout, by us or in its %s', async (path) => {
    const { port } = server.address() as AddressInfo
    const { signal } = new AbortController()
    const asking = request(`http://127.0.0.1:${port}${path}`, {}, { signal, timeoutMs: 100 })
    await expect(asking.then((response) => textOf(response, signal))).rejects.toMatchObject({
      code: 'timeout',
    })
  })
})
