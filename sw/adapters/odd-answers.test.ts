import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryStore, type Rude, type Step } from '../../e2e/transports/memory-stores.ts'
import { freshObject } from '../../e2e/transports/objects.ts'
import type { VariantName } from '../../e2e/transports/variants.ts'
import { sampleOf } from '../../e2e/test-size.ts'
import { isHoldfastError } from '../../src/protocol/errors.ts'
import { anchorOf, CHAIN_ID, FakeChainServer, logOf, NAME, REGISTRY } from '../testing/fake-chain-server.ts'
import { ODD_JSON, withEachMember } from '../testing/odd-json.ts'
import { evm } from './anchors/evm.ts'

// Promises 2, 3 of docs/guarantees.md. Whatever a server tells, instead of whatever we ask of it: what comes of it is
// an answer or a failure of that server, in words that a record can keep, and never a mistake of ours.

afterEach(() => void vi.unstubAllGlobals())

/** What came of it, which is no mistake of ours. */
async function cameOf(work: () => Promise<unknown>): Promise<'well' | 'failed'> {
  try {
    await work()
    return 'well'
  } catch (thrown) {
    expect(isHoldfastError(thrown) && thrown.code).toBeTruthy()
    expect(thrown).not.toMatchObject({ code: 'defect' })
    // Nobody cut the connection.
    expect(thrown).not.toMatchObject({ code: 'unreachable' })
    expect((thrown as Error).message.length).toBeLessThan(1_000)
    return 'failed'
  }
}

/** All that an engine asks of a store for one object. */
async function bring(variant: VariantName, rude: Rude): Promise<void> {
  const store = memoryStore(variant)
  vi.stubGlobal('fetch', store.fetch)
  store.rude = rude
  const transport = store.transport()
  const { upload, bytes, attempt } = await freshObject(100)
  for (let time = 0; time < 2; time += 1) {
    const held = await transport.probe(upload, attempt)
    if (held.kind === 'all' && held.proved) continue
    const how = held.kind === 'all' ? 'sent' : await transport.send(upload, bytes, held, attempt)
    if (how === 'sent') await transport.verify?.(upload, attempt)
  }
}

const isJson = ({ headers }: Response) => headers.get('content-type') === 'application/json'

describe('any JSON instead of any member of what a store answers', () => {
  test.each<[VariantName, Step]>([
    ['ipfs', 'ask'],
    ['ipfs', 'send'],
    ['pinata', 'ask'],
    ['pinata', 'send'],
    ['pinata-legacy', 'ask'],
    ['pinata-signed', 'send'],
  ])('%s: is no defect in an answer to %s', async (variant, step) => {
    const came = new Set<string>()
    for (const odd of sampleOf(ODD_JSON))
      for (let member = 0, members = 1; member < members; member += 1)
        came.add(
          await cameOf(() =>
            bring(variant, async (asked, honest) => {
              if (asked.step !== step) return undefined
              const answer = await honest()
              if (!isJson(answer)) return answer
              const others = withEachMember(await answer.text())
              members = Math.max(members, others.length)
              return new Response(others[member]?.(odd) ?? odd, answer)
            }),
          ),
        )
    expect(came).toContain('failed')
  })
})

/** Header fields are texts; and absent, or told twice. */
const ODD_HEADERS = [
  '',
  ' ',
  '0',
  '-1',
  '1.5',
  '1e3',
  '0x10',
  '7, 7',
  '9'.repeat(30),
  'null',
  '?1',
  '?0',
  ':',
  '"',
]
const MORE_ODD_HEADERS = [
  '://',
  'http://',
  'http://[',
  '//',
  '#',
  '?',
  'javascript:0',
  'https://a:b@c/',
  'é',
  'x'.repeat(9_000),
]

describe('any text instead of any header field of what a store answers', () => {
  test.each<[VariantName, Step]>([
    ['tus', 'options'],
    ['tus', 'create'],
    ['tus', 'send'],
    ['tus', 'ask'],
    ['tus-plain', 'read'],
    ['resumable', 'create'],
    ['resumable', 'send'],
    ['resumable', 'ask'],
    ['resumable-mute', 'read'],
    ['put', 'send'],
    ['put', 'ask'],
    ['put-mute', 'read'],
  ])('%s: is no defect in an answer to %s', async (variant, step) => {
    const fields = new Set([
      'retry-after',
      'date',
      'content-length',
      'location',
      'upload-limit',
      'tus-version',
    ])
    for (const field of fields)
      for (const odd of sampleOf([...ODD_HEADERS, ...MORE_ODD_HEADERS]))
        for (const status of sampleOf([undefined, 400, 409, 412]))
          await cameOf(() =>
            bring(variant, async (asked, honest) => {
              if (asked.step !== step) return undefined
              const answer = await honest()
              for (const [known] of answer.headers) fields.add(known)
              const headers = new Headers(answer.headers)
              headers.set(field, odd)
              return new Response(answer.body, { status: status ?? answer.status, headers })
            }),
          )
    expect(fields.size).toBeGreaterThan(5)
  })
})

describe('any JSON instead of any member of what a node or a relay answers', () => {
  const neverAborted = new AbortController().signal

  /** Runs this against a node and relay whose answers to one method are so. */
  async function over(method: string, amend: (json: string) => string, work: 'read' | 'events' | 'submit') {
    const chain = new FakeChainServer()
    chain.mine(anchorOf('3'))
    chain.logs.set(11, [logOf(anchorOf('3')), logOf(anchorOf('4'), 11)])
    chain.tags = { safe: 11 }
    vi.stubGlobal('fetch', async (url: string, { body }: { body: string }) => {
      const call = JSON.parse(body) as { method: string; params: readonly unknown[] }
      const honest = url.endsWith('/relay')
        ? { transactionHash: '0x1', chainId: CHAIN_ID, registry: REGISTRY, status: 'pending' }
        : { jsonrpc: '2.0', id: 1, result: chain.resultOf(call) }
      const text = JSON.stringify(honest)
      return new Response((call.method ?? 'relay') === method ? amend(text) : text)
    })
    const [rpcUrl, relayUrl] = ['https://node.example/rpc', 'https://relay.example/relay']
    const anchor = evm({ rpcUrl, relayUrl, registry: REGISTRY, chainId: CHAIN_ID, depth: 'safe' })
    if (work === 'submit') return anchor.submit(anchorOf('3'), neverAborted)
    return work === 'read' ? anchor.read(NAME, neverAborted) : anchor.events(NAME, 11, 11, neverAborted)
  }

  test.each<['read' | 'events' | 'submit', method: string]>([
    ['read', 'eth_chainId'],
    ['read', 'eth_blockNumber'],
    ['read', 'eth_getBlockByNumber'],
    ['read', 'eth_call'],
    ['events', 'eth_getLogs'],
    ['submit', 'relay'],
  ])('%s: is no defect in an answer to %s', async (work, method) => {
    const came = new Set<string>()
    for (const odd of sampleOf(ODD_JSON))
      for (let member = 0, members = 1; member < members; member += 1)
        came.add(
          await cameOf(async () => {
            const amend = (json: string) => {
              const others = withEachMember(json)
              members = Math.max(members, others.length)
              return others[member]?.(odd) ?? json
            }
            const found = await over(method, amend, work)
            // What a record keeps is what it says that it is.
            if (work === 'events')
              for (const { receipt } of found as Awaited<ReturnType<ReturnType<typeof evm>['events']>>)
                expect(Object.values(receipt).every((value) => typeof value === 'string')).toBe(true)
          }),
        )
    expect(came).toEqual(new Set(['well', 'failed']))
  })
})
