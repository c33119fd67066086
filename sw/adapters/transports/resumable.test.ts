import { afterAll, afterEach, beforeAll, describe, test } from 'vitest'
import type { Backend } from '../../../e2e/backend/index.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/testing.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { TRANSPORT_CONTRACT } from '../../contracts/transport.contract.ts'

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
