import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { describeContract, describeSample } from '../../../e2e/transports/describe-contract.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { freshObject } from '../../../e2e/transports/objects.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { grantFor as grant, newToken, type Wish } from '../../../e2e/transports/variants.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { presignedPut, type Checksum, type Grant, type GrantRequest } from './put.ts'
import type { AuthReason } from '../../http/with-auth.ts'

// Promises 2, 4, 5 of docs/guarantees.md.

let box: Sandbox
let backend: Backend
let token: string

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
  token = await newToken(backend.endpoints)
})
const honest = fetch
afterEach(() => {
  backend.faults.clear()
  vi.unstubAllGlobals()
})
afterAll(() => box.clear())

const grantFor = (request: GrantRequest, wish?: Wish) => grant(backend.endpoints, token, request, wish)

describeContract('presigned PUT with a checksum', () => variantHarness(backend, 'put', token))

describeSample('presigned PUT to a store that tells no checksum', () =>
  variantHarness(backend, 'put-mute', token),
)

const fresh = (sizeBytes = 100_000) => freshObject(sizeBytes)

const put = (grant: Grant, checksum?: Checksum) => presignedPut({ grant, ...(checksum && { checksum }) })
const NOTHING = { kind: 'nothing' } as const

test('renews a URL that has expired, and does not try it again', async () => {
  const { bytes, upload, attempt } = await fresh()
  const asked: AuthReason[] = []
  const transport = put((request) => {
    asked.push(request.reason)
    return grantFor(request, request.reason === 'send' ? { expiresSec: -1 } : {})
  })
  expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('proved')
  expect(asked).toEqual(['send', 'rejected'])
  const seen = backend.ledger.all().filter(({ key, method }) => key === upload.cid && method === 'PUT')
  expect(seen.map(({ status }) => status)).toEqual([403, 200])
  expect(new Set(seen.map(({ query }) => query)).size).toBe(2)
})

test.each([400, 401, 403])(
  'renews a URL by which it asks what is there, and that has expired (%i): its answer has no words',
  async (status) => {
    const { bytes, upload, attempt } = await fresh()
    expect(await put(grantFor).send(upload, bytes, NOTHING, attempt)).toBe('proved')
    const asked: AuthReason[] = []
    const transport = put((request) => {
      asked.push(request.reason)
      return grantFor(request)
    })
    // GCS, and S3 of a session's token, say 400 of it.
    const fault = { service: 'put', match: '/put/objects/', method: 'HEAD', kind: 'status', status } as const
    backend.faults.add({ ...fault, times: 1 })
    expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
    expect(asked).toEqual(['send', 'rejected'])
  },
)

test('needs a sign-in where the renewed URL has expired too', async () => {
  const { bytes, upload, attempt } = await fresh()
  const transport = put((request) => grantFor(request, { expiresSec: -1 }))
  await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
    code: 'sign-in-needed',
  })
})

test('tells whoever grants what the app says of the session', async () => {
  const { bytes, upload, attempt } = await fresh()
  const labels = { tenant: 'a7' }
  const asked: GrantRequest[] = []
  const grants: Grant = (request) => {
    asked.push(request)
    return grantFor(request)
  }
  expect(await put(grants).send({ ...upload, labels }, bytes, NOTHING, attempt)).toBe('proved')
  expect(asked).toMatchObject([{ method: 'PUT', labels }])
})

test('needs a sign-in where the app grants nothing, or its own sign-in has ended', async () => {
  const { bytes, upload, attempt } = await fresh()
  const code = 'sign-in-needed'
  // What a server says instead of a grant, where the app hands its JSON on.
  const SAID = ['null', '{}', '{"error":"Unauthorized"}', '{"url":null}', '{"url":""}']
  for (const none of [undefined, ...SAID.map((said) => JSON.parse(said) as undefined)])
    await expect(put(async () => none).send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
      code,
    })
  const expired = await fetch(`${backend.endpoints.put}/token?ttlMs=-1`, { method: 'POST' })
  const before = token
  token = ((await expired.json()) as { token: string }).token
  await expect(put(grantFor).send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code })
  token = before
})

