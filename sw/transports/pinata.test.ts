import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Backend } from '../../e2e/backend/index.ts'
import { noise, sandbox, type Sandbox } from '../../e2e/backend/testing.ts'
import { transportHarness } from '../../e2e/backend/transport-harness.ts'
import { contentAddress, KUBO_LEGACY_CIDV1 } from '../../src/evidence/cid.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { pinata, type PinataOptions } from './pinata.ts'
import type { Attempt, Upload } from './port.ts'
import type { AskReason } from './sign-in.ts'
import { TRANSPORT_CONTRACT } from './transport.contract.ts'

// Promise 2 of docs/guarantees.md.

let box: Sandbox
let backend: Backend
let jwt: string

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
  const response = await fetch(`${backend.endpoints.put}/token`, { method: 'POST' })
  jwt = ((await response.json()) as { token: string }).token
}, 60_000)
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

/** As the app's own server does it, which has the JWT. */
async function signedUrl(expires = 60): Promise<string> {
  const response = await fetch(`${backend.endpoints.pinata}/v3/files/sign`, {
    method: 'POST',
    headers: bearer(),
    body: JSON.stringify({ date: Math.floor(Date.now() / 1000), expires }),
  })
  return ((await response.json()) as { data: string }).data
}

describe('the contract, by Pinata', () => {
  const harness = (readable: boolean) =>
    transportHarness(backend, {
      secret: jwt,
      sends: { service: 'pinata', method: 'POST', match: '/pinata/v3/files' },
      readable,
      make: (patienceMs, note) =>
        transport({
          ...(patienceMs !== undefined && { patienceMs }),
          authorize: async ({ reason }) => {
            note(reason)
            return bearer()
          },
        }),
    })
  for (const { title, run } of TRANSPORT_CONTRACT) test(title, () => run(harness(true)))

  describe('with addresses of its own', () => {
    for (const { title, run } of TRANSPORT_CONTRACT)
      test(title, () => {
        backend.pinata.addressAs('legacy')
        return run(harness(false))
      })
  })
})

describe('the contract, by Pinata’s signed upload URLs', () => {
  const harness = () =>
    transportHarness(backend, {
      secret: jwt,
      sends: { service: 'pinata', method: 'POST', match: '/pinata/signed' },
      make: (patienceMs, note) =>
        transport({
          ...(patienceMs !== undefined && { patienceMs }),
          signUpload: ({ reason }) => {
            note(reason)
            return signedUrl()
          },
        }),
    })
  for (const { title, run } of TRANSPORT_CONTRACT) test(title, () => run(harness()))
})

let count = 0
async function fresh(sizeBytes = 700_000) {
  const bytes = noise(`pinata ${(count += 1)}`, sizeBytes)
  const upload: Upload = { cid: await contentAddress(bytes), sha256: await sha256Hex(bytes), sizeBytes }
  let memo = ''
  const attempt: Attempt = {
    signal: AbortSignal.timeout(25_000),
    get memo() {
      return memo
    },
    remember: async (told) => {
      memo = told
    },
    progress: () => {},
  }
  return { bytes, upload, attempt, memo: () => memo }
}

const NOTHING = { kind: 'nothing' } as const
const authorize = async () => bearer()

test('reads back and hashes what Pinata keeps under another address, and remembers that address', async () => {
  const { bytes, upload, attempt, memo } = await fresh()
  backend.pinata.addressAs('legacy')
  expect(await transport({ authorize }).send(upload, bytes, NOTHING, attempt)).toBe('sent')
  expect(memo()).toBe(await contentAddress(bytes, KUBO_LEGACY_CIDV1))
  await transport({ authorize }).verify(upload, attempt)
  backend.faults.add({ service: 'gateway', kind: 'lie' })
  await expect(transport({ authorize }).verify(upload, attempt)).rejects.toMatchObject({
    code: 'address-mismatch',
  })
})

test('says that it needs a gateway to prove what has another address', async () => {
  const { bytes, upload, attempt } = await fresh()
  backend.pinata.addressAs('legacy')
  const blind = pinata({ authorize, uploads: backend.endpoints.pinata, api: backend.endpoints.pinata })
  expect(await blind.send(upload, bytes, NOTHING, attempt)).toBe('sent')
  await expect(blind.verify(upload, attempt)).rejects.toMatchObject({ code: 'bad-answer' })
})

test('renews a signed URL that has expired', async () => {
  const { bytes, upload, attempt } = await fresh()
  const asked: AskReason[] = []
  const signUpload: PinataOptions['signUpload'] = ({ reason }) => {
    asked.push(reason)
    return signedUrl(reason === 'send' ? -1 : 60)
  }
  expect(await transport({ signUpload }).send(upload, bytes, NOTHING, attempt)).toBe('proved')
  expect(asked).toEqual(['send', 'rejected'])
})
