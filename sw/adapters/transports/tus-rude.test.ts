import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { rudeTus, type Rudeness } from '../../../e2e/backend/rude-tus.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { tus, type TusOptions } from './tus.ts'

// Promise 2 of docs/guarantees.md. tus servers as public reports tell of them: at most two copies are sent, and what is wrong is told in words.
//
// What tus 1.0.0 (tus/tus-resumable-upload-protocol, protocol.md) asks of a client, in the core and in the extensions that
// are used here, and the test that holds it; those without another name are in this file:
//
// | sentence | test |
// | --- | --- |
// | Upload-Offset, Upload-Length: the value MUST be a non-negative integer | tells each part’s offset, type and checksum …; takes no length written as …; takes no offset written as … |
// | Tus-Resumable: MUST be included in every request except for OPTIONS | names its version in each request but OPTIONS |
// | Tus-Resumable: 412 with Tus-Version, where the version is not supported | is told which versions a server speaks that refuses 1.0.0 |
// | X-HTTP-Method-Override: SHOULD, where PATCH or DELETE is not supported | not ours: `fetch` supports both |
// | HEAD: 404, 410 or 403 without Upload-Offset is no such upload | takes HEAD with … for an upload that is not there; 403 that may be of a hook: costs no good copy where a hook denies …; 403 of somebody else is a sign-in: tus.test.ts, the contract |
// | HEAD: 200 or 204 is success | takes HEAD with 204 |
// | PATCH: MUST use application/offset+octet-stream; Upload-Offset MUST be the current offset | tells each part’s offset, type and checksum … |
// | PATCH: 409 where the offsets do not match | sends no part twice in an attempt that is taken nowhere |
// | PATCH: SHOULD send all in one request, MAY in several, as with checksums | sends in one part what one part may hold; tus.test.ts: begins with small parts, and takes larger ones once it knows the link |
// | PATCH: the new offset MUST be the sum of the old one and what was taken | goes on from where the server says that it is, and believes no offset that cannot be |
// | Network errors: SHOULD be handled predictably, a timeout by closing the connection | the contract: notices a store that takes everything and never answers |
// | OPTIONS: SHOULD NOT include Tus-Resumable; 200 or 204 MUST contain Tus-Version | names its version in each request but OPTIONS; takes OPTIONS that fails (bare) … |
// | Extensions: detection SHOULD be by OPTIONS | takes OPTIONS that fails …; sends again with checksums what was sent without … |
// | Creation: SHOULD be implemented; MUST be a POST with Upload-Length, or Upload-Defer-Length | creates an upload with its length, no body and metadata as the text has them |
// | Upload-Metadata: keys MUST be unique, neither empty nor with spaces or commas, values in Base64 | creates an upload with its length, no body and metadata as the text has them |
// | Upload-Length of 0: complete without a PATCH | is content with an empty upload once it is created |
// | Tus-Max-Size: 413 | the contract: gives up on 413 |
// | Location: absolute or relative | finds a relative Location …; refuses the Location … |
// | MUST perform the upload using the core protocol | all; Creation With Upload is not used |
// | Expiration: SHOULD determine by Upload-Expires whether an upload is valid | asked by HEAD in its place, which needs no clock that is right: goes on only with what is still there |
// | Expiration: 404 or 410, SHOULD start a new upload | tus.test.ts: starts an upload over that expired; the contract: starts a half-done upload over that vanished |
// | Checksum: MAY; Upload-Checksum MUST be the algorithm, a space, Base64 of the payload’s | tells each part’s offset, type and checksum … |
// | Checksum: 460, 400 | tus.test.ts: sends a part again that arrived damaged (460); the contract: gives up on 400 |
// | Termination: DELETE; then 404 or 410 | names its version in each request but OPTIONS; tus.test.ts: finds damage by reading back …, and starts over |
// | Concatenation | not used |

afterEach(() => void vi.unstubAllGlobals())

const SIZE_BYTES = 1000

