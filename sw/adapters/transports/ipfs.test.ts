import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { added, noise, sandbox, type Sandbox } from '../../../e2e/backend/testing.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { sha256Hex } from '../../../src/evidence/digest.ts'
import type { Cid } from '../../../src/protocol/ids.ts'
import { ipfs } from './ipfs.ts'
import { TRANSPORT_CONTRACT } from '../../contracts/transport.contract.ts'

// Promise 2 of docs/guarantees.md.

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

describe('the contract, by Kubo’s RPC', () => {
  for (const { title, run } of TRANSPORT_CONTRACT)
    test(title, () => run(variantHarness(backend, 'ipfs', 'a-bearer-token-of-the-app')))
})

test('reads a copy back and hashes it', async () => {
  const bytes = noise('read back', 3_000_000)
  const upload = {
    cid: (await added(backend, bytes)) as Cid,
    sha256: await sha256Hex(bytes),
    sizeBytes: bytes.byteLength,
  }
  const attempt = { signal: AbortSignal.timeout(20_000), saveResumeToken: async () => {}, progress: () => {} }
  const transport = ipfs({ endpoint: backend.endpoints.ipfs })
  await transport.verify(upload, attempt)
  backend.faults.add({ service: 'ipfs', match: '/cat', kind: 'lie' })
  await expect(transport.verify(upload, attempt)).rejects.toMatchObject({ code: 'address-mismatch' })
})
