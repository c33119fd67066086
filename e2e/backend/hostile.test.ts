import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeAnchorCall } from '../../src/evidence/anchor-call.ts'
import { decodeSession, encodeSessionsCall, type RegistrySession } from '../../src/evidence/registry.ts'
import type { SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import { signedSession, type SignedSession } from '../../sw/contracts/signed-session.ts'
import type { AnchorRequest, SignedHead } from '../../sw/ports/anchor.ts'
import type { Backend } from './index.ts'
import { malleated } from './malleated.ts'
import { relay, relayBody } from './relay-client.ts'
import { sandbox, type Sandbox } from './sandbox.ts'
import { takesWhole } from '../test-size.ts'

// Promise 3 of docs/guarantees.md: an attacker with money, the mempool, the relay's API and every public value.

const SESSIONS = takesWhole() ? 8 : 2
const ROUNDS = 6
const WRITES = takesWhole() ? 1_000 : 200

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start({ relayLimit: { burst: 100_000, perSecond: 100_000 } })
})
afterAll(() => box.clear())

const stored = async (name: SessionName): Promise<RegistrySession | undefined> => {
  const call = { to: backend.endpoints.registry, data: encodeSessionsCall(name) }
  return decodeSession(String(await backend.chain.rpc('eth_call', [call, 'latest'])))
}

const junk = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex') as Sha256Hex

/** What the thief makes of a head that it has seen, before it is mined or after. */
async function forgeries(
  seen: AnchorRequest,
  older: readonly AnchorRequest[],
  thief: SignedSession,
): Promise<AnchorRequest[]> {
  const { head, groups } = seen
  const own = await thief.request(1)
  const as = (change: Partial<SignedHead>, others = groups): AnchorRequest => ({
    head: { ...head, ...change },
    groups: others,
  })
  const signed = async (change: Partial<SignedHead>) =>
    as(await thief.sign({ ...head, ...change, size: head.size + 1 }))
  return [
    as({ root: junk() }),
    as({ page: junk(), previous: junk() }),
    as({ size: 2 ** 32 - 1 }),
    as({ size: 2 ** 32 - 1, root: junk(), end: true }),
    as({ end: !head.end, size: head.size + 1 }),
    as({ groups: own.head.groups }, own.groups),
    as({ publicKey: thief.publicKey }),
    as({ signature: '0'.repeat(128) }),
    as({ signature: head.signature.slice(64) + head.signature.slice(0, 64) }),
    await signed({}),
    await signed({ end: true, root: junk() }),
    as({ ...(await thief.sign({ ...head, size: 2 ** 32 - 1 })), publicKey: head.publicKey }),
    // What holds, in the thief's own hands: it may pay for it.
    as({ signature: malleated(head.signature) }),
    as({}),
    // The same without its groups, and under others.
    as({}, []),
    as({}, own.groups),
    ...older,
    ...older.map((request) => ({ ...request, head: { ...request.head, size: head.size + 1 } })),
  ]
}

let nonce = 0

/** All in one batch, for more than the relay pays; the count of those that the node took. */
async function flood(requests: readonly AnchorRequest[]): Promise<number> {
  const [from] = (await backend.chain.rpc('eth_accounts')) as string[]
  const calls = requests.map(({ head, groups }, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'eth_sendTransaction',
    params: [
      {
        from,
        to: backend.endpoints.registry,
        data: encodeAnchorCall(head, groups),
        gas: '0x61a80',
        nonce: `0x${(nonce++).toString(16)}`,
        maxFeePerGas: '0x2e90edd000',
        maxPriorityFeePerGas: '0x12a05f200',
      },
    ],
  }))
  const response = await fetch(backend.chain.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls),
  })
  return ((await response.json()) as { result?: string }[]).filter(({ result }) => result).length
}

async function mineAll(): Promise<void> {
  for (;;) {
    await backend.chain.mine()
    const { pending } = (await backend.chain.rpc('txpool_status')) as { pending: string }
    if (Number(pending) === 0) return
  }
}

test('hostile writes change no honest session, and hold none up', async () => {
  const thief = await signedSession()
  const honest = await Promise.all(Array.from({ length: SESSIONS }, () => signedSession(2)))
  const past = new Map(honest.map(({ name }) => [name, [] as AnchorRequest[]]))
  let writes = 0
  let changed = 0

  const attack = async (seen: readonly AnchorRequest[]) => {
    const forged = await Promise.all(
      seen.map((request) => forgeries(request, past.get(request.head.name) ?? [], thief)),
    )
    const sent = await flood(forged.flat())
    expect(sent).toBe(forged.flat().length)
    writes += sent
    for (const request of forged.flatMap((each) => each.slice(0, 4))) {
      await relay(backend, relayBody(request))
      writes += 1
    }
  }
  const look = async (expected: readonly AnchorRequest[]) => {
    for (const { head } of expected) {
      const { root, page, size, end } = (await stored(head.name)) ?? {}
      const same = root === head.root && page === head.page && size === head.size && end === head.end
      if (!same) changed += 1
    }
  }

  for (let size = 1; size <= ROUNDS; size += 1) {
    const heads = await Promise.all(
      honest.map((session) => session.request(size, { root: junk(), page: junk(), end: size === ROUNDS })),
    )
    for (const request of heads)
      expect(await relay(backend, relayBody(request))).toMatchObject({ status: 200 })
    // They wait in the pool, where the thief sees them and pays to come first.
    await attack(heads)
    await mineAll()
    await look(heads)
    // And once more, now that they are on the chain.
    await attack(heads)
    await mineAll()
    await look(heads)
    for (const request of heads) past.get(request.head.name)?.push(request)
  }

  const final = await Promise.all(honest.map(({ name }) => stored(name)))
  const stuck = final.filter((session) => session?.size !== ROUNDS || !session.end).length
  console.log(`${writes} hostile writes: ${changed} changed an answer, ${stuck} sessions stuck`)
  expect(writes).toBeGreaterThanOrEqual(WRITES)
  expect({ changed, stuck }).toEqual({ changed: 0, stuck: 0 })
  expect(final.map((session) => session?.anchors)).toEqual(honest.map(() => ROUNDS))
  // The relay was made to pay for nothing but the honest heads.
  const paid = backend.ledger.all().filter((entry) => entry.service === 'relay' && entry.changed)
  expect(paid.length).toBe(SESSIONS * ROUNDS)
})