/** One upload to a server, over several attempts as the engine makes them, each by a new worker. */
async function scene(rudeness: Rudeness, options: Partial<TusOptions> = {}, sizeBytes = SIZE_BYTES) {
  const server = await rudeTus(rudeness)
  const { upload, bytes } = await objectOf('rude', sizeBytes)
  const { record, attempt } = keptAttempts(upload, bytes)
  let transport = tus({ endpoint: server.endpoint, ...options })
  return {
    attempt: async () => (await attempt(transport)) ?? 'stored',
    copies: () => server.received() / sizeBytes,
    seen: server.seen,
    upload,
    bytes,
    resumeToken: () => record.resumeToken,
    newWorker: () => {
      transport = tus({ endpoint: server.endpoint, ...options })
    },
  }
}

test.each([500, 404, 405, 'bare'] as const)(
  'takes OPTIONS that fails (%s) for no answer, sends nothing, and asks again',
  async (options) => {
    const rudeness: Rudeness = { checksums: true, options }
    const { attempt, copies } = await scene(rudeness)
    expect(await attempt()).toBeInstanceOf(HoldfastError)
    expect(copies()).toBe(0)
    rudeness.options = 204
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  },
)

test('sends again with checksums what was sent without and cannot be read back', async () => {
  const rudeness = { checksums: false, readable: false }
  const { attempt, copies, newWorker } = await scene(rudeness)
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  rudeness.checksums = true
  newWorker()
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(2)
})

test.each([true, false])('names the headers to expose where the length is hidden (%s)', async (checksums) => {
  const { attempt, copies } = await scene({ checksums, hidesLength: true, readable: true })
  for (let time = 0; time < 3; time += 1) {
    const error = await attempt()
    expect(error).toMatchObject({ code: 'rejected-by-store', class: 'refused' })
    expect(String(error)).toMatch(/Expose .*Upload-Length/)
  }
  expect(copies()).toBe(1)
})

const SPELLINGS: readonly [string, (value: number) => string][] = [
  ['1e3', (value) => value.toExponential()],
  ['+5', (value) => `+${value}`],
  ['-5', (value) => `-${value}`],
  ['0x5', (value) => `0x${value.toString(16)}`],
  ['5.0', (value) => `${value}.0`],
  ['5, 5', (value) => `${value}, ${value}`],
  ['5 bytes', (value) => `${value} bytes`],
  ['nothing', () => ''],
]

test.each(SPELLINGS)('takes no length written as %s, after one copy, and says so', async (_, lengthAs) => {
  const { attempt, copies } = await scene({ checksums: true, lengthAs })
  for (let time = 0; time < 3; time += 1) expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(1)
})

test.each(SPELLINGS)('takes no offset written as %s, after one copy, and says so', async (_, offsetAs) => {
  const { attempt, copies } = await scene({ checksums: true, offsetAs })
  for (let time = 0; time < 3; time += 1) expect(String(await attempt())).toContain('without Upload-Offset')
  expect(copies()).toBe(1)
})

