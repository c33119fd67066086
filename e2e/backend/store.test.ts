import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Backend } from './index.ts'
import { bytesOf, noise } from './bytes.ts'
import { added, addFile, beginAdd, isPinned, MODERN, type Added } from './ipfs-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

const LEGACY = 'cid-version=1&raw-leaves=true&chunker=size-262144&max-file-links=174'

// Of the reference importer: SHA-256 stream of `holdfast/cid`, size, address with each leaf size.
const ADDRESSES: readonly [sizeBytes: number, modern: string, legacy: string][] = [
  [
    0,
    'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
    'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  ],
  [
    262_145,
    'bafkreidn3uiflnt33ye6htul7qmeimcb23s7uqhqci7psti4d4bpnf4klm',
    'bafybeibxtugo75xrkazsoh2z7ktw4aa6iwc35bmahagbqjlr7llms4ebzm',
  ],
  [
    1_048_576,
    'bafkreighj47q5x3ra2pb3djl5zews4td2743a4moc5lw6lkgffacm2molm',
    'bafybeicf2n5yd2xg4be2j6utlnwuwupbbyqrk5anl2x4qscomgprzdsbji',
  ],
  [
    3_145_745,
    'bafybeiaf2vtpzk34oyfram7i7uyncxtbet4ht2bveiz3crgm7i2qjxnlcm',
    'bafybeif3zlrfbm3aiyl6wkuqr6gmga7zoo3j5ipm663jc3pk6sy5dpezoq',
  ],
]

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const post = (path: string) => fetch(`${backend.url}/api/v0/${path}`, { method: 'POST' })

test.each(ADDRESSES)(
  'gives %i bytes the addresses of the reference importer',
  async (size, modern, legacy) => {
    const bytes = bytesOf('holdfast/cid', size)
    expect(await added(backend, bytes)).toBe(modern)
    expect(await added(backend, bytes, LEGACY)).toBe(legacy)
  },
)

test('takes Kubo’s defaults where a parameter is absent', async () => {
  const hello = new TextEncoder().encode('hello world')
  expect(await added(backend, hello, '')).toBe('Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD')
})

test('answers an add with a line of JSON for the file, and with progress when asked', async () => {
  const response = await addFile(backend, noise('progress', 600_000), `${MODERN}&progress=true`, 'clip')
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(lines.at(-1)).toMatchObject({ Name: 'clip', Hash: expect.stringMatching(/^baf/), Size: '600000' })
  expect(lines.at(-2)).toEqual({ Name: 'clip', Bytes: 600_000 })
})

test('returns 5 MiB through gateway, range and cat as they were added', async () => {
  const bytes = noise('large', 5 * 1024 * 1024)
  const cid = await added(backend, bytes)
  const whole = await fetch(`${backend.endpoints.gateway}/ipfs/${cid}`)
  expect(whole.headers.get('content-length')).toBe(String(bytes.byteLength))
  expect(whole.headers.get('content-type')).toBe('application/octet-stream')
  expect(whole.headers.get('access-control-allow-origin')).toBe('*')
  expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)

  const part = await fetch(`${backend.url}/ipfs/${cid}`, { headers: { range: 'bytes=1048570-1048585' } })
  expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 1048570-1048585/5242880'])
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1_048_570, 1_048_586))).toBe(true)

  const cat = await post(`cat?arg=${cid}`)
  expect(Buffer.from(await cat.arrayBuffer()).equals(bytes)).toBe(true)
})

test('says in Kubo’s words what is pinned and what is not', async () => {
  const cid = await added(backend, noise('pinned', 100))
  const absent = await added(backend, noise('only hashed', 100), `${MODERN}&only-hash=true`)
  expect(await (await post(`pin/ls?arg=${cid}&type=recursive`)).json()).toEqual({
    Keys: { [cid]: { Type: 'recursive' } },
  })
  const missing = await post(`pin/ls?arg=${absent}&type=recursive`)
  expect([missing.status, await missing.json()]).toEqual([
    500,
    { Message: `path '${absent}' is not pinned`, Code: 0, Type: 'error' },
  ])
  expect((await post(`cat?arg=${absent}`)).status).toBe(500)
  expect((await fetch(`${backend.url}/ipfs/${absent}`)).status).toBe(404)
})

