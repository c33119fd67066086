import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Backend } from './index.ts'
import { noise } from './bytes.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

// The server that transports are held to is held to the draft's text.

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const VERSION = { 'upload-draft-interop-version': '8' }

async function created(length: number): Promise<string> {
  const headers = { ...VERSION, 'upload-complete': '?0', 'upload-length': String(length) }
  const { endpoints, url } = backend
  const answer = await fetch(endpoints.resumable, { method: 'POST', headers })
  expect(answer.status).toBe(201)
  expect(answer.headers.get('upload-limit')).toContain('max-append-size=')
  return new URL(answer.headers.get('location') ?? '', url).href
}

const append = (url: string, body: Uint8Array<ArrayBuffer>, offset: number, complete: boolean, more = {}) =>
  fetch(url, {
    method: 'PATCH',
    headers: {
      ...VERSION,
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
      'upload-complete': complete ? '?1' : '?0',
      ...more,
    },
    body,
  })

const head = async (url: string) => {
  const { status, headers } = await fetch(url, { method: 'HEAD', headers: VERSION })
  return [status, headers.get('upload-offset'), headers.get('upload-complete'), headers.get('upload-length')]
}

test('tells its limits to OPTIONS', async () => {
  const answer = await fetch(backend.endpoints.resumable, { method: 'OPTIONS', headers: VERSION })
  expect(answer.headers.get('upload-limit')).toContain('max-size=')
})

test('takes no request of another version, and none of another form', async () => {
  const bytes = noise('strict', 2000)
  const url = await created(2000)
  expect((await append(url, bytes, 0, true, { 'upload-draft-interop-version': '7' })).status).toBe(400)
  expect((await append(url, bytes, 0, true, { 'content-type': 'application/octet-stream' })).status).toBe(415)
  expect((await append(url, bytes, 0, true, { 'upload-offset': '0.0' })).status).toBe(400)
  expect((await append(url, bytes, 0, true, { 'upload-complete': '1' })).status).toBe(400)
  expect((await append(url, bytes.subarray(0, 10), 0, false)).status).toBe(400)
  expect((await append(url, noise('large', 200_000), 0, false)).status).toBe(413)
  expect(await head(url)).toEqual([204, '0', '?0', '2000'])
})

test('refuses an append at another offset, and names its own', async () => {
  const url = await created(2000)
  expect((await append(url, noise('first', 1000), 0, false)).status).toBe(204)
  const answer = await append(url, noise('again', 1000), 0, false)
  expect([answer.status, answer.headers.get('upload-offset'), answer.headers.get('upload-complete')]).toEqual(
    [409, '1000', '?0'],
  )
  expect(await answer.json()).toMatchObject({ 'expected-offset': 1000, 'provided-offset': 0 })
})

test('refuses a length that is another than before, and forgets an upload that grows beyond its own', async () => {
  const url = await created(2000)
  const answer = await append(url, noise('short', 1500), 0, true)
  expect(answer.status).toBe(400)
  expect(((await answer.json()) as { type: string }).type).toContain('#inconsistent-upload-length')
  await append(url, noise('long', 3000), 0, false).catch(() => undefined)
  expect((await head(url))[0]).toBe(404)
})

test('tells its last answer again to whoever completes with nothing, and takes no more', async () => {
  const bytes = noise('whole', 2000)
  const url = await created(2000)
  expect((await append(url, bytes, 0, true)).headers.get('upload-complete')).toBe('?1')
  expect((await append(url, bytes.subarray(2000), 2000, true)).headers.get('upload-complete')).toBe('?1')
  expect((await append(url, bytes, 2000, true)).status).toBe(400)
  expect(await head(url)).toEqual([204, '2000', '?1', '2000'])
})

test('ends an append that is still open when it is asked for the offset', async () => {
  const url = await created(2000)
  const open = request(url, {
    method: 'PATCH',
    headers: {
      ...VERSION,
      'content-type': 'application/partial-upload',
      'upload-offset': '0',
      'upload-complete': '?1',
      'content-length': 2000,
    },
  })
  const cut = new Promise<void>((resolve) => open.on('error', () => resolve()))
  open.write(noise('open', 1200))
  await backend.ledger.waitFor(({ path, bytesReceived }) => url.endsWith(path) && bytesReceived === 1200)
  const [status, offset, complete] = await head(url)
  await cut
  expect([status, complete]).toEqual([204, '?0'])
  expect((await append(url, noise('rest', 2000).subarray(Number(offset)), Number(offset), true)).status).toBe(
    200,
  )
})
