import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { describeContract, describeSample } from '../../../e2e/transports/describe-contract.ts'
import { keptAttempts } from '../../../e2e/transports/kept-attempts.ts'
import { freshObject } from '../../../e2e/transports/objects.ts'
import { PART_BYTES, variantHarness } from '../../../e2e/transports/variant-harness.ts'
import type { Attempt } from '../../ports/transport.ts'
import { tus } from './tus.ts'

// Promise 2 of docs/guarantees.md.

const SECRET = 'a-bearer-token-of-the-app'

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => {
  backend.faults.clear()
  backend.tus.expireAfter(0)
})
afterAll(() => box.clear())

describeContract('tus with checksums and names', () => variantHarness(backend, 'tus', SECRET))

describeSample('tus with creation alone', () => variantHarness(backend, 'tus-plain', SECRET))

const fresh = (sizeBytes = 500_000) => freshObject(sizeBytes)

const named = (trustLength = false) =>
  tus({ endpoint: backend.endpoints.tus, partBytes: PART_BYTES, trustLength })
const plain = (trustLength = false) =>
  tus({ endpoint: backend.endpoints.tusPlain, partBytes: PART_BYTES, trustLength, secretQuery: true })
const NOTHING = { kind: 'nothing' } as const

const patches = (cid: string) =>
  backend.ledger.all().filter(({ method, key }) => method === 'PATCH' && key === cid)

test('tells the server what the app says of the session, and no other name than the address', async () => {
  const { bytes, upload, attempt } = await fresh(1000)
  const labels = { tenant: 'Zürich', empty: '', filename: 'another' }
  const fetched = vi.spyOn(globalThis, 'fetch')
  await named().send({ ...upload, labels }, bytes, NOTHING, attempt)
  const posts = fetched.mock.calls.filter(
    ([url, init]) => url === backend.endpoints.tus && init?.method === 'POST',
  )
  fetched.mockRestore()
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  expect(posts.map(([, init]) => new Headers(init?.headers).get('upload-metadata'))).toEqual([
    `tenant ${base64('Zürich')},empty ,filename ${base64(upload.cid)}`,
  ])
})

test('sends a part again that arrived damaged (460)', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({ service: 'tus', method: 'PATCH', kind: 'status', status: 460, times: 1 })
  const sending = () => named().send(upload, bytes, NOTHING, attempt)
  await expect(sending()).rejects.toMatchObject({ code: 'address-mismatch', class: 'conflict' })
  expect(await sending()).toBe('proved')
})

test('the server refuses a part whose checksum is another (460), and stores none of it', async () => {
  const { upload, attempt, bytes } = await fresh(1000)
  const held = backend.faults.add({ service: 'tus', method: 'PATCH', kind: 'status', status: 500, times: 1 })
  await expect(named().send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'server-error' })
  expect(held.hits).toBe(1)
  const answer = await fetch(`${backend.endpoints.tus}/${upload.cid}`, {
    method: 'PATCH',
    headers: {
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
      'upload-checksum': `sha256 ${Buffer.alloc(32).toString('base64')}`,
    },
    body: bytes,
  })
  expect(answer.status).toBe(460)
  expect(await named().probe(upload, attempt)).toEqual({ kind: 'part', offsetBytes: 0 })
})

test('gives up for now when every part arrives damaged', async () => {
  const { bytes, upload } = await fresh()
  const { attempt } = keptAttempts(upload, bytes)
  backend.faults.add({ service: 'tus', method: 'PATCH', kind: 'status', status: 460 })
  for (const code of ['address-mismatch', 'address-mismatch', 'rejected-by-store'])
    expect(await attempt(named())).toMatchObject({ code })
  expect(patches(upload.cid).length).toBe(2)
})

test('remembers where an upload is before any byte of it leaves', async () => {
  const { bytes, upload, attempt } = await fresh()
  const failing: Attempt = { ...attempt, saveResumeToken: () => Promise.reject(new Error('No space')) }
  await expect(plain().send(upload, bytes, NOTHING, failing)).rejects.toThrow('No space')
  expect(patches(upload.cid)).toEqual([])
})

test('takes up an upload under its name whose creation it never heard of', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({ service: 'tus', method: 'POST', kind: 'forget-answer', times: 1 })
  await expect(named().send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'unreachable' })
  expect(await named().send(upload, bytes, NOTHING, attempt)).toBe('proved')
  expect(await named().probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
})

test('keeps the query of an upload’s URL out of the resume token where it is a secret', async () => {
  const { upload, attempt, bytes, resumeToken } = await fresh(1000)
  await plain().send(upload, bytes, NOTHING, attempt)
  const patched = backend.ledger.all().find(({ method, key }) => method === 'PATCH' && key === upload.cid)
  expect(patched?.query).toBe('?signature=secret')
  expect(resumeToken()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/tus-plain\/\w+$/)
})

