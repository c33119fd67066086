import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { encodeAnchorCall } from '../../src/evidence/anchor-call.ts'
import { decodeSession, encodeSessionsCall, type RegistrySession } from '../../src/evidence/registry.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import { signedSession } from '../../sw/contracts/signed-session.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import { takesWhole } from '../test-size.ts'
import type { Backend } from './index.ts'
import { openRelay } from './relay.ts'
import { aCall, receiptOf, relay, relayBody } from './relay-client.ts'
import type { SignedAnchor } from './relay-journal.ts'
import { RpcError, type Rpc } from './rpc.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

// Promise 3 of docs/guarantees.md.

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

const minedStatus = async (hash: string | undefined) => {
  await backend.chain.mine()
  return (await receiptOf(backend, hash))?.status
}

const stored = async (name: SessionName): Promise<RegistrySession | undefined> => {
  const call = { to: backend.endpoints.registry, data: encodeSessionsCall(name) }
  return decodeSession(String(await backend.chain.rpc('eth_call', [call, 'latest'])))
}

/** Requests of the relay that made a transaction. */
const paid = () =>
  backend.ledger.all().filter(({ service, changed }) => service === 'relay' && changed).length

test('says who pays, and for which chain and contract', async () => {
  const { registry, chainId, relayUrl } = backend.endpoints
  const answer = (await (await fetch(relayUrl)).json()) as object
  expect(answer).toEqual({ address: '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720', chainId, registry })
})

test('makes one transaction for one head, whoever asks for it, under which key and signature', async () => {
  const session = await signedSession()
  const before = paid()
  const bodies = await Promise.all([1, 2, 3].map(async () => relayBody(await session.request(2))))
  expect(new Set(bodies.map(({ signature }) => signature)).size).toBe(3)
  const answers = await Promise.all(bodies.map((body) => relay(backend, body, randomUUID())))
  const hash = answers[0]?.transactionHash
  expect(hash).toMatch(/^0x/)
  expect(answers.map(({ status, transactionHash }) => [status, transactionHash])).toEqual([
    [200, hash],
    [200, hash],
    [200, hash],
  ])
  expect(await minedStatus(hash)).toBe('0x1')
  expect(await relay(backend, bodies[1])).toMatchObject({ status: 200, transactionHash: hash, size: 2 })
  expect(paid() - before).toBe(1)
  expect(backend.ledger.duplicates()).toEqual([])
})

test('pays for no head that is no larger than one on the chain, or on its way there', async () => {
  const session = await signedSession()
  const [three, five] = [relayBody(await session.request(3)), relayBody(await session.request(5))]
  const before = paid()
  const { transactionHash } = await relay(backend, five)
  expect(await relay(backend, three)).toMatchObject({ status: 200, transactionHash })
  expect(await minedStatus(transactionHash)).toBe('0x1')
  expect(await relay(backend, three)).toMatchObject({ status: 200, size: 5 })
  expect(paid() - before).toBe(1)
  expect(await stored(session.name)).toMatchObject({ size: 5, anchors: 1 })
})

/** Somebody else sends and pays; the hash of the transaction, which waits in the pool. */
async function broughtByOther({ head, groups }: AnchorRequest): Promise<unknown> {
  const [from] = (await backend.chain.rpc('eth_accounts')) as string[]
  const data = encodeAnchorCall(head, groups)
  const transaction = { from, to: backend.endpoints.registry, data, gas: '0xf4240' }
  return backend.chain.rpc('eth_sendTransaction', [transaction])
}

test('pays for no head that another payer has brought, and for the next one', async () => {
  const session = await signedSession()
  const request = await session.request(1)
  await broughtByOther(request)
  await backend.chain.mine()
  const before = paid()
  const answer = await relay(backend, relayBody(request))
  expect(answer).toMatchObject({ status: 200, size: 1 })
  expect(answer.transactionHash).toBeUndefined()
  expect(paid()).toBe(before)
  await relay(backend, relayBody(await session.request(2)))
  await backend.chain.mine()
  expect(await stored(session.name)).toMatchObject({ size: 2, anchors: 2 })
})