test('takes a length and an offset with zeros before them', async () => {
  const zeros = (value: number) => `000${value}`
  const { attempt, copies } = await scene({ checksums: true, lengthAs: zeros, offsetAs: zeros })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test.each([
  { checksums: true, trustLength: false },
  { checksums: false, trustLength: true },
])(
  'counts a proved or trusted copy that the server then forgets (%o)',
  async ({ checksums, trustLength }) => {
    const { attempt, copies } = await scene({ checksums, forgetsWhole: true }, { trustLength })
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
  },
)

test('sends one more copy to a server that forgets an unproved one, and then says so', async () => {
  const { attempt, copies } = await scene({ forgetsWhole: true })
  expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
  expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('trustLength')
  expect(copies()).toBe(2)
})

test('keeps the query of an upload’s URL that is part of its name', async () => {
  const query = '?tusv2=true'
  const { attempt, copies, resumeToken, newWorker } = await scene({
    readable: true,
    query,
    location: (id) => `/files/${id}${query}`,
  })
  expect(await attempt()).toBe('stored')
  newWorker()
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
  expect(resumeToken()).toContain(query)
})

test('finds a relative Location from where it was redirected to', async () => {
  const { attempt, copies } = await scene({ checksums: true, redirect: '/eu/files/', location: (id) => id })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test.each(['', 'ftp://files.example/1', 'http://me:word@files.example/1', 'http://['])(
  'refuses the Location %s before it remembers it',
  async (location) => {
    const { attempt, copies, resumeToken } = await scene({ checksums: true, location: () => location })
    expect(await attempt()).toBeInstanceOf(HoldfastError)
    expect(resumeToken()).toBeUndefined()
    expect(copies()).toBe(0)
  },
)

test('takes HEAD with 204', async () => {
  const { attempt } = await scene({ checksums: true, headStatus: 204 })
  expect(await attempt()).toBe('stored')
})

test('waits for an upload that is locked (423)', async () => {
  const { attempt, copies } = await scene({ checksums: true, headStatus: 423 })
  expect(await attempt()).toMatchObject({ code: 'throttled' })
  expect(await attempt()).toMatchObject({ code: 'throttled' })
  expect(copies()).toBe(1)
})

test.each([204, 409] as const)(
  'sends no part twice in an attempt that is taken nowhere (%i)',
  async (patchStatus) => {
    const { attempt, copies } = await scene({ checksums: true, patchStatus })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(copies()).toBe(1)
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
    expect(copies()).toBe(2)
  },
)

test.each<[number, ErrorCode]>([
  ...[408, 423, 425, 429].map((status): [number, ErrorCode] => [status, 'throttled']),
  [503, 'server-error'],
  [401, 'sign-in-needed'],
  // A proxy that denies for a minute, a portal, a filter.
  [403, 'sign-in-needed'],
  ...[302, 400, 402, 406, 412, 418, 451].map((status): [number, ErrorCode] => [status, 'bad-answer']),
])('gives up no copy that is only not read back now (%i)', async (getStatus, code) => {
  const rudeness: Rudeness = { checksums: false, readable: true, getStatus }
  const { attempt, copies, seen, newWorker } = await scene(rudeness)
  expect(await attempt()).toMatchObject({ code })
  rudeness.checksums = true
  newWorker()
  expect(await attempt()).toMatchObject({ code })
  rudeness.getStatus = undefined
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
  expect(seen('DELETE')).toEqual([])
})

describe('403 of HEAD, by which a server tells what is gone, and a hook whom it does not let in', () => {
  test.each([1, 2, Infinity])(
    'costs no good copy where a hook denies the next %d requests to uploads, and lets create',
    async (denied) => {
      const rudeness: Rudeness = { readable: true, getStatus: 503 }
      const { attempt, copies, newWorker } = await scene(rudeness)
      expect(await attempt()).toMatchObject({ code: 'server-error' })
      rudeness.getStatus = undefined
      rudeness.denied = denied
      newWorker()
      for (let time = 0; time < 3; time += 1) if (rudeness.denied) await attempt()
      rudeness.denied = 0
      expect(await attempt()).toBe('stored')
      expect(copies()).toBe(1)
    },
  )

  test('is a sign-in where the server does not show what it has just created either', async () => {
    const rudeness: Rudeness = { readable: true, getStatus: 503 }
    const { attempt } = await scene(rudeness)
    await attempt()
    rudeness.denied = Infinity
    expect(await attempt()).toMatchObject({ code: 'sign-in-needed' })
  })

  test('costs one more copy where the upload is gone indeed', async () => {
    const rudeness: Rudeness = { goneStatus: 403, readable: true, forgetsWhole: true }
    const { attempt, copies } = await scene(rudeness)
    expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
    rudeness.forgetsWhole = false
    expect(copies()).toBe(1)
    expect(await attempt()).toBe('stored')
  })
})

test.each([202, 204, 206])(
  'takes no other success (%i) for a copy of other bytes, and sends none again',
  async (getStatus) => {
    const rudeness: Rudeness = { checksums: false, readable: true, getStatus }
    const { attempt, copies, seen } = await scene(rudeness)
    for (let time = 0; time < 3; time += 1) expect(String(await attempt())).toContain(`answered ${getStatus}`)
    rudeness.getStatus = undefined
    expect(await attempt()).toBe('stored')
    expect(copies()).toBe(1)
    expect(seen('DELETE')).toEqual([])
  },
)

/** A part of a link of which nothing is known yet, and half of it. */
const [FIRST_PART_BYTES, HALF_BYTES] = [160_000, 80_000]

const sizesOf = (parts: readonly { readonly body: Uint8Array }[]) => parts.map(({ body }) => body.length)

test('finds by halving what something on the way takes (413)', async () => {
  const sizeBytes = 2 * FIRST_PART_BYTES
  const { attempt, copies, seen } = await scene({ checksums: true, mostBytes: 90_000 }, {}, sizeBytes)
  expect(await attempt()).toBe('stored')
  expect(sizesOf(seen('PATCH'))).toEqual([FIRST_PART_BYTES, ...Array<number>(4).fill(HALF_BYTES)])
  expect(copies()).toBe(1)
})

test.each([301, 302, 307, 308])('finds an endpoint that has moved (%i)', async (status) => {
  const { attempt, copies, seen } = await scene({ checksums: true, moved: { to: '/v2/', status } })
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
  expect(seen('GET')).toEqual([])
})

test('waits as long as a 413 asks, and sends smaller parts then', async () => {
  const rudeness = { checksums: true, mostBytes: 90_000, retryAfter: 30 }
  const { attempt, seen } = await scene(rudeness, {}, FIRST_PART_BYTES)
  expect(await attempt()).toMatchObject({ class: 'conflict', retryAfterMs: 30_000 })
  expect(sizesOf(seen('PATCH'))).toEqual([FIRST_PART_BYTES])
  expect(await attempt()).toBe('stored')
  expect(sizesOf(seen('PATCH').slice(1))).toEqual([HALF_BYTES, HALF_BYTES])
})

test.each([true, false])(
  'sends in parts, from then on, what was unread and too large (413; checksums: %s)',
  async (checksums) => {
    const { endpoint, seen } = await rudeTus({ checksums, readable: true, mostBytes: 90_000 })
    const { upload, bytes } = await objectOf('rude', FIRST_PART_BYTES)
    const { attempt, record } = keptAttempts(upload, bytes)
    const transport = tus({ endpoint })
    const tokens: string[] = []
    const own = {
      signal: new AbortController().signal,
      saveResumeToken: async (token: string) => void tokens.push(token),
      progress: () => undefined,
    }
    await expect(transport.sendUnread?.(upload, new Blob([bytes]), own)).rejects.toMatchObject({
      class: 'conflict',
    })
    expect(await transport.sendUnread?.(upload, new Blob([bytes]), own)).toBeUndefined()
    Object.assign(record, { sent: true, resumeToken: tokens.at(-1) })
    expect(await attempt(transport)).toBeUndefined()
    expect(sizesOf(seen('PATCH'))).toEqual([FIRST_PART_BYTES, HALF_BYTES, HALF_BYTES])
  },
)

test('sends no larger part than the app wants, though a whole one was too large (413)', async () => {
  const { endpoint, seen } = await rudeTus({ checksums: false, readable: true, mostBytes: 1_000_000 })
  const { upload, bytes } = await objectOf('rude', 8 * HALF_BYTES)
  const transport = tus({ endpoint, partBytes: FIRST_PART_BYTES })
  const own = {
    signal: new AbortController().signal,
    saveResumeToken: async () => undefined,
    progress: () => undefined,
  }
  // It shows that the link is fast.
  expect(await transport.sendUnread?.(upload, new Blob([bytes]), own)).toBe('sent')
  const larger = await objectOf('larger', 1_200_000)
  await expect(transport.sendUnread?.(larger.upload, new Blob([larger.bytes]), own)).rejects.toBeDefined()
  expect(await transport.send(larger.upload, larger.bytes, { kind: 'nothing' }, own)).toBe('sent')
  expect(Math.max(...sizesOf(seen('PATCH').slice(2)))).toBeLessThanOrEqual(FIRST_PART_BYTES)
})

test('gives up for now what is too large in any part (413), and sends no crumbs once that has passed', async () => {
  const rudeness = { checksums: true, mostBytes: 10 }
  const { attempt, seen } = await scene(rudeness, {}, FIRST_PART_BYTES)
  for (let time = 0; time < 5; time++) expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  const before = seen('PATCH').length
  rudeness.mostBytes = Infinity
  expect(await attempt()).toBe('stored')
  expect(sizesOf(seen('PATCH').slice(before))).toEqual(Array(4).fill(HALF_BYTES / 2))
})

test('says that an offset lies beyond the length', async () => {
  const { attempt, copies } = await scene({ checksums: true, beyond: 5 })
  expect(String(await attempt())).toContain('beyond the length')
  expect(await attempt()).toMatchObject({ code: 'bad-answer' })
  expect(copies()).toBe(1)
})

test('remembers no Location that only the server’s own network knows, and gets out by itself once it is mended', async () => {
  let location: (id: string) => string = (id) => `http://127.0.0.1:9/files/${id}`
  const { attempt, copies, resumeToken } = await scene({ checksums: true, location: (id) => location(id) })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('it cannot be reached')
  expect(resumeToken()).toBeUndefined()
  location = (id) => `/files/${id}`
  expect(await attempt()).toBe('stored')
  expect(copies()).toBe(1)
})

test('does not believe a copy whose upload goes on for longer', async () => {
  const { attempt, copies } = await scene({ checksums: true, longer: 1 })
  expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
  expect(await attempt()).toMatchObject({ code: 'address-mismatch' })
  expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(2)
})

test('refuses a Location that gives up TLS, before it remembers it', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (url: string, { method }: RequestInit) => {
    asked.push(`${method} ${url}`)
    return method === 'OPTIONS'
      ? new Response(null, { status: 204, headers: { 'Tus-Version': '1.0.0' } })
      : new Response(null, { status: 201, headers: { Location: 'http://files.example/files/1' } })
  })
  const { attempt, resumeToken } = await scene({}, { endpoint: 'https://files.example/files' })
  const error = await attempt()
  expect(error).toMatchObject({ code: 'rejected-by-store' })
  expect(String(error)).toContain('X-Forwarded-Proto')
  expect(resumeToken()).toBeUndefined()
  expect(asked).toEqual(['OPTIONS https://files.example/files', 'POST https://files.example/files'])
})

test('tells a head by its session and its size, beside its address', async () => {
  const { endpoint } = await rudeTus({ checksums: true })
  const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
  const told: string[] = []
  const send = fetch
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const metadata = new Headers(init.headers).get('upload-metadata')
    if (metadata !== null) told.push(metadata)
    return send(url, init)
  })
  const head = { session: '12'.repeat(32) as SessionName, size: 3 }
  for (const object of [upload, { ...upload, head }])
    await keptAttempts(object, bytes).attempt(tus({ endpoint }))
  const filename = `filename ${btoa(upload.cid)}`
  expect(told).toEqual([filename, `${filename},head ${btoa(`${head.session}/3`)}`])
})