test('proves by checksums what several lives sent, and reads nothing back', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({
    service: 'tus',
    method: 'PATCH',
    match: upload.cid,
    kind: 'reset',
    afterBytes: 0,
    times: 1,
  })
  await expect(named().send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'unreachable' })
  const held = await named().probe(upload, attempt)
  expect(await named().send(upload, bytes, held, attempt)).toBe('proved')
  expect(backend.ledger.all().some(({ method, key }) => method === 'GET' && key === upload.cid)).toBe(false)
})

test('finds damage by reading back where the server checks nothing, and starts over', async () => {
  const { bytes, upload, attempt } = await fresh()
  expect(await plain().send(upload, bytes, NOTHING, attempt)).toBe('sent')
  backend.faults.add({ service: 'tus', method: 'GET', kind: 'lie', times: 2 })
  await expect(plain().verify?.(upload, attempt)).rejects.toMatchObject({ code: 'address-mismatch' })
  expect(await plain().probe(upload, attempt)).toEqual({ kind: 'nothing' })
  expect(await plain().send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await plain().verify?.(upload, attempt)
})

test('says what to configure where neither checksums nor reading prove anything', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({ service: 'tus', method: 'GET', kind: 'status', status: 405 })
  expect(await plain().send(upload, bytes, NOTHING, attempt)).toBe('sent')
  const error: unknown = await plain()
    .verify?.(upload, attempt)
    .catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'bad-answer' })
  expect(String(error)).toContain('trustLength')
  expect(await plain(true).probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
})

test('starts over when an upload vanishes between two parts', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({ service: 'tus', method: 'PATCH', kind: 'status', status: 410, times: 1 })
  await expect(plain().send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'bad-answer' })
  expect(await plain().send(upload, bytes, NOTHING, attempt)).toBe('sent')
  const created = backend.ledger.all().filter(({ method, key }) => method === 'POST' && key === upload.cid)
  expect(created.length).toBe(2)
})

test('starts an upload over that expired', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.faults.add({ service: 'tus', method: 'PATCH', kind: 'status', status: 500, times: 1 })
  await expect(named().send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({ code: 'server-error' })
  backend.tus.expireAfter(1)
  expect(await named().probe(upload, attempt)).toEqual(NOTHING)
  backend.tus.expireAfter(0)
  await backend.tus.vanish(upload.cid, 410)
  expect(await named().send(upload, bytes, NOTHING, attempt)).toBe('proved')
})

test('begins with small parts, and takes larger ones once it knows the link', async () => {
  const { bytes, upload, attempt } = await fresh(3_000_000)
  await tus({ endpoint: backend.endpoints.tus }).send(upload, bytes, NOTHING, attempt)
  const sizes = patches(upload.cid).map(({ bytesReceived }) => bytesReceived)
  expect(sizes[0]).toBe(160_000)
  expect(sizes.length).toBeLessThan(6)
})

test('gives its sign-in to the endpoint’s origin alone', async () => {
  const { upload, attempt } = await fresh(1000)
  const foreign = backend.endpoints.tus.replace('127.0.0.1', 'localhost')
  const asked: string[] = []
  const transport = tus({
    endpoint: backend.endpoints.tus,
    authorize: async ({ reason }) => {
      asked.push(reason)
      return { authorization: `Bearer ${SECRET}` }
    },
  })
  const away: Attempt = { ...attempt, resumeToken: `${foreign}/elsewhere` }
  await transport.probe(upload, away).catch(() => undefined)
  expect(asked).toEqual([])
})

test('sends a Blob unread where its digest, or reading it back, proves it', async () => {
  const { bytes, upload, attempt } = await fresh(100_000)
  const changed = bytes.slice()
  changed[5]! ^= 1
  await expect(named().sendUnread?.(upload, new Blob([changed]), attempt)).rejects.toMatchObject({
    code: 'address-mismatch',
  })
  expect(await named().probe(upload, attempt)).toEqual({ kind: 'part', offsetBytes: 0 })
  expect(await named().sendUnread?.(upload, new Blob([bytes]), attempt)).toBe('proved')

  const another = await fresh()
  expect(await plain().sendUnread?.(another.upload, new Blob([another.bytes]), another.attempt)).toBe('sent')
  await plain().verify?.(another.upload, another.attempt)
})

test('sends no Blob unread in parts with a checksum each, or where nothing but its length would be proved', async () => {
  const { bytes, upload, attempt } = await freshObject(PART_BYTES + 1)
  expect(await named().sendUnread?.(upload, new Blob([bytes]), attempt)).toBeUndefined()
  expect(await plain(true).sendUnread?.(upload, new Blob([bytes]), attempt)).toBeUndefined()
  expect(patches(upload.cid)).toEqual([])
})

test('counts no refusal against an upload that goes on', async () => {
  const { bytes, upload } = await fresh()
  const { attempt } = keptAttempts(upload, bytes)
  const parts = () => tus({ endpoint: backend.endpoints.tus, partBytes: 200_000 })
  const once = { service: 'tus', method: 'PATCH', kind: 'status', status: 500, times: 1, skip: 1 } as const
  for (let time = 0; time < 3; time += 1) {
    backend.faults.add(once)
    expect(await attempt(parts())).toMatchObject({ code: 'server-error' })
  }
  expect(await attempt(parts())).toBeUndefined()
})
