import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { collect } from '../../../e2e/backend/exchange.ts'
import { serverOfTest } from '../../../e2e/backend/server-of-test.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { describeContract, describeSample } from '../../../e2e/transports/describe-contract.ts'
import { freshObject } from '../../../e2e/transports/objects.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { newToken, signedUrl } from '../../../e2e/transports/variants.ts'
import { contentAddress, KUBO_LEGACY_CIDV1 } from '../../../src/evidence/cid.ts'
import { pinata, type PinataOptions, type SignedUploadRequest } from './pinata.ts'
import type { AuthReason } from '../../http/with-auth.ts'

// Promise 2 of docs/guarantees.md.

let box: Sandbox
let backend: Backend
let jwt: string

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
  jwt = await newToken(backend.endpoints)
})
afterEach(() => {
  backend.faults.clear()
  backend.pinata.addressAs('modern')
})
afterAll(() => box.clear())

const bearer = () => ({ authorization: `Bearer ${jwt}` })

function transport(options: PinataOptions) {
  const { gateway, pinata: base } = backend.endpoints
  return pinata({ gateway, uploads: base, api: base, ...options })
}

describeContract('Pinata', () => variantHarness(backend, 'pinata', jwt))

describeSample('Pinata with addresses of its own', () => variantHarness(backend, 'pinata-legacy', jwt))

describeSample('Pinata’s signed upload URLs', () => variantHarness(backend, 'pinata-signed', jwt))

const fresh = (sizeBytes = 700_000) => freshObject(sizeBytes)

const NOTHING = { kind: 'nothing' } as const
const authorize = async () => bearer()

test('reads back and hashes what Pinata keeps under another address, and remembers that address', async () => {
  const { bytes, upload, attempt, resumeToken } = await fresh()
  backend.pinata.addressAs('legacy')
  expect(await transport({ authorize }).send(upload, bytes, NOTHING, attempt)).toBe('sent')
  expect(resumeToken()).toBe(await contentAddress(bytes, KUBO_LEGACY_CIDV1))
  await transport({ authorize }).verify?.(upload, attempt)
  backend.faults.add({ service: 'gateway', kind: 'lie' })
  await expect(transport({ authorize }).verify?.(upload, attempt)).rejects.toMatchObject({
    code: 'address-mismatch',
  })
})

test('tells Pinata the labels of the session, and the app that signs', async () => {
  const { bytes, upload, attempt } = await fresh(1000)
  const labels = { tenant: 'Zürich' }
  const fetched = vi.spyOn(globalThis, 'fetch')
  expect(await transport({ authorize }).send({ ...upload, labels }, bytes, NOTHING, attempt)).toBe('proved')
  const forms = fetched.mock.calls.flatMap(([, init]) => (init?.body instanceof FormData ? init.body : []))
  expect(forms.map((form) => form.get('keyvalues'))).toEqual(['{"tenant":"Zürich"}'])

  fetched.mockClear()
  const other = await fresh(1000)
  const asked: SignedUploadRequest[] = []
  const signUpload = (request: SignedUploadRequest) => {
    asked.push(request)
    return signedUrl(backend.endpoints, jwt)
  }
  await transport({ signUpload }).send({ ...other.upload, labels }, other.bytes, NOTHING, other.attempt)
  expect(asked).toMatchObject([{ cid: other.upload.cid, labels }])
  const signed = fetched.mock.calls.flatMap(([, init]) => (init?.body instanceof FormData ? init.body : []))
  fetched.mockRestore()
  expect(signed.map((form) => form.get('keyvalues'))).toEqual([null])
})

test('says that it needs a gateway to prove what has another address', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.pinata.addressAs('legacy')
  const blind = pinata({ authorize, uploads: backend.endpoints.pinata, api: backend.endpoints.pinata })
  expect(await blind.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await expect(blind.verify?.(upload, attempt)).rejects.toMatchObject({ code: 'bad-answer' })
})

test('is refused where nobody could be asked what is there', () => {
  const signUpload = () => signedUrl(backend.endpoints, jwt)
  const code = 'bad-input'
  expect(() => pinata({ signUpload })).toThrow(expect.objectContaining({ code }))
  expect(() => pinata({})).toThrow(
    expect.objectContaining({
      code,
      message: expect.stringMatching(/lost answer nobody could say .* add authorize/) as unknown,
    }),
  )
  // Its gateway gives private files to nobody without a token.
  expect(() => transport({ signUpload, network: 'private' })).toThrow(expect.objectContaining({ code }))
  expect(() => transport({ signUpload })).not.toThrow()
  expect(() => pinata({ authorize })).not.toThrow()
})