test('counts no copy where not even its creation is taken', async () => {
  const { attempt, copies } = await scene({ checksums: true, createStatus: 500 })
  for (let time = 0; time < 4; time += 1) expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(copies()).toBe(0)
})

test('sends no third copy in parts of which the first are taken each time', async () => {
  const { attempt, copies } = await scene({ refusesLast: true }, { partBytes: 400 })
  expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(await attempt()).toMatchObject({ code: 'server-error' })
  expect(await attempt()).toMatchObject({ code: 'rejected-by-store' })
  expect(copies()).toBe(2)
})

describe('the text of tus 1.0', () => {
  test('names its version in each request but OPTIONS', async () => {
    const rudeness = { checksums: false, readable: false }
    const { attempt, seen, newWorker } = await scene(rudeness)
    await attempt()
    rudeness.checksums = true
    newWorker()
    await attempt()
    expect(await attempt()).toBe('stored')
    for (const method of ['POST', 'HEAD', 'PATCH', 'GET', 'DELETE']) {
      expect(seen(method).length, method).toBeGreaterThan(0)
      for (const { headers } of seen(method)) expect(headers['tus-resumable'], method).toBe('1.0.0')
    }
    expect(seen('OPTIONS').map(({ headers }) => headers['tus-resumable'])).toEqual([undefined, undefined])
  })

  test.each(['0.2.2', '2.0.0,1.1.0'])(
    'is told which versions a server speaks that refuses 1.0.0: %s',
    async (versions) => {
      const { attempt, copies } = await scene({ checksums: true, versions })
      const error = await attempt()
      expect(error).toMatchObject({ code: 'rejected-by-store' })
      expect(String(error)).toContain(`Tus-Version: ${versions}`)
      expect(copies()).toBe(0)
    },
  )

  test.each([404, 410])('takes HEAD with %i for an upload that is not there', async (headStatus) => {
    const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
    const { endpoint, seen } = await rudeTus({ checksums: true, headStatus })
    const { attempt, record } = keptAttempts(upload, bytes)
    record.sent = true
    await attempt(tus({ endpoint }))
    expect(seen('POST').length).toBe(1)
  })

  test.each([
    ['sha1,sha256', 'sha256'],
    ['md5, sha256 ,crc32', 'sha256'],
    ['sha1', 'sha1'],
    ['md5,crc32', undefined],
    ['SHA256', undefined],
    ['', undefined],
  ])(
    'tells each part’s offset, type and checksum, by what the server offers (%j: %s)',
    async (algorithms, chosen) => {
      const { attempt, seen, bytes } = await scene(
        { checksums: true, algorithms, readable: true },
        { partBytes: 400 },
      )
      expect(await attempt()).toBe('stored')
      const parts = [0, 400, 800].map((from) => bytes.subarray(from, from + 400))
      expect(
        seen('PATCH').map(({ body, headers }) => [
          headers['content-type'],
          headers['upload-offset'],
          headers['upload-checksum'],
          body.equals(parts.shift() ?? Buffer.alloc(0)),
        ]),
      ).toEqual(
        [0, 400, 800].map((from) => {
          const part = bytes.subarray(from, from + 400)
          const digest = chosen && `${chosen} ${createHash(chosen).update(part).digest('base64')}`
          return ['application/offset+octet-stream', String(from), digest, true]
        }),
      )
    },
  )

  test('sends in one part what one part may hold', async () => {
    const { attempt, seen } = await scene({ checksums: true })
    expect(await attempt()).toBe('stored')
    expect(seen('PATCH').map(({ body }) => body.length)).toEqual([SIZE_BYTES])
  })

  test('creates an upload with its length, no body and metadata as the text has them', async () => {
    const { endpoint, seen } = await rudeTus({ checksums: true })
    const { upload, bytes } = await objectOf('rude', SIZE_BYTES)
    const labels = { tenant: 'Zürich', empty: '', filename: 'mine.webm', head: 'mine' }
    await keptAttempts({ ...upload, labels }, bytes).attempt(tus({ endpoint }))
    const [created] = seen('POST')
    const { headers = {} } = created ?? {}
    expect(created?.body.length).toBe(0)
    expect(headers).toMatchObject({ 'upload-length': String(SIZE_BYTES), 'content-length': '0' })
    expect(headers).not.toHaveProperty('upload-defer-length')
    const pairs = String(headers['upload-metadata'])
      .split(',')
      .map((pair) => pair.split(' '))
    const keys = pairs.map(([key]) => key)
    expect(new Set(keys).size).toBe(keys.length)
    for (const [key = '', value = '', ...more] of pairs) {
      expect([key, value, more.length]).toEqual([
        expect.stringMatching(/^[\x21-\x2b\x2d-\x7e]+$/),
        expect.stringMatching(/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}(==|[A-Za-z0-9+/]=))?$/),
        0,
      ])
    }
    const told = Object.fromEntries(
      pairs.map(([key, value = '']) => [key, Buffer.from(value, 'base64').toString()]),
    ) as object
    expect(told).toEqual({ ...labels, filename: upload.cid })
  })

  test('is content with an empty upload once it is created', async () => {
    const { endpoint, seen } = await rudeTus({ checksums: true })
    const { upload, bytes } = await objectOf('rude', 0)
    expect(await keptAttempts(upload, bytes).attempt(tus({ endpoint }))).toBeUndefined()
    expect(seen('PATCH')).toEqual([])
  })

  test.each([
    ['less than there was', (offset: number) => Math.max(0, offset - 500)],
    ['more than was sent', (offset: number) => offset + 1],
    ['beyond 2^53', () => 2 ** 60],
  ])(
    'goes on from where the server says that it is, and believes no offset that cannot be: %s',
    async (_, told) => {
      const { attempt, copies } = await scene(
        { checksums: true, offsetAs: (offset) => String(BigInt(told(offset))) },
        { partBytes: 400 },
      )
      expect(String(await attempt())).toMatch(/offset \d+ for a part from 0 to 400/)
      for (let time = 0; time < 3; time += 1) expect(await attempt()).toBeInstanceOf(HoldfastError)
      expect(copies()).toBeLessThanOrEqual(2)
    },
  )

  test('goes on only with what is still there', async () => {
    const { attempt, seen } = await scene({ checksums: true, patchStatus: 409 })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    expect(await attempt()).toMatchObject({ code: 'bad-answer' })
    const paths = [...seen('HEAD'), ...seen('PATCH')].map(({ path }) => path)
    expect(new Set(paths).size).toBe(1)
    expect(seen('HEAD').length).toBe(1)
  })
})