test('takes POST alone on the RPC paths, and refuses what it cannot honour', async () => {
  expect((await fetch(`${backend.url}/api/v0/version`)).status).toBe(405)
  expect((await post('version')).status).toBe(200)
  expect((await addFile(backend, noise('x', 1), 'chunker=rabin')).status).toBe(500)
  expect((await post('add')).status).toBe(400)
})

test('stores no pin for an upload that was cut off', async () => {
  const bytes = noise('cut off', 2_000_000)
  const cid = await added(backend, bytes, `${MODERN}&only-hash=true`)
  const sent = backend.ledger.waitFor(({ bytesReceived }) => bytesReceived > 1_500_000)
  const upload = beginAdd(backend, bytes.subarray(0, 1_600_000), bytes.byteLength)
  const { id } = await sent
  const over = backend.ledger.waitFor((entry) => entry.id === id && entry.outcome !== undefined)
  upload.destroy()
  expect(await over).toMatchObject({ outcome: 'aborted', changed: false, status: undefined })
  expect(await isPinned(backend, cid)).toBe(false)
  expect(backend.ledger.stored(cid)).toBe(0)

  // All of the content, but not the end of its form: still no pin.
  const almost = backend.ledger.waitFor(({ bytesReceived }) => bytesReceived > 2_000_000)
  const second = beginAdd(backend, bytes, bytes.byteLength)
  const { id: secondId } = await almost
  const secondOver = backend.ledger.waitFor((entry) => entry.id === secondId && entry.outcome !== undefined)
  second.destroy()
  await secondOver
  expect(await isPinned(backend, cid)).toBe(false)
})

test('counts what was stored, and what was sent although it was there', async () => {
  const bytes = noise('twice', 300_000)
  const before = backend.ledger.duplicates().length
  const cid = await added(backend, bytes)
  expect([backend.ledger.stored(cid), backend.ledger.duplicates().length]).toEqual([1, before])
  await added(backend, bytes)
  expect([backend.ledger.stored(cid), backend.ledger.duplicates().length]).toEqual([1, before + 1])
  expect(backend.ledger.duplicates().at(-1)).toMatchObject({ key: cid, changed: false, service: 'ipfs' })
})

test('names one of two uploads of the same content at the same time as the duplicate', async () => {
  const bytes = noise('at once', 300_000)
  const hashes = await Promise.all([added(backend, bytes), added(backend, bytes)])
  const entries = backend.ledger.all().filter(({ key }) => key === hashes[0])
  expect(entries.map(({ changed }) => changed).toSorted()).toEqual([false, true])
  expect(entries.map(({ duplicate }) => duplicate).toSorted()).toEqual([false, true])
})

test('counts an unfinished upload of stored content as a duplicate where the file is named for its address', async () => {
  const bytes = noise('named', 100_000)
  const cid = ((await (await addFile(backend, bytes)).json()) as Added).Hash
  const fault = backend.faults.add({
    service: 'ipfs',
    match: '/add',
    times: 1,
    kind: 'slow',
    bytesPerSec: 50_000,
  })
  const leaving = new AbortController()
  const form = new FormData()
  form.append('file', new Blob([bytes]), cid)
  const begun = backend.ledger.waitFor(({ key, fault: kind }) => key === cid && kind === 'slow')
  const upload = fetch(`${backend.url}/api/v0/add?${MODERN}`, {
    method: 'POST',
    body: form,
    signal: leaving.signal,
  })
  const { id } = await begun
  const over = backend.ledger.waitFor((entry) => entry.id === id && entry.outcome !== undefined)
  leaving.abort()
  await expect(upload).rejects.toThrow()
  expect(await over).toMatchObject({ outcome: 'aborted', duplicate: true })
  fault.remove()
})

test('has every request in its file', async () => {
  const lines = (await readFile(join(box.dataDir, 'ledger.ndjson'), 'utf8')).trim().split('\n')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: 1, service: 'ipfs', outcome: 'answered' })
})