test('takes a hook that cannot reach its server for a network that is gone', async () => {
  const { bytes, upload, attempt } = await fresh()
  const transport = put(async () => {
    throw new TypeError('Failed to fetch')
  })
  await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'unreachable' })
})

test('ends a hook that never answers when it is told to', async () => {
  const { bytes, upload, attempt } = await fresh()
  const dying = new AbortController()
  const sending = put(() => {
    dying.abort()
    return new Promise(() => {})
  }).send(upload, bytes, NOTHING, { ...attempt, signal: dying.signal })
  await expect(sending).rejects.toMatchObject({ code: 'aborted' })
})

test('sends again what the store received otherwise (BadDigest)', async () => {
  const { upload, attempt, bytes } = await fresh()
  const damaged = Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte))
  await expect(put(grantFor).send(upload, damaged, NOTHING, attempt)).rejects.toMatchObject({
    code: 'address-mismatch',
  })
  expect(backend.ledger.stored(upload.cid)).toBe(0)
})

test('reads back what the store tells no checksum of, finds damage, and overwrites it', async () => {
  const { upload, attempt, bytes } = await fresh()
  const damaged = Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte))
  const transport = put((request) => grantFor(request, { mute: true }))
  expect(await transport.send(upload, damaged, NOTHING, attempt)).toBe('sent')
  expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: false })
  await expect(transport.verify?.(upload, attempt)).rejects.toMatchObject({ code: 'address-mismatch' })
  expect(await transport.probe(upload, attempt)).toEqual(NOTHING)
  expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await transport.verify?.(upload, attempt)
})

test('says what to configure where the store tells no checksum and reading is not granted', async () => {
  const { upload, attempt, bytes } = await fresh()
  const transport = put(async (request) =>
    request.method === 'GET' ? undefined : grantFor(request, { mute: true }),
  )
  expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  const error: unknown = await transport.verify?.(upload, attempt).catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'bad-answer' })
  expect(String(error)).toMatch(/tells no x-amz-checksum-sha256.*CORS.*grant GET/)
})

test.each([202, 204, 206])(
  'takes no other success (%i) for a copy of other bytes, and sends none again',
  async (status) => {
    const { upload, bytes } = await fresh()
    const { attempt } = keptAttempts(upload, bytes)
    const transport = put((request) => grantFor(request, { mute: true }))
    backend.faults.add({ service: 'put', match: '/put/objects/', method: 'GET', kind: 'status', status })
    for (let time = 0; time < 3; time += 1)
      expect(String(await attempt(transport))).toContain(`answered ${status}`)
    backend.faults.clear()
    expect(await attempt(transport)).toBeUndefined()
    const sent = backend.ledger.all().filter(({ key, method }) => key === upload.cid && method === 'PUT')
    expect(sent.length).toBe(1)
  },
)

test.each(['no URL', '/put/objects/relative', 'https://me:word@store.example/'])(
  'is told as a wrong input where the app grants %j, and is no dead network',
  async (url) => {
    const { upload, bytes, attempt } = await fresh()
    const transport = put(async () => ({ url }))
    await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'bad-input' })
  },
)

test('is proved by the checksum of a store that has another', async () => {
  const { upload, attempt, bytes } = await fresh()
  const etag = (content: Uint8Array) => `"${createHash('md5').update(content).digest('hex')}"`
  const grant: Grant = (request) => grantFor(request, { mute: true })
  expect(await put(grant, { header: 'etag', of: etag }).send(upload, bytes, NOTHING, attempt)).toBe('proved')
  await expect(
    put(grant, { header: 'etag', of: () => '"0"' }).send(upload, bytes, NOTHING, attempt),
  ).rejects.toMatchObject({ code: 'address-mismatch' })
})

test('takes 403 to HEAD for “not there”, as S3 says it to those who may not list', async () => {
  const { upload, attempt } = await fresh()
  backend.faults.add({ service: 'put', match: '/put/objects/', method: 'HEAD', kind: 'status', status: 403 })
  expect(await put(grantFor).probe(upload, attempt)).toEqual(NOTHING)
})

