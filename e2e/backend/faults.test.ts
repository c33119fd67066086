import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Backend, LedgerEntry } from './index.ts'
import { noise } from './bytes.ts'
import { added, addFile, isPinned, MODERN, type Added } from './ipfs-client.ts'
import { aCall, receiptOf, relay } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

let box: Sandbox
let backend: Backend
let count = 0

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

const ADD = { service: 'ipfs', match: '/api/v0/add' } as const

/** Bytes that nobody stored yet, and their address. */
async function fresh(sizeBytes = 50_000) {
  const bytes = noise(`fault ${(count += 1)}`, sizeBytes)
  return { bytes, cid: await added(backend, bytes, `${MODERN}&only-hash=true`) }
}

/** The entry of the next request, or of the one under way, once that is over. */
async function over(): Promise<LedgerEntry> {
  const { id } = await backend.ledger.waitFor(() => true)
  return backend.ledger.waitFor((entry) => entry.id === id && entry.outcome !== undefined)
}

test('down: cuts the connection, as often as asked', async () => {
  const { bytes, cid } = await fresh()
  const fault = backend.faults.add({ ...ADD, kind: 'down', times: 2 })
  const entry = over()
  await expect(addFile(backend, bytes)).rejects.toThrow('fetch failed')
  expect(await entry).toMatchObject({ outcome: 'refused-by-fault', fault: 'down', status: undefined })
  await expect(addFile(backend, bytes)).rejects.toThrow()
  expect(await added(backend, bytes)).toBe(cid)
  expect(fault.hits).toBe(2)
})

test('reset: cuts the connection inside the body', async () => {
  const { bytes, cid } = await fresh(5_000_000)
  backend.faults.add({ ...ADD, kind: 'reset', afterBytes: 100_000, times: 1 })
  const entry = over()
  await expect(addFile(backend, bytes)).rejects.toThrow()
  const { bytesReceived, ...rest } = await entry
  expect(rest).toMatchObject({ outcome: 'refused-by-fault', changed: false })
  expect(bytesReceived).toBeGreaterThanOrEqual(100_000)
  expect(bytesReceived).toBeLessThan(1_000_000)
  expect(await isPinned(backend, cid)).toBe(false)
})

test('stall: takes the request and never answers', async () => {
  const { bytes, cid } = await fresh()
  const fault = backend.faults.add({ ...ADD, kind: 'stall' })
  const leaving = new AbortController()
  const received = backend.ledger.waitFor(({ bytesReceived }) => bytesReceived >= bytes.byteLength)
  const answer = addFile(backend, bytes, MODERN, 'blob', leaving.signal)
  const { id, status } = await received
  expect(status).toBeUndefined()
  leaving.abort()
  await expect(answer).rejects.toThrow('aborted')
  const second = addFile(backend, bytes)
  await backend.ledger.waitFor((entry) => entry.id > id && entry.bytesReceived > bytes.byteLength)
  fault.remove()
  await expect(second).rejects.toThrow('fetch failed')
  expect(await isPinned(backend, cid)).toBe(false)
})

test('hold before: has no effect until it is released', async () => {
  const { bytes, cid } = await fresh()
  const held = backend.faults.add({ ...ADD, kind: 'hold', times: 1 })
  const answer = addFile(backend, bytes)
  await held.arrived
  expect(await isPinned(backend, cid)).toBe(false)
  held.release()
  expect(((await (await answer).json()) as Added).Hash).toBe(cid)
  expect(await isPinned(backend, cid)).toBe(true)
})

test('hold before: has no effect at all for a client that left', async () => {
  const { bytes, cid } = await fresh()
  const held = backend.faults.add({ ...ADD, kind: 'hold', hold: 'before', times: 1 })
  const leaving = new AbortController()
  const answer = addFile(backend, bytes, MODERN, 'blob', leaving.signal)
  await held.arrived
  const entry = over()
  leaving.abort()
  await expect(answer).rejects.toThrow()
  expect(await entry).toMatchObject({ outcome: 'aborted', changed: false })
  held.release()
  expect(await isPinned(backend, cid)).toBe(false)
})

test('hold after: has had its effect before it is released, also for a client that left', async () => {
  const { bytes, cid } = await fresh()
  const held = backend.faults.add({ ...ADD, kind: 'hold', hold: 'after', times: 1 })
  const leaving = new AbortController()
  const answer = addFile(backend, bytes, MODERN, 'blob', leaving.signal)
  await held.arrived
  expect(await isPinned(backend, cid)).toBe(true)
  const entry = over()
  leaving.abort()
  await expect(answer).rejects.toThrow()
  expect(await entry).toMatchObject({ outcome: 'aborted', changed: true, key: cid })
  expect(backend.ledger.stored(cid)).toBe(1)
})

