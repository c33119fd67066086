import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { decodeSession, encodeSessionsCall } from '../../src/evidence/registry.ts'
import { anchorHead, type Carrier, type PortableHead } from '../../src/verify/index.ts'
import { signedSession, type SignedSession } from '../../sw/contracts/signed-session.ts'
import type { Backend } from './index.ts'
import { sandbox, type Sandbox } from './sandbox.ts'

// Promise 3 of docs/guarantees.md: any holder of a signed head may bring it.

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterEach(() => backend.faults.clear())
afterAll(() => box.clear())

const byRelay = (): Carrier => ({ relay: { url: backend.endpoints.relayUrl } })

/** An account that is not the relay's. */
const bySender = (): Carrier => ({
  send: async (call) => {
    const [from] = (await backend.chain.rpc('eth_accounts')) as string[]
    return backend.chain.rpc('eth_sendTransaction', [{ ...call, from, gas: '0xf4240' }])
  },
})

const bring = (head: PortableHead, carrier = byRelay(), timeoutMs = 240_000) => {
  const { rpcUrl, registry } = backend.endpoints
  return anchorHead({ chain: { rpcUrl, registry }, ...head, ...carrier, timeoutMs })
}

const sizeOf = async ({ name }: SignedSession) => {
  const call = { to: backend.endpoints.registry, data: encodeSessionsCall(name) }
  return decodeSession(String(await backend.chain.rpc('eth_call', [call, 'latest'])))?.size ?? 0
}

describe.each([
  ['a relay', byRelay],
  ['an account of its own', bySender],
])('a head that somebody holds, by %s', (_, carrier) => {
  it('goes to the chain, and again where a reorganisation took it, until the chain holds it', async () => {
    const session = await signedSession(2)
    // As it was exported: through JSON.
    const head = JSON.parse(JSON.stringify(await session.request(3))) as PortableHead
    expect(await bring(head, carrier())).toMatchObject({ kind: 'handed-over' })
    await backend.chain.mine()
    expect(await sizeOf(session)).toBe(3)
    expect(await bring(head, carrier())).toMatchObject({ kind: 'anchored', size: 3 })
    await backend.chain.reorg(1)
    expect(await sizeOf(session)).toBe(0)
    expect(await bring(head, carrier())).toMatchObject({ kind: 'handed-over' })
    await backend.chain.mine()
    expect(await bring(head, carrier())).toMatchObject({ kind: 'anchored', size: 3 })
    expect(await bring(await session.request(2), carrier())).toMatchObject({ kind: 'anchored', size: 3 })
  })
})

describe('a head', () => {
  it('that contradicts the chain is told, and nobody pays for it', async () => {
    const session = await signedSession()
    await bring(await session.request(2, { end: true }))
    await backend.chain.mine()
    const send = vi.fn<() => Promise<void>>()
    for (const other of [
      await session.request(2, { root: 'cd'.repeat(32) as never }),
      await session.request(2, { page: 'cd'.repeat(32) as never }),
      await session.request(3),
    ])
      await expect(bring(other, { send })).rejects.toMatchObject({ code: 'forked' })
    expect(send).not.toHaveBeenCalled()
  })

  it('that is not signed, or comes with other groups, is brought to nobody', async () => {
    const { head, groups } = await (await signedSession()).request(1)
    const other = await (await signedSession()).request(1)
    const send = vi.fn<() => Promise<void>>()
    const before = backend.ledger.all().length
    for (const [wrong, field] of [
      [{ head: { ...head, size: 2 }, groups }, 'head'],
      [{ head: { ...head, size: 2 ** 53 }, groups }, 'head'],
      [{ head: { ...head, publicKey: other.head.publicKey }, groups }, 'head'],
      [{ head: { ...head, signature: 'no hex' }, groups }, 'head'],
      [{ head: undefined as never, groups }, 'head'],
      [{ head, groups: other.groups }, 'groups'],
      [{ head, groups: undefined as never }, 'groups'],
    ] as const)
      await expect(bring(wrong, { send })).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining(field) as string,
      })
    for (const carrier of [{ relay: { url: 'ftp://relay' } }, { send: undefined as never }])
      await expect(bring({ head, groups }, carrier)).rejects.toMatchObject({ code: 'bad-input' })
    expect(send).not.toHaveBeenCalled()
    expect(backend.ledger.all().length).toBe(before)
  })

  it.each([
    [401, 'sign-in-needed'],
    [400, 'anchor-rejected'],
    [422, 'anchor-rejected'],
    [429, 'throttled'],
    [503, 'server-error'],
  ])('that the relay answers with %i is told as %s', async (status, code) => {
    backend.faults.add({ service: 'relay', kind: 'status', status })
    await expect(bring(await (await signedSession()).request(1))).rejects.toMatchObject({ code })
  })

  it('whose relay is down, or says under 200 that it did nothing, is told', async () => {
    const head = await (await signedSession()).request(1)
    backend.faults.add({ service: 'relay', kind: 'down' })
    await expect(bring(head)).rejects.toMatchObject({ code: 'unreachable' })
    const { fetch } = globalThis
    const answering = async (body: string) => {
      globalThis.fetch = async (url, init) =>
        url === backend.endpoints.relayUrl ? new Response(body) : fetch(url, init)
      return bring(head).finally(() => {
        globalThis.fetch = fetch
      })
    }
    await expect(answering('{"error":"no funds"}')).rejects.toMatchObject({ code: 'anchor-rejected' })
    await expect(answering('{"success":false}')).rejects.toMatchObject({ code: 'anchor-rejected' })
    await expect(answering('taken')).rejects.toMatchObject({ code: 'bad-answer' })
    const deep = `{"error":${'['.repeat(30_000)}${']'.repeat(30_000)}}`
    await expect(answering(deep)).rejects.toMatchObject({ code: 'anchor-rejected' })
    expect(await answering('{"transactionHash":"0x12"}')).toEqual({
      kind: 'handed-over',
      answer: { transactionHash: '0x12' },
    })
  })
})
