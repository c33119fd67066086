import type { IncomingMessage, ServerResponse } from 'node:http'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { drain } from '../../../e2e/backend/exchange.ts'
import type { Backend } from '../../../e2e/backend/index.ts'
import { serverOfTest } from '../../../e2e/backend/server-of-test.ts'
import { noise } from '../../../e2e/backend/bytes.ts'
import { sandbox, type Sandbox } from '../../../e2e/backend/sandbox.ts'
import { describeContract } from '../../../e2e/transports/describe-contract.ts'
import { objectOf } from '../../../e2e/transports/objects.ts'
import { variantHarness } from '../../../e2e/transports/variant-harness.ts'
import { contentAddress } from '../../../src/evidence/cid.ts'
import { ipfs } from './ipfs.ts'

// Promises 2, 5 of docs/guarantees.md.

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

describeContract('Kubo’s RPC', () => variantHarness(backend, 'ipfs', 'a-bearer-token-of-the-app'))

/** A node that says this to every request; its base, and what was asked. */
async function nodeThat(says: (response: ServerResponse, request: IncomingMessage) => unknown) {
  const asked: string[] = []
  const base = await serverOfTest(async (request, response) => {
    asked.push(`${request.method} ${request.url!.split('?')[0]}`)
    await drain(request)
    says(response, request)
  })
  return { base, asked }
}

const attempt = { signal: new AbortController().signal, saveResumeToken: async () => {}, progress: () => {} }
const NOTHING = { kind: 'nothing' } as const
const small = () => objectOf('small', 100)

const sending = async (base: string) => {
  const { bytes, upload } = await small()
  return ipfs({ endpoint: base }).send(upload, bytes, NOTHING, attempt)
}

describe('an answer that began well', () => {
  test('and ends with an error is told with the node’s words', async () => {
    const { base } = await nodeThat((response) => {
      response.writeHead(200, { trailer: 'X-Stream-Error' })
      response.addTrailers({ 'X-Stream-Error': 'no space left on device' })
      response.end('{"Name":"x","Bytes":50}\n{"Message":"no space left on device","Code":0,"Type":"error"}\n')
    })
    await expect(sending(base)).rejects.toMatchObject({
      code: 'server-error',
      message: expect.stringContaining('no space left on device'),
    })
  })

  test('and ends with an error after an address is no success', async () => {
    const { cid } = (await small()).upload
    const { base } = await nodeThat((response) =>
      response.end(`{"Name":"x","Hash":"${cid}"}\n{"Message":"pin: disk full","Code":0,"Type":"error"}\n`),
    )
    await expect(sending(base)).rejects.toThrow('pin: disk full')
  })

  test.each([
    ['an empty line', '\n'],
    ['nothing', ''],
    ['progress alone', '{"Name":"x","Bytes":50}\n'],
    ['a page to log in', '<html>Log in</html>'],
  ])('and ends with %s is no success', async (_, text) => {
    const { base } = await nodeThat((response) => response.end(text))
    await expect(sending(base)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  test.each([
    ['lines of progress', '{"Name":"x","Bytes":50}\n{"Name":"x","Bytes":100}\n{"Name":"x","Hash":"CID"}\n'],
    ['progress after the address', '{"Name":"x","Hash":"CID"}\n{"Name":"x","Bytes":100}\n'],
    ['CRLF', '{"Name":"x","Hash":"CID"}\r\n'],
  ])('with %s is read', async (_, text) => {
    const { cid } = (await small()).upload
    const { base } = await nodeThat((response) => response.end(text.replace('CID', cid)))
    expect(await sending(base)).toBe('proved')
  })
})

test.each(['', '/', '//', '/behind/a/proxy', '/behind/a/proxy/'])(
  'takes a base that ends with “%s”',
  async (end) => {
    const { cid } = (await small()).upload
    const { base, asked } = await nodeThat((response) => response.end(`{"Hash":"${cid}"}`))
    expect(await sending(`${base}${end}`)).toBe('proved')
    expect(asked).toEqual([`POST ${end.replace(/\/+$/, '')}/api/v0/add`])
  },
)

test.each(['{"Hash":{"toString":1}}', '{"Hash":{"/":"bafy"}}', '{"Hash":7}', '{"Hash":["bafy"]}'])(
  'takes no address that is no text: %s',
  async (body) => {
    const { base } = await nodeThat((response) => response.end(body))
    await expect(sending(base)).rejects.toMatchObject({ code: 'server-error' })
  },
)

test('asks for addresses in our base, whatever the node writes by itself', async () => {
  const { upload } = await small()
  const base58 = CID.parse(upload.cid).toString(base58btc)
  const { base } = await nodeThat((response, request) => {
    const asksForOurs = new URL(request.url ?? '', base).searchParams.get('cid-base') === 'base32'
    const cid = asksForOurs ? upload.cid : base58
    response.end(`{"Hash":"${cid}","Keys":{"${cid}":{"Type":"recursive"}}}`)
  })
  expect(await ipfs({ endpoint: base }).probe(upload, attempt)).toEqual({ kind: 'all', proved: true })
  expect(await sending(base)).toBe('proved')
})

test('believes a pin of our own address alone', async () => {
  const { upload } = await small()
  const other = await contentAddress(noise('other', 100))
  const { base } = await nodeThat((response) => response.end(`{"Keys":{"${other}":{"Type":"recursive"}}}`))
  expect(await ipfs({ endpoint: base }).probe(upload, attempt)).toEqual(NOTHING)
  const { base: empty } = await nodeThat((response) => response.end('{"Keys":null}'))
  expect(await ipfs({ endpoint: empty }).probe(upload, attempt)).toEqual(NOTHING)
})