test('slow: reads the body at the given speed, and answers honestly', async () => {
  const { bytes, cid } = await fresh(20_000)
  backend.faults.add({ ...ADD, kind: 'slow', bytesPerSec: 100_000, times: 1 })
  const entry = over()
  expect(await added(backend, bytes)).toBe(cid)
  const { durationMs, ...rest } = await entry
  expect(rest).toMatchObject({ outcome: 'answered', changed: true })
  expect(durationMs).toBeGreaterThanOrEqual(190)
})

test('slow, cut: cuts off what is still being read when the rule ends', async () => {
  const { bytes, cid } = await fresh(200_000)
  const fault = backend.faults.add({ ...ADD, kind: 'slow', bytesPerSec: 50_000, cut: true })
  const reading = backend.ledger.waitFor(({ bytesReceived }) => bytesReceived > 0)
  const upload = expect(addFile(backend, bytes)).rejects.toThrow()
  const { id } = await reading
  const over = backend.ledger.waitFor((entry) => entry.id === id && entry.outcome !== undefined)
  fault.remove()
  await upload
  expect(await over).toMatchObject({ outcome: 'aborted', changed: false })
  expect(await isPinned(backend, cid)).toBe(false)
})

test('slow: leaves no listener behind for each piece of a body', async () => {
  const { bytes, cid } = await fresh(200_000)
  const warned: string[] = []
  const note = ({ name }: Error) => void warned.push(name)
  process.on('warning', note)
  // Some 20 pauses.
  backend.faults.add({ ...ADD, kind: 'slow', bytesPerSec: 200_000, times: 1 })
  expect(await added(backend, bytes)).toBe(cid)
  process.off('warning', note)
  expect(warned).toEqual([])
})

test('skip: leaves the first requests alone', async () => {
  const first = await fresh()
  const second = await fresh()
  backend.faults.add({ ...ADD, kind: 'status', status: 500, skip: 1 })
  expect(await added(backend, first.bytes)).toBe(first.cid)
  expect((await addFile(backend, second.bytes)).status).toBe(500)
})

test('status, echo: repeats what was sent', async () => {
  const { bytes } = await fresh()
  backend.faults.add({ ...ADD, kind: 'status', status: 400, echo: true })
  expect(await (await addFile(backend, bytes)).text()).toContain(MODERN)
})

test('status: answers with code, Retry-After and body, without effect', async () => {
  const { bytes, cid } = await fresh()
  const date = new Date(1_800_000_000_000)
  backend.faults.add({ ...ADD, kind: 'status', status: 429, retryAfter: 7, body: 'slow down', times: 1 })
  backend.faults.add({ ...ADD, kind: 'status', status: 503, retryAfter: date, times: 1 })
  const first = await addFile(backend, bytes)
  expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([
    429,
    '7',
    'slow down',
  ])
  expect(first.headers.get('access-control-allow-origin')).toBe('*')
  const second = await addFile(backend, bytes)
  expect([second.status, second.headers.get('retry-after')]).toEqual([503, 'Fri, 15 Jan 2027 08:00:00 GMT'])
  expect(backend.ledger.all().at(-1)).toMatchObject({
    status: 503,
    outcome: 'refused-by-fault',
    changed: false,
  })
  expect(await isPinned(backend, cid)).toBe(false)
})

test('lie: answers with another valid address, and stores nothing', async () => {
  const { bytes, cid } = await fresh()
  backend.faults.add({ ...ADD, kind: 'lie', times: 1 })
  const lied = await added(backend, bytes)
  expect(lied).toMatch(/^bafkrei[a-z2-7]{52}$/)
  expect(lied).not.toBe(cid)
  expect(await isPinned(backend, cid)).toBe(false)
})

test('lie: about a pin, about content, and about a transaction', async () => {
  const { bytes, cid } = await fresh()
  backend.faults.add({ service: 'ipfs', match: 'pin/ls', kind: 'lie', times: 1 })
  expect(await isPinned(backend, cid)).toBe(true)
  expect(await isPinned(backend, cid)).toBe(false)
  await added(backend, bytes)
  backend.faults.add({ service: 'gateway', kind: 'lie', times: 1 })
  const wrong = Buffer.from(await (await fetch(`${backend.url}/ipfs/${cid}`)).arrayBuffer())
  expect([wrong.byteLength, wrong.equals(bytes)]).toEqual([bytes.byteLength, false])
  backend.faults.add({ service: 'relay', kind: 'lie', times: 1 })
  const { transactionHash } = await relay(backend, await aCall())
  await backend.chain.mine()
  expect(await receiptOf(backend, transactionHash)).toBeNull()
})

