import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { contentAddress } from '../evidence/cid.ts'
import { gateway } from './gateway.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const CONTENT = new TextEncoder().encode('what the gateway has')

async function fetched(url: string) {
  const cid = await contentAddress(CONTENT)
  const asked = { maxBytes: 100, signal: new AbortController().signal }
  const found = await gateway(url, 20_000).get(cid, asked)
  return { cid, kind: found.kind, text: found.kind === 'bytes' ? new TextDecoder().decode(found.bytes) : '' }
}

test.each(['', '/', '//', '/behind/a/proxy', '/behind/a/proxy/'])(
  'takes a base that ends with “%s”',
  async (end) => {
    const asked: string[] = []
    const port = await serve((request, response) => {
      asked.push(request.url!)
      response.end(CONTENT)
    })
    const { cid } = await fetched(`http://127.0.0.1:${port}${end}`)
    expect(asked).toEqual([`${end.replace(/\/+$/, '')}/ipfs/${cid}`])
  },
)

test('keeps the query of a base, such as a token', async () => {
  const asked: string[] = []
  const port = await serve((request, response) => {
    asked.push(request.url!)
    response.end(CONTENT)
  })
  const { cid } = await fetched(`http://127.0.0.1:${port}/behind/?token=a/b`)
  expect(asked).toEqual([`/behind/ipfs/${cid}?token=a/b`])
})

test('is named without its query, which may be a token', () => {
  const named = (url: string) => gateway(url, 1_000).name
  expect(named('https://ipfs.example/?token=secret#secret')).toBe('https://ipfs.example')
  expect(named('https://ipfs.example:8080/behind/a/proxy')).toBe('https://ipfs.example:8080/behind/a/proxy')
})

test.each([301, 302, 307, 308])(
  'follows a gateway that sends on to a host of its own for each address (%i)',
  async (status) => {
    // The path is gone there: the address is in the host's name, which this test cannot give.
    const asked: string[] = []
    const subdomain = await serve((request, response) => {
      asked.push(request.url!)
      response.end(CONTENT)
    })
    const port = await serve((_, response) =>
      response.writeHead(status, { location: `http://127.0.0.1:${subdomain}/` }).end(),
    )
    expect((await fetched(`http://127.0.0.1:${port}`)).text).toBe('what the gateway has')
    expect(asked).toEqual(['/'])
  },
)

test('is asked once more where the connection broke, and not a third time', async () => {
  let [asked, breaks] = [0, 1]
  const port = await serve((_, response) => {
    asked += 1
    if (asked > breaks) response.end(CONTENT)
    else response.destroy()
  })
  const url = `http://127.0.0.1:${port}`
  expect((await fetched(url)).text).toBe('what the gateway has')
  expect(asked).toBe(2)
  breaks = 9
  expect((await fetched(url)).kind).toBe('silent')
  expect(asked).toBe(4)
})

test.each([
  [500, 2],
  [502, 2],
  [503, 2],
  [520, 2],
  [504, 1],
  [403, 1],
  [429, 1],
])('that fails (%i) is asked %i times at most', async (status, times) => {
  let [asked, fails] = [0, 1]
  const port = await serve((_, response) => {
    asked += 1
    if (asked > fails) response.end(CONTENT)
    else response.writeHead(status).end()
  })
  const url = `http://127.0.0.1:${port}`
  expect((await fetched(url)).kind).toBe(times > 1 ? 'bytes' : 'silent')
  fails = 9
  asked = 0
  expect((await fetched(url)).kind).toBe('silent')
  expect(asked).toBe(times)
})

test('that drips a byte now and then is silent, and is not asked once more', async () => {
  let asked = 0
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const port = await serve((_, response) => {
    asked += 1
    response.writeHead(200)
    // Time passes with the drops alone, however slow the machine is.
    const drip = setInterval(() => {
      response.write('x')
      vi.advanceTimersByTime(20)
    }, 1)
    response.on('close', () => clearInterval(drip))
  })
  const cid = await contentAddress(CONTENT)
  const bounds = { maxBytes: 10_000_000, signal: new AbortController().signal }
  const found = await gateway(`http://127.0.0.1:${port}`, 100).get(cid, bounds)
  expect(found.kind).toBe('silent')
  expect(asked).toBe(1)
})

test.each([202, 204, 205, 206])('takes what comes with %i for no object', async (status) => {
  const port = await serve((_, response) => response.writeHead(status).end(CONTENT.subarray(0, 7)))
  const { kind } = await fetched(`http://127.0.0.1:${port}`)
  expect(kind).toBe('silent')
})

test('takes what a proxy has changed (203) as it comes', async () => {
  const port = await serve((_, response) => response.writeHead(203).end(CONTENT))
  expect((await fetched(`http://127.0.0.1:${port}`)).text).toBe('what the gateway has')
})

test('asks for the newest head past any cache, and for an object by its address not', async () => {
  const port = await serve((_, response) => response.end(CONTENT))
  const { newestHead } = gateway(`http://127.0.0.1:${port}`, 20_000)
  const fetching = vi.spyOn(globalThis, 'fetch')
  await newestHead?.('12'.repeat(32) as never, { maxBytes: 100, signal: new AbortController().signal })
  await fetched(`http://127.0.0.1:${port}`)
  const caches = fetching.mock.calls.map(([, init]) => init?.cache)
  fetching.mockRestore()
  expect(caches).toEqual(['no-cache', undefined])
})

test.each([
  [429, '2', 2_000],
  [429, '0', 0],
  // Where no number of seconds is told, or CORS hides it, as of public gateways.
  [429, 'Fri, 31 Dec 9999 23:59:59 GMT', 5_000],
  [429, '-1', 5_000],
  [429, '', 5_000],
  [503, '2', 2_000],
  [503, '', undefined],
])(
  'tells when one that is busy (%i, Retry-After: %s) is to be asked again',
  async (status, asked, retryAfterMs) => {
    const port = await serve((_, response) => response.writeHead(status, { 'retry-after': asked }).end())
    const signal = new AbortController().signal
    const found = await gateway(`http://127.0.0.1:${port}`, 20_000).get('bafy' as never, {
      maxBytes: 9,
      signal,
    })
    expect(found).toMatchObject({ kind: 'silent' })
    expect('retryAfterMs' in found ? found.retryAfterMs : undefined).toBe(retryAfterMs)
  },
)