/** A store that answers each `PUT` alike, through the lives of several workers: the message of each attempt. */
async function refusedAlike(status: number, body: string, attempts: number, resumeToken?: string) {
  const { upload, bytes } = await fresh()
  const { attempt, record } = keptAttempts(upload, bytes)
  record.resumeToken = resumeToken
  backend.faults.add({ service: 'put', match: '/put/objects/', method: 'PUT', kind: 'status', status, body })
  const told: (string | undefined)[] = []
  for (let at = 0; at < attempts; at += 1) told.push((await attempt(put(grantFor)))?.code)
  return { told, attempt: () => attempt(put(grantFor)), record }
}

const refusal = (code: string) =>
  `<Error><Code>${code}</Code><Message>As the store says it.</Message></Error>`

test.each([
  [400, 'BadDigest', ['address-mismatch', 'rejected-by-store', 'rejected-by-store']],
  [400, 'XAmzContentSHA256Mismatch', ['address-mismatch', 'rejected-by-store', 'rejected-by-store']],
  [400, 'InvalidDigest', ['address-mismatch', 'rejected-by-store', 'rejected-by-store']],
  [403, 'SignatureDoesNotMatch', ['sign-in-needed', 'rejected-by-store', 'rejected-by-store']],
])('%i %s is the grant’s fault once it comes each time', async (status, code, codes) => {
  const { told, attempt, record } = await refusedAlike(status, refusal(code), codes.length)
  expect(told).toEqual(codes)
  expect(record.resumeToken!.length).toBeLessThan(200)
  const errors = [await attempt(), await attempt()]
  expect(errors.join()).toContain(`${code}: the grant signs another checksum`)
  // The grant is mended: one that was told so is the last.
  backend.faults.clear()
  expect([await attempt(), await attempt()]).toContain(undefined)
})

test('what another transport remembered is no doubt: damage on the way is sent again', async () => {
  const { told } = await refusedAlike(400, refusal('BadDigest'), 1, 'https://tus.example/files/1')
  expect(told).toEqual(['address-mismatch'])
})

test('another refusal in between is none of the grant’s faults', async () => {
  const { told } = await refusedAlike(503, refusal('SlowDown'), 4)
  expect(new Set(told)).toEqual(new Set(['throttled']))
})

test('proves what a create-only request finds there already, and sends it once', async () => {
  const { upload, attempt, bytes } = await fresh()
  expect(await put(grantFor).send(upload, bytes, NOTHING, attempt)).toBe('proved')
  backend.faults.add({ service: 'put', match: '/put/objects/', method: 'PUT', kind: 'status', status: 412 })
  expect(await put(grantFor).send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await put(grantFor).verify?.(upload, attempt)
  const sent = backend.ledger.all().filter(({ key, method }) => key === upload.cid && method === 'PUT')
  expect(sent).toHaveLength(2)
})

test('a person is told where other bytes are there and the grant overwrites nothing', async () => {
  const { upload, attempt, bytes } = await fresh()
  const damaged = Uint8Array.from(bytes, (byte, at) => (at === 5 ? byte ^ 1 : byte))
  const transport = put((request) => grantFor(request, { mute: true }))
  await transport.send(upload, damaged, NOTHING, attempt)
  backend.faults.add({
    service: 'put',
    match: '/put/objects/',
    method: 'PUT',
    kind: 'status',
    status: 403,
    body: refusal('UnauthorizedBlobOverwrite'),
  })
  expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await expect(transport.verify?.(upload, attempt)).rejects.toMatchObject({ code: 'address-mismatch' })
  await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
    code: 'rejected-by-store',
    message: expect.stringContaining('overwrites nothing'),
  })
})