test('empty: answers 200 with nothing, and stores nothing', async () => {
  const { bytes, cid } = await fresh()
  backend.faults.add({ ...ADD, kind: 'empty', times: 1 })
  const answer = await addFile(backend, bytes)
  expect([answer.status, await answer.text()]).toEqual([200, ''])
  expect(await isPinned(backend, cid)).toBe(false)
})

test('truncate: has its effect, and cuts its answer off', async () => {
  const { bytes, cid } = await fresh()
  backend.faults.add({ ...ADD, kind: 'truncate', times: 1 })
  const answer = await addFile(backend, bytes)
  expect(answer.status).toBe(200)
  await expect(answer.text()).rejects.toThrow()
  expect(backend.ledger.all().at(-1)).toMatchObject({ outcome: 'aborted', changed: true, key: cid })
  backend.faults.add({ service: 'gateway', kind: 'truncate', times: 1 })
  const content = await fetch(`${backend.url}/ipfs/${cid}`)
  await expect(content.arrayBuffer()).rejects.toThrow()
})

test('forget-answer: has its effect, and says nothing', async () => {
  const { bytes, cid } = await fresh()
  backend.faults.add({ ...ADD, kind: 'forget-answer', times: 1 })
  await expect(addFile(backend, bytes)).rejects.toThrow('fetch failed')
  expect(await isPinned(backend, cid)).toBe(true)

  const call = await aCall()
  const key = randomUUID()
  const fault = backend.faults.add({ service: 'relay', match: key, kind: 'forget-answer', times: 1 })
  await expect(relay(backend, call, key)).rejects.toThrow('fetch failed')
  expect(fault.hits).toBe(1)
  await relay(backend, call, key)
  expect(backend.ledger.all().filter((entry) => entry.key === key)).toMatchObject([
    { outcome: 'aborted', changed: true },
    { outcome: 'answered', changed: false },
  ])
})

test('picks requests by service, by expression, and by the chain’s method', async () => {
  backend.faults.add({ service: 'chain', match: /eth_getLogs$/, kind: 'status', status: 500 })
  const call = (method: string) =>
    fetch(backend.endpoints.rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: method === 'eth_getLogs' ? [{}] : [] }),
    })
  expect((await call('eth_blockNumber')).status).toBe(200)
  expect((await call('eth_getLogs')).status).toBe(500)
  expect(backend.ledger.all().at(-1)).toMatchObject({ service: 'chain', key: 'eth_getLogs', fault: 'status' })
  expect((await fetch(backend.endpoints.relayUrl)).status).toBe(200)
})

test('refuses a rule that makes no sense', () => {
  const add = (rule: Parameters<Backend['faults']['add']>[0]) => () => backend.faults.add(rule)
  expect(add({ service: 'chain', kind: 'lie' })).toThrow('the chain has no lie')
  expect(add({ service: 'ipfs', kind: 'slow', bytesPerSec: 0 })).toThrow('bytesPerSec')
})

test('can be switched over HTTP, by JSON alone', async () => {
  const control = (body: unknown, type = 'application/json') =>
    fetch(`${backend.url}/_/faults`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify(body),
    })
  expect((await control({ service: 'ipfs', kind: 'down' }, 'text/plain')).status).toBe(415)
  expect((await control({ service: 'ipfs', kind: 'explode' })).status).toBe(400)
  const rule = { service: 'relay', kind: 'status', status: 418, matchExpression: '^/relay$' }
  const { id } = (await (await control(rule)).json()) as { id: number }
  expect((await fetch(backend.endpoints.relayUrl)).status).toBe(418)
  expect(await (await fetch(`${backend.url}/_/faults`)).json()).toMatchObject({ faults: [{ id, hits: 1 }] })
  await control({ remove: id })
  expect((await fetch(backend.endpoints.relayUrl)).status).toBe(200)

  const requests = backend.ledger.all().length
  const { entries } = (await (await fetch(`${backend.url}/_/ledger?since=${requests - 1}`)).json()) as {
    entries: LedgerEntry[]
  }
  expect(entries).toMatchObject([{ id: requests, service: 'relay' }])
  expect(backend.ledger.all().length).toBe(requests)
})
