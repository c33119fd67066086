import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { noise, sandbox, type Sandbox } from '../../../e2e/backend/testing.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { contentAddress } from '../../../src/evidence/cid.ts'
import { sha256Hex } from '../../../src/evidence/digest.ts'
import { TRANSPORT_CONTRACT } from '../../contracts/transport.contract.ts'
import type { Attempt, Upload } from '../../ports/transport.ts'
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

describe('the contract, by resumable uploads with digests', () => {
  for (const { title, run } of TRANSPORT_CONTRACT)
    test(title, () => run(variantHarness(backend, 'resumable', SECRET)))
})

describe('the contract, by resumable uploads to a server that tells no digest and forgets what is whole', () => {
  for (const { title, run } of TRANSPORT_CONTRACT)
    test(title, () => run(variantHarness(backend, 'resumable-mute', SECRET)))
})

let count = 0
async function fresh(sizeBytes = 500_000) {
  const bytes = noise(`resumable ${(count += 1)}`, sizeBytes)
  const upload: Upload = { cid: await contentAddress(bytes), sha256: await sha256Hex(bytes), sizeBytes }
  let resumeToken = ''
  const attempt: Attempt = {
    signal: AbortSignal.timeout(25_000),
    get resumeToken() {
      return resumeToken
    },
    saveResumeToken: async (told) => {
      resumeToken = told
    },
    progress: () => {},
  }
  return { bytes, upload, attempt }
}

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
  expect(await transport.probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
})
