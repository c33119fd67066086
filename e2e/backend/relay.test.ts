import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Backend } from './index.ts'
import { added } from './ipfs-client.ts'
import { aCall, receiptOf, relay } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const minedStatus = async (hash: string | undefined) => {
  await backend.chain.mine()
  return (await receiptOf(backend, hash))?.status
}

test('says who signs, and for which chain and contract', async () => {
  const { registry, chainId, relayUrl } = backend.endpoints
  const answer = (await (await fetch(relayUrl)).json()) as object
  expect(answer).toEqual({ address: '0xa0Ee7A142d267C1f36714E4a8F75612F20a79720', chainId, registry })
})

test('makes one transaction for one key, however often it is asked', async () => {
  const call = aCall()
  const key = randomUUID()
  const answers = await Promise.all([relay(backend, call, key), relay(backend, call, key)])
  const hash = answers[0]?.transactionHash
  expect(answers).toMatchObject([{ status: 200 }, { status: 200, transactionHash: hash }])
  expect(await minedStatus(hash)).toBe('0x1')
  expect(await relay(backend, call, key)).toMatchObject({ status: 200, transactionHash: hash })
  const entries = backend.ledger.all().filter((entry) => entry.key === key)
  expect(entries.map(({ changed }) => changed).toSorted()).toEqual([false, false, true])
  expect(entries.some(({ duplicate }) => duplicate)).toBe(false)
})

test('refuses another body under a key that was used', async () => {
  const call = aCall()
  const key = randomUUID()
  await relay(backend, call, key)
  const answer = await relay(backend, { ...call, chunkCount: 3 }, key)
  expect(answer).toMatchObject({ status: 422, error: expect.stringContaining('another call') })
})

test('refuses what the registry would, by the name of its error, before spending a transaction', async () => {
  const call = aCall({ chunkCount: 5 })
  await relay(backend, call)
  // Not mined yet: the relay knows what is pending.
  expect(await relay(backend, { ...call, chunkCount: 4 })).toMatchObject({
    status: 422,
    error: 'ChunkCountFell',
  })
  const groupIds = [`0x${'33'.repeat(32)}`]
  expect(await relay(backend, { ...call, groupIds })).toMatchObject({ status: 422, error: 'GroupsAreFixed' })
})

test.each([
  ['sessionId', { sessionId: 'A'.repeat(36) }],
  ['merkleRoot', { merkleRoot: `0x${'ab'.repeat(32)}` }],
  ['manifestCid', { manifestCid: '' }],
  ['chunkCount', { chunkCount: 0 }],
  ['chunkCount', { chunkCount: 1.5 }],
  ['groupIds', { groupIds: [] }],
  ['groupIds', { groupIds: ['0x12'] }],
  ['gasPrice', { gasPrice: 1 }],
])('names %s as the field that is wrong in %o', async (field, change) => {
  expect(await relay(backend, { ...aCall(), ...change })).toMatchObject({ status: 400, field })
})

test('refuses a call without a key, and a body that is not JSON', async () => {
  const { relayUrl } = backend.endpoints
  const keyless = await fetch(relayUrl, { method: 'POST', body: JSON.stringify(aCall()) })
  expect([keyless.status, await keyless.json()]).toMatchObject([400, { field: 'Idempotency-Key' }])
  const headers = { 'idempotency-key': 'k' }
  expect((await fetch(relayUrl, { method: 'POST', headers, body: '{' })).status).toBe(400)
})

