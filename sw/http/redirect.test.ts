import { describe, expect, it } from 'vitest'
import { serverOfTest } from '../../e2e/backend/server-of-test.ts'
import { collect } from '../../e2e/backend/exchange.ts'
import { adaptiveTimeout } from './adaptive-timeout.ts'
import { httpError } from './request.ts'

// Promise 2 of docs/guarantees.md. What Chromium’s worker does beside: contract.spec.ts of e2e/transports.

const neverAborted = { signal: new AbortController().signal }

/** Everything is led on with this status, except at `/there`. */
async function leading(status: number, location: (url: string) => string) {
  const seen: [method: string, path: string, bytes: number][] = []
  const origin = await serverOfTest(async (request, response) => {
    const { method = '', url = '' } = request
    seen.push([method, url, (await collect(request)).length])
    if (url === '/there') response.end('Here.')
    else response.writeHead(status, { location: location(url) }).end('<a>elsewhere</a>')
  })
  return { origin, seen }
}

describe.each([301, 302, 303, 307, 308])('a redirect (%i)', (status) => {
  it('gets no body sent on, not even where it leads to is there', async () => {
    const { origin, seen } = await leading(status, () => '/there')
    for (const method of ['PUT', 'POST', 'PATCH']) {
      const answer = await adaptiveTimeout().request(
        `${origin}/from`,
        { method, body: 'x'.repeat(99) },
        neverAborted,
      )
      expect(httpError(answer)).toMatchObject({
        code: 'rejected-by-store',
        message: expect.stringContaining('redirect: name that address') as unknown,
      })
    }
    expect(seen).toEqual(['PUT', 'POST', 'PATCH'].map((method) => [method, '/from', 99]))
  })

  it('is followed by what only asks', async () => {
    const { origin } = await leading(status, () => '/there')
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      const answer = await adaptiveTimeout().request(`${origin}/from`, { method }, neverAborted)
      expect(answer).toMatchObject({ ok: true, url: `${origin}/there` })
    }
  })

  it.each([
    ['to itself', (url: string) => url],
    ['round and round', (url: string) => (url === '/a' ? '/b' : '/a')],
    ['ever on', (url: string) => `${url}/on`],
    ['to where nobody is', () => 'http://127.0.0.1:9/'],
    ['to no URL', () => 'http://['],
    ['to no scheme that can be asked', () => 'ftp://store.example/'],
    ['to nothing', () => ''],
  ])('that leads a question %s is told, and is no dead network', async (_, location) => {
    const { origin, seen } = await leading(status, location)
    const answer = await adaptiveTimeout().request(`${origin}/from`, { method: 'HEAD' }, neverAborted)
    expect(httpError(answer).message).toContain(`${origin} answered a redirect: name that address`)
    expect(seen.length).toBeLessThanOrEqual(22)
  })
})

it.each([300, 304, 305])('an answer of %i is told as one that leads on', async (status) => {
  const { origin } = await leading(status, () => '/there')
  const answer = await adaptiveTimeout().request(`${origin}/from`, { method: 'GET' }, neverAborted)
  expect(httpError(answer)).toMatchObject({ code: 'rejected-by-store' })
})