test('is not kept from paying by the same head in the pool, which may never be mined', async () => {
  const session = await signedSession()
  const request = await session.request(1)
  const others = await broughtByOther(request)
  const { transactionHash } = await relay(backend, relayBody(request))
  await backend.chain.rpc('anvil_dropTransaction', [others])
  expect(await minedStatus(transactionHash)).toBe('0x1')
  expect(await stored(session.name)).toMatchObject({ size: 1 })
})

test('refuses what the registry would, by the name of its error, before spending a transaction', async () => {
  const session = await signedSession()
  const before = paid()
  const other = relayBody(await (await signedSession()).request(1))
  const body = relayBody(await session.request(1))
  for (const [change, error] of [
    [{ size: 2 }, 'BadSignature'],
    [{ publicKey: other.publicKey }, 'BadSignature'],
    [{ publicKey: other.publicKey, signature: other.signature }, 'BadSignature'],
    [{ name: other.name }, 'BadSignature'],
    [{ members: other.members }, 'GroupsDiffer'],
  ] as const)
    expect(await relay(backend, { ...body, ...change })).toMatchObject({ status: 422, error })
  // Also where the registry would not look at the groups, as the session waits in the pool already.
  const known = await signedSession()
  await broughtByOther(await known.request(1))
  const next = relayBody(await known.request(2))
  expect(await relay(backend, { ...next, members: other.members })).toMatchObject({
    status: 422,
    error: 'GroupsDiffer',
  })
  expect(paid()).toBe(before)
  await relay(backend, relayBody(await session.request(5, { end: true })))
  // Not mined yet: the relay knows what is pending.
  expect(await relay(backend, relayBody(await session.request(6)))).toMatchObject({
    status: 422,
    error: 'Ended',
  })
})

test.each([
  ['name', { name: 'A'.repeat(64) }],
  ['size', { size: 0 }],
  ['size', { size: 1.5 }],
  ['size', { size: 2 ** 53 }],
  ['root', { root: `0x${'ab'.repeat(32)}` }],
  ['page', { page: '' }],
  ['previous', { previous: undefined }],
  ['groups', { groups: [] }],
  ['end', { end: 0 }],
  ['publicKey', { publicKey: 'ab'.repeat(65) }],
  ['signature', { signature: 'ab'.repeat(63) }],
  ['members', { members: [] }],
  ['members', { members: [{ id: '0x12', tag: 'ab'.repeat(32) }] }],
  [
    'members',
    { members: Array.from({ length: 17 }, () => ({ id: `0x${'11'.repeat(32)}`, tag: 'ab'.repeat(32) })) },
  ],
  ['gasPrice', { gasPrice: 1 }],
])('names %s as the field that is wrong in %o', async (field, change) => {
  expect(await relay(backend, { ...(await aCall()), ...change })).toMatchObject({ status: 400, field })
})

test('takes a head without a key, and refuses a body that is not JSON', async () => {
  const { relayUrl } = backend.endpoints
  const keyless = await fetch(relayUrl, { method: 'POST', body: JSON.stringify(await aCall()) })
  expect(keyless.status).toBe(200)
  expect((await fetch(relayUrl, { method: 'POST', body: '{' })).status).toBe(400)
})

