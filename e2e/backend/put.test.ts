import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { presignedPut, type GrantRequest } from '../../sw/adapters/transports/put.ts'
import { freshObject } from '../transports/objects.ts'
import type { Backend } from './index.ts'
import { repositoryRoot } from './repository-root.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
let backend: Backend
beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const presign = async (wanted: Partial<GrantRequest>) => {
  const asked = { method: 'POST', body: JSON.stringify(wanted) }
  const response = await fetch(`${backend.endpoints.put}/presign`, asked)
  return response.json()
}

test('signs for whoever tries the quick start, without a token: the object is made, and proved', async () => {
  const store = presignedPut({ grant: presign })
  const { bytes, upload, attempt } = await freshObject(70_000)
  const held = await store.probe(upload, attempt)
  expect(held).toEqual({ kind: 'nothing' })
  expect(await store.send(upload, bytes, held, attempt)).toBe('proved')
  expect(await store.probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
  const read = await fetch(`${backend.endpoints.gateway}/ipfs/${upload.cid}`)
  expect(new Uint8Array(await read.arrayBuffer())).toEqual(bytes)
})

test('writes over nothing that was made so', async () => {
  const { bytes, upload } = await freshObject(500)
  const checksum = Buffer.from(upload.sha256, 'hex').toString('base64')
  const put = async () => {
    const { url, headers } = await presign({ method: 'PUT', cid: upload.cid, checksum })
    return (await fetch(url, { method: 'PUT', headers, body: bytes })).status
  }
  expect([await put(), await put()]).toEqual([200, 412])
})

test('signs with a token alone where the app asks its own server', async () => {
  const asked = { method: 'POST', body: JSON.stringify({ method: 'HEAD', cid: 'bafy' }) }
  expect((await fetch(`${backend.endpoints.put}/grant`, asked)).status).toBe(401)
})

test('is at the address that the quick start names, and so are the other stores to try', () => {
  const page = readFileSync(join(repositoryRoot(), 'docs', 'quick-start-files.md'), 'utf8')
  const named = [...page.matchAll(/for a try,? `http:\/\/127\.0\.0\.1:8741(\S*)`/g)].map(([, path]) => path)
  const { ipfs, tus, put } = backend.endpoints
  expect(named).toEqual([ipfs, tus, `${put}/presign`].map((url) => url.slice(backend.url.length)))
})