test('asks to come back while the chain is stopped, and then makes one transaction', async () => {
  const call = aCall()
  const key = randomUUID()
  await backend.chain.stop()
  const refused = await relay(backend, call, key)
  expect(refused).toMatchObject({ status: 503, retryAfter: '2' })
  await backend.chain.start()
  const { transactionHash } = await relay(backend, call, key)
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('broadcasts the same transaction again when a reorganisation dropped it', async () => {
  const call = aCall()
  const key = randomUUID()
  const { transactionHash } = await relay(backend, call, key)
  const later = await relay(backend, aCall())
  expect(await minedStatus(transactionHash)).toBe('0x1')
  await backend.chain.mine(2)
  await backend.chain.reorg(3)
  expect(await receiptOf(backend, transactionHash)).toBeNull()
  await backend.chain.mine()
  expect(await receiptOf(backend, transactionHash)).toBeNull()

  expect(await relay(backend, call, key)).toMatchObject({ status: 200, transactionHash })
  expect(await minedStatus(transactionHash)).toBe('0x1')
  // The other one, with the next nonce, comes back with the next request of anybody.
  await relay(backend, aCall())
  expect(await minedStatus(later.transactionHash)).toBe('0x1')
})

test('judges a call by all that it ever signed, also by what a reorganisation dropped', async () => {
  const call = aCall({ chunkCount: 5 })
  await relay(backend, call)
  await backend.chain.mine()
  await backend.chain.reorg(1)
  expect(await relay(backend, { ...call, chunkCount: 4 })).toMatchObject({ error: 'ChunkCountFell' })
})

test('broadcasts again what a killed node forgot, and leaves no gap before new transactions', async () => {
  const lost = await relay(backend, aCall())
  await backend.chain.stop()
  await backend.chain.start()
  const next = await relay(backend, aCall())
  expect([await minedStatus(next.transactionHash), await minedStatus(lost.transactionHash)]).toEqual([
    '0x1',
    '0x1',
  ])
})

test('has a transaction on disk before the chain has it', async () => {
  const call = aCall()
  const key = randomUUID()
  const journal = join(box.dataDir, 'relay')
  const before = new Set(await readdir(journal))
  const held = backend.faults.add({ service: 'relay', times: 1, kind: 'hold', hold: 'after' })
  const answer = relay(backend, call, key)
  await held.arrived
  const file = (await readdir(journal)).find((name) => !before.has(name)) ?? ''
  const signed = JSON.parse(await readFile(join(journal, file), 'utf8')) as { hash: string }
  held.release()
  expect((await answer).transactionHash).toBe(signed.hash)
})

test('gives the same hash for the same key after a restart', async () => {
  const call = aCall()
  const key = randomUUID()
  const { transactionHash } = await relay(backend, call, key)
  const { registry } = backend.endpoints
  await backend.stop()
  backend = await box.start()
  expect(backend.endpoints.registry).toBe(registry)
  expect(await relay(backend, call, key)).toMatchObject({ status: 200, transactionHash })
  expect(backend.ledger.all()).toMatchObject([{ key, changed: false }])
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('anchors all it ever signed again, at the same contract, when the chain lost everything', async () => {
  const call = aCall()
  const key = randomUUID()
  const { transactionHash } = await relay(backend, call, key)
  const { registry } = backend.endpoints
  await backend.stop()
  await rm(join(box.dataDir, 'chain'), { recursive: true })
  backend = await box.start()
  expect(backend.endpoints.registry).toBe(registry)
  expect((await relay(backend, call, key)).transactionHash).toBe(transactionHash)
  expect(await minedStatus(transactionHash)).toBe('0x1')
})

test('names a second transaction for one root as a duplicate, unless the recording’s status changed', async () => {
  const manifest = (status: string, lastUpdated: number) =>
    added(backend, new TextEncoder().encode(JSON.stringify({ version: 1, status, lastUpdated })))
  const call = aCall({ manifestCid: await manifest('recording', 1) })
  const duplicates = () => backend.ledger.duplicates().filter(({ service }) => service === 'relay').length
  await relay(backend, call)
  expect(duplicates()).toBe(0)
  await relay(backend, { ...call, manifestCid: await manifest('complete', 2) })
  expect(duplicates()).toBe(0)
  await relay(backend, { ...call, manifestCid: await manifest('complete', 3) })
  expect(duplicates()).toBe(1)
})