test('asks to come back while the chain is stopped, and then makes one transaction', async () => {
  const call = await aCall()
  await backend.chain.stop()
  const refused = await relay(backend, call)
  expect(refused).toMatchObject({ status: 503, retryAfter: '2' })
  await backend.chain.start()
  const { transactionHash } = await relay(backend, call)
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('broadcasts the same transaction again when a reorganisation dropped it', async () => {
  const call = await aCall()
  const { transactionHash } = await relay(backend, call)
  const later = await relay(backend, await aCall())
  expect(await minedStatus(transactionHash)).toBe('0x1')
  await backend.chain.mine(2)
  await backend.chain.reorg(3)
  expect(await receiptOf(backend, transactionHash)).toBeNull()
  await backend.chain.mine()
  expect(await receiptOf(backend, transactionHash)).toBeNull()

  expect(await relay(backend, call)).toMatchObject({ status: 200, transactionHash })
  expect(await minedStatus(transactionHash)).toBe('0x1')
  // The other one, with the next nonce, comes back with the next request of anybody.
  await relay(backend, await aCall())
  expect(await minedStatus(later.transactionHash)).toBe('0x1')
})

test('brings again by itself what a reorganisation of 1 to 64 blocks took, with nobody asking', async () => {
  await backend.stop()
  backend = await box.start({ relayLooksEveryMs: 100 })
  // No block but those below.
  backend.chain.setMining(false)
  const lost = new Set<SessionName>()
  const depths = takesWhole() ? Array.from({ length: 64 }, (_none, at) => at + 1) : [1, 2, 3, 8, 32, 64]
  for (const depth of depths) {
    // The older one stays, and the newer one, which comes after it, goes.
    const [older, newer] = [await signedSession(), await signedSession()]
    await relay(backend, relayBody(await older.request(1)))
    await backend.chain.mine()
    const { transactionHash } = await relay(backend, relayBody(await newer.request(1, { end: true })))
    await backend.chain.mine(depth)
    expect(await stored(newer.name)).toMatchObject({ size: 1 })
    const asked = backend.ledger.all().length
    await backend.chain.reorg(depth)
    if ((await stored(newer.name)) === undefined) lost.add(newer.name)
    // Nobody but the relay itself is at work: what waits in the pool is its doing.
    await expect.poll(() => backend.chain.rpc('eth_getTransactionByHash', [transactionHash])).not.toBeNull()
    await backend.chain.mine()
    expect(await stored(newer.name)).toMatchObject({ size: 1, end: true })
    expect(await stored(older.name)).toMatchObject({ size: 1 })
    expect(backend.ledger.all().length).toBe(asked)
  }
  expect(lost.size).toBe(depths.length)
  await backend.stop()
  backend = await box.start()
})

test('judges a head by all that it ever signed, also by what a reorganisation dropped', async () => {
  const session = await signedSession()
  await relay(backend, relayBody(await session.request(5, { end: true })))
  await backend.chain.mine()
  await backend.chain.reorg(1)
  expect(await relay(backend, relayBody(await session.request(6)))).toMatchObject({ error: 'Ended' })
})

test('broadcasts again what a killed node forgot, and leaves no gap before new transactions', async () => {
  const lost = await relay(backend, await aCall())
  await backend.chain.stop()
  await backend.chain.start()
  const next = await relay(backend, await aCall())
  expect([await minedStatus(next.transactionHash), await minedStatus(lost.transactionHash)]).toEqual([
    '0x1',
    '0x1',
  ])
})

test.each([
  'transaction already imported',
  'already known',
  'ALREADY_EXISTS: already known',
  'AlreadyKnown',
  'Known transaction',
  'nonce too low: next nonce 2, tx nonce 1',
  'Nonce too low',
  'OldNonce',
])('goes on where a node says of what it gets again: %s', async (words) => {
  const sent: unknown[] = []
  const rpc: Rpc = async (method, params = []) => {
    if (method === 'eth_getTransactionCount') return '0x0'
    if (method !== 'eth_sendRawTransaction') return null
    sent.push(...params)
    throw new RpcError(method, -32_000, words, undefined)
  }
  const call = await (await signedSession()).request(1)
  const signed = [0, 1].map((nonce): SignedAnchor => ({
    call,
    nonce,
    raw: `0x0${nonce}`,
    hash: `0x1${nonce}`,
  }))
  const journal = { all: () => signed, get: () => undefined, latestOf: () => undefined, add: async () => {} }
  const { registry, chainId } = backend.endpoints
  await openRelay({ rpc, chainId, registry, journal }).look()
  expect(sent).toEqual(['0x00', '0x01'])
})

test('has a transaction on disk before the chain has it', async () => {
  const call = await aCall()
  const journal = join(box.dataDir, 'relay')
  const before = new Set(await readdir(journal))
  const held = backend.faults.add({ service: 'relay', times: 1, kind: 'hold', hold: 'after' })
  const answer = relay(backend, call)
  await held.arrived
  const file = (await readdir(journal)).find((name) => !before.has(name)) ?? ''
  const signed = JSON.parse(await readFile(join(journal, file), 'utf8')) as { hash: string }
  held.release()
  expect((await answer).transactionHash).toBe(signed.hash)
})

test('gives the same transaction for the same head after a restart', async () => {
  const call = await aCall()
  const { transactionHash } = await relay(backend, call)
  const { registry } = backend.endpoints
  await backend.stop()
  backend = await box.start()
  expect(backend.endpoints.registry).toBe(registry)
  expect(await relay(backend, call)).toMatchObject({ status: 200, transactionHash })
  expect(backend.ledger.all()).toMatchObject([{ changed: false }])
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('anchors all it ever signed again, at the same contract, when the chain lost everything', async () => {
  const call = await aCall()
  const { transactionHash } = await relay(backend, call)
  const { registry } = backend.endpoints
  await backend.stop()
  await rm(join(box.dataDir, 'chain'), { recursive: true })
  backend = await box.start()
  expect(backend.endpoints.registry).toBe(registry)
  expect((await relay(backend, call)).transactionHash).toBe(transactionHash)
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('says that it has no funds, and goes on with the same transaction once it has', async () => {
  const { address } = (await (await fetch(backend.endpoints.relayUrl)).json()) as { address: string }
  const balance = await backend.chain.rpc('eth_getBalance', [address, 'latest'])
  const call = await aCall()
  await backend.chain.rpc('anvil_setBalance', [address, '0x0'])
  expect(await relay(backend, call)).toMatchObject({
    status: 502,
    error: expect.stringMatching(/funds/i) as unknown,
  })
  await backend.chain.rpc('anvil_setBalance', [address, balance])
  const { transactionHash } = await relay(backend, call)
  expect(await minedStatus(transactionHash)).toBe('0x1')
  expect(backend.ledger.duplicates()).toEqual([])
})

test('pays again where a transaction was mined and did not bring its head', async () => {
  const session = await signedSession()
  const call = relayBody(await session.request(1))
  const { registry } = backend.endpoints
  const { transactionHash } = await relay(backend, call)
  const code = await backend.chain.rpc('eth_getCode', [registry, 'latest'])
  // A contract that takes everything and does nothing.
  await backend.chain.rpc('anvil_setCode', [registry, '0x00'])
  expect(await minedStatus(transactionHash)).toBe('0x1')
  await backend.chain.rpc('anvil_setCode', [registry, code])
  expect(await stored(session.name)).toBeUndefined()

  const again = await relay(backend, call)
  expect(again.transactionHash).not.toBe(transactionHash)
  expect(await minedStatus(again.transactionHash)).toBe('0x1')
  expect(await stored(session.name)).toMatchObject({ size: 1 })
  expect(backend.ledger.duplicates()).toMatchObject([{ service: 'relay' }])
})

test('takes so much of one client, and tells it when to come back', async () => {
  await backend.stop()
  backend = await box.start({ relayLimit: { burst: 3, perSecond: 0.001 } })
  const session = await signedSession()
  const answers = []
  for (let size = 1; size <= 5; size += 1)
    answers.push(await relay(backend, relayBody(await session.request(size))))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429])
  expect(Number(answers[3]?.retryAfter)).toBeGreaterThan(900)
  expect(Number(answers[3]?.retryAfter)).toBeLessThanOrEqual(1000)
  await backend.stop()
  backend = await box.start()
})

test('pays for who has signed in alone, and counts what each sign-in asks for', async () => {
  await backend.stop()
  backend = await box.start({ relaySignIn: true, relayLimit: { burst: 1, perSecond: 0.001 } })
  const token = async (ttlMs: number) => {
    const response = await fetch(`${backend.endpoints.put}/token?ttlMs=${ttlMs}`, { method: 'POST' })
    return { authorization: `Bearer ${((await response.json()) as { token: string }).token}` }
  }
  const call = await aCall()
  expect(await relay(backend, call)).toMatchObject({ status: 401 })
  expect(await relay(backend, call, 'k', { authorization: 'Bearer 99999999999999.ab' })).toMatchObject({
    status: 401,
  })
  expect(await relay(backend, call, 'k', await token(-1))).toMatchObject({ status: 401 })
  const [one, other] = [await token(600_000), await token(700_000)]
  expect(await relay(backend, call, 'k', one)).toMatchObject({ status: 200 })
  expect(await relay(backend, call, 'k', one)).toMatchObject({ status: 429 })
  expect(await relay(backend, call, 'k', other)).toMatchObject({ status: 200 })
  await backend.stop()
  backend = await box.start()
})