test.each([401, 408, 429, 500, 503])('concludes nothing from a gateway that answers %i', async (status) => {
  const { upload, attempt } = await fresh()
  const signed = transport({ signUpload: () => signedUrl(backend.endpoints, jwt) })
  backend.faults.add({ service: 'gateway', kind: 'status', status })
  await expect(signed.probe(upload, attempt)).rejects.toMatchObject({ code: expect.any(String) as unknown })
})

test.each([403, 404, 410])('takes %i of a gateway for “not there”', async (status) => {
  const { upload, attempt } = await fresh()
  const signed = transport({ signUpload: () => signedUrl(backend.endpoints, jwt) })
  backend.faults.add({ service: 'gateway', kind: 'status', status })
  expect(await signed.probe(upload, attempt)).toEqual(NOTHING)
})

test('finds what Pinata had before under another address and name, and sends it once', async () => {
  const { bytes, upload } = await fresh(1000)
  const other = { id: '1', cid: 'bafkreiolder', name: 'an older name', size: 1000, is_duplicate: true }
  let posts = 0
  const base = await serverOfTest(async (request, response) => {
    await collect(request)
    const url = new URL(request.url ?? '', 'http://pinata')
    if (request.method === 'POST') {
      posts += 1
      response.end(JSON.stringify({ data: other }))
    } else if (url.pathname.startsWith('/ipfs/')) response.writeHead(504).end()
    else
      response.end(
        JSON.stringify({ data: { files: url.searchParams.get('cid') === other.cid ? [other] : null } }),
      )
  })
  const one = keptAttempts(upload, bytes)
  for (let time = 0; time < 4; time += 1)
    expect(await one.attempt(pinata({ uploads: base, api: base, gateway: base, authorize }))).toMatchObject({
      code: 'server-error',
    })
  expect(posts).toBe(1)
})

test.each([202, 204, 206])(
  'takes no other success of a gateway (%i) for a copy of other bytes, and sends none again',
  async (status) => {
    const { bytes, upload } = await fresh()
    const { attempt } = keptAttempts(upload, bytes)
    backend.pinata.addressAs('legacy')
    backend.faults.add({ service: 'gateway', kind: 'status', status })
    for (let time = 0; time < 3; time += 1)
      expect(String(await attempt(transport({ authorize })))).toContain(`answered ${status}`)
    backend.faults.clear()
    expect(await attempt(transport({ authorize }))).toBeUndefined()
    const sent = backend.ledger.all().filter(({ key, method }) => key === upload.cid && method === 'POST')
    expect(sent.length).toBe(1)
  },
)

test('takes bases that end with a slash', async () => {
  const { bytes, upload, attempt } = await fresh()
  const { gateway, pinata: base } = backend.endpoints
  const slashed = pinata({ authorize, gateway: `${gateway}/`, uploads: `${base}/`, api: `${base}/` })
  backend.pinata.addressAs('legacy')
  expect(await slashed.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  expect(await slashed.probe(upload, attempt)).toEqual({ kind: 'all', proved: false })
  await slashed.verify?.(upload, attempt)
  expect(backend.ledger.all().filter(({ path }) => path.includes('//'))).toEqual([])
})

test('renews a signed URL that has expired', async () => {
  const { bytes, upload, attempt } = await fresh()
  const asked: AuthReason[] = []
  const signUpload: PinataOptions['signUpload'] = ({ reason }) => {
    asked.push(reason)
    return signedUrl(backend.endpoints, jwt, reason === 'send' ? -1 : 60)
  }
  expect(await transport({ signUpload }).send(upload, bytes, NOTHING, attempt)).toBe('proved')
  expect(asked).toEqual(['send', 'rejected'])
})

test('needs a sign-in where the app signs nothing', async () => {
  const { bytes, upload, attempt } = await fresh(1000)
  // What a server says instead of a URL, where the app hands it on.
  for (const none of [undefined, null, '']) {
    const signUpload = async () => none as string
    await expect(transport({ signUpload }).send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
      code: 'sign-in-needed',
    })
  }
})

test.each(['a b', '../../other?x=1', '', 7, null, { toString: 1 }])(
  'takes %j for no address, and keeps it nowhere',
  async (cid) => {
    const { bytes, upload, attempt, resumeToken } = await fresh(1000)
    backend.faults.add({
      service: 'pinata',
      method: 'POST',
      kind: 'status',
      status: 200,
      body: JSON.stringify({ data: { cid } }),
    })
    await expect(transport({ authorize }).send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
      code: 'bad-answer',
    })
    expect(resumeToken()).toBe('')
  },
)