test('looks again where a create-only grant finds what was read back as other bytes: they may have been of a proxy', async () => {
  const { upload, attempt, bytes } = await fresh()
  const transport = put((request) => grantFor(request, { mute: true }))
  expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  const fault = { service: 'put', match: '/put/objects/', kind: 'status', times: 1 } as const
  backend.faults.add({ ...fault, method: 'GET', status: 200, body: '<!doctype html>', times: 2 })
  await expect(transport.verify?.(upload, attempt)).rejects.toMatchObject({ code: 'address-mismatch' })
  backend.faults.add({ ...fault, method: 'PUT', status: 412, body: refusal('PreconditionFailed') })
  await expect(
    transport.send(upload, bytes, await transport.probe(upload, attempt), attempt),
  ).rejects.toMatchObject({
    code: 'rejected-by-store',
  })
  expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: false })
  await transport.verify?.(upload, attempt)
})

test('takes a checksum header that says nothing for none', async () => {
  const { upload, attempt, bytes } = await fresh()
  const mute = { header: 'x-mute', of: () => 'something' }
  const silent = put((request) => grantFor(request, { mute: true }), mute)
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const answer = await honest(url, init)
    const headers = new Headers(answer.headers)
    for (const name of ['x-mute', 'x-amz-checksum-sha256']) headers.set(name, '')
    return new Response(init.method === 'HEAD' ? null : await answer.arrayBuffer(), {
      status: answer.status,
      headers,
    })
  })
  for (const transport of [silent, put((request) => grantFor(request, { mute: true }))]) {
    expect(await transport.send(upload, bytes, NOTHING, attempt)).toBe('sent')
    expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: false })
    await transport.verify?.(upload, attempt)
  }
})

test('tries again where another create-only request for the same object is under way', async () => {
  const { upload, attempt, bytes } = await fresh()
  backend.faults.add({
    service: 'put',
    match: '/put/objects/',
    method: 'PUT',
    kind: 'status',
    status: 409,
    body: refusal('ConditionalRequestConflict'),
    times: 1,
  })
  await expect(put(grantFor).send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
    class: 'conflict',
  })
  expect(await put(grantFor).probe(upload, attempt)).toEqual(NOTHING)
  expect(await put(grantFor).send(upload, bytes, NOTHING, attempt)).toBe('proved')
})

test('tells the app which object is a head, so that it can choose the key', async () => {
  const { bytes, upload, attempt } = await fresh()
  const head = { session: '12'.repeat(32) as SessionName, size: 3 }
  const asked: (typeof head | undefined)[] = []
  const transport = put((request) => {
    asked.push(request.head as typeof head | undefined)
    return grantFor(request)
  })
  await transport.send({ ...upload, head }, bytes, NOTHING, attempt)
  await transport.probe({ ...upload, head }, attempt)
  await transport.probe(upload, attempt)
  expect(asked).toEqual([head, head, undefined])
})

test.each(['its answer names', 'reading it back shows'])(
  'sends a Blob unread, and one that has changed is found out by what %s',
  async (what) => {
    const transport = put((request) => grantFor(request, { mute: what === 'reading it back shows' }))
    const { bytes, upload, attempt } = await fresh()
    const changed = bytes.slice()
    changed[5]! ^= 1
    const sendAndProve = async (blob: Blob) => {
      if ((await transport.sendUnread?.(upload, blob, attempt)) !== 'proved')
        await transport.verify?.(upload, attempt)
    }
    await expect(sendAndProve(new Blob([changed]))).rejects.toMatchObject({ code: 'address-mismatch' })
    await sendAndProve(new Blob([bytes]))
    expect(await transport.probe(upload, attempt)).toMatchObject({ kind: 'all' })
  },
)

test('sends no Blob unread where the checksum is another one than the digest', async () => {
  const md5: Checksum = {
    header: 'content-md5',
    of: (bytes) => createHash('md5').update(bytes).digest('base64'),
  }
  const transport = put(grantFor, md5)
  const { bytes, upload, attempt } = await fresh()
  expect(await transport.sendUnread?.(upload, new Blob([bytes]), attempt)).toBeUndefined()
})

test('has room for a copy where it reads one back, and for no other answer', async () => {
  const { upload, attempt, bytes } = await fresh()
  vi.stubGlobal('fetch', async () => new Response(new Uint8Array(upload.sizeBytes)))
  const transport = put(async () => ({ url: 'https://store.test/object' }))
  await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'bad-answer' })
})
