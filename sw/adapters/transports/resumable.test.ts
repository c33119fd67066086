import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { describeContract, describeSample } from '../../../e2e/transports/describe-contract.ts'
import { freshObject } from '../../../e2e/transports/objects.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import type { Attempt } from '../../ports/transport.ts'
import { resumable } from './resumable.ts'

// Promise 2 of docs/guarantees.md.

const SECRET = 'a-bearer-token-of-the-app'

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

describeContract('resumable uploads with digests', () => variantHarness(backend, 'resumable', SECRET))

describeSample('resumable uploads to a server that tells no digest and forgets what is whole', () =>
  variantHarness(backend, 'resumable-mute', SECRET),
)

const fresh = (sizeBytes = 500_000) => freshObject(sizeBytes)

const NOTHING = { kind: 'nothing' } as const
const appendsOf = (cid: string) =>
  backend.ledger.all().filter(({ method, key }) => method === 'PATCH' && key === cid)

test('remembers where an upload is before any byte of it leaves', async () => {
  const { bytes, upload, attempt } = await fresh()
  const failing: Attempt = { ...attempt, saveResumeToken: () => Promise.reject(new Error('No space')) }
  const transport = resumable({ endpoint: backend.endpoints.resumable })
  await expect(transport.send(upload, bytes, NOTHING, failing)).rejects.toThrow('No space')
  expect(appendsOf(upload.cid)).toEqual([])
})

test('goes on after the server was started anew, and is proved by what both lives of it received', async () => {
  const { bytes, upload, attempt } = await fresh()
  const transport = resumable({ endpoint: backend.endpoints.resumable })
  const { port } = new URL(backend.url)
  backend.faults.add({ service: 'resumable', method: 'PATCH', kind: 'status', status: 500, skip: 1 })
  await expect(transport.send(upload, bytes, NOTHING, attempt)).rejects.toMatchObject({
    code: 'server-error',
  })
  await backend.stop()
  backend = await box.start({ port: Number(port) })
  const held = await transport.probe(upload, attempt)
  expect(held).toEqual({ kind: 'part', offsetBytes: 160_000 })
  expect(await transport.send(upload, bytes, held, attempt)).toBe('proved')
  expect(appendsOf(upload.cid).reduce((sum, { bytesReceived }) => sum + bytesReceived, 0)).toBe(340_000)
  expect(await transport.probe(upload, attempt)).toMatchObject({ kind: 'all', proved: true })
})
