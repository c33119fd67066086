import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeAnchorCall } from '../../src/evidence/anchor-call.ts'
import { groupsDigest } from '../../src/evidence/head.ts'
import { toHex } from '../../src/evidence/bytes.ts'
import { groupTag } from '../../src/evidence/group-key.ts'
import type { GroupId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import { listSessions, type ListSessionsOptions } from '../../src/verify/index.ts'
import { signedSession } from '../../sw/contracts/signed-session.ts'
import { takesWhole } from '../test-size.ts'
import { hex, text } from './bytes.ts'
import { carry } from './carry.ts'
import { randomFrom } from './random.ts'
import { READ_TIMEOUT_MS, startRealChain, type RealChain } from './real-chain.ts'
import { groupOf, Recording } from './recording.ts'

// Promise 7 of docs/guarantees.md, on a real chain with the real registry.

const group = groupOf(randomFrom('group-list').bytes(32))
const publicKey = hex(group.publicKey)
const groupId: GroupId = `0x${hex(group.id)}` as GroupId

/** Strangers' registrations: sixteen to a session, as many as the registry takes. */
const JUNK = takesWhole() ? 10_000 : 2_000
const PER_SESSION = 16

let chain: RealChain
let backend: RealChain['backend']
let store: RealChain['store']

beforeAll(async () => {
  chain = await startRealChain()
  ;({ backend, store } = chain)
})
afterAll(() => chain.close())
beforeEach(() => {
  store.asked.length = 0
})

const list = (changes: Partial<ListSessionsOptions> = {}) => {
  const { rpcUrl, registry } = backend.endpoints
  return listSessions({
    chain: { rpcUrl, registry },
    group: { publicKey },
    timeoutMs: READ_TIMEOUT_MS,
    ...changes,
  })
}

/** What of the node was asked meanwhile. */
async function chainRequests(work: () => Promise<unknown>): Promise<number> {
  const count = () => backend.ledger.all().filter(({ service }) => service === 'chain').length
  const before = count()
  await work()
  return count() - before
}

/** A recording of one chunk and one head, on the chain. */
async function recorded(seed: string, end?: 'complete' | 'interrupted'): Promise<Recording> {
  const recording = new Recording(seed, { groups: [group] })
  await recording.chunk(0, text(seed))
  if (end) recording.end(end, 1)
  await carry(backend, recording, recording.publish().head)
  store.world = { ...store.world, objects: new Map([...store.world.objects, ...recording.objects]) }
  return recording
}

let nonce: number | undefined

/** Registers sessions under the group, each so often as one may be, with these tags; all in blocks of some. */
async function registerSessions(
  count: number,
  tagOf: (name: SessionName) => Promise<Sha256Hex>,
  times = PER_SESSION,
): Promise<void> {
  const from = (await backend.chain.rpc('eth_accounts')) as string[]
  nonce ??= Number(await backend.chain.rpc('eth_getTransactionCount', [from[1], 'latest']))
  const calls: object[] = []
  for (let at = 0; at < count; at++) {
    const session = await signedSession([])
    const tags = await Promise.all(Array.from({ length: times }, () => tagOf(session.name)))
    const groups = tags.map((tag) => ({ id: groupId, tag }))
    const { head } = await session.request(1, { groups: await groupsDigest(groups) })
    const transaction = {
      from: from[1],
      to: backend.endpoints.registry,
      data: encodeAnchorCall(head, groups),
      gas: '0x16e360',
      maxFeePerGas: '0x2e90edd000',
      maxPriorityFeePerGas: '0x12a05f200',
      nonce: `0x${(nonce++).toString(16)}`,
    }
    calls.push({ jsonrpc: '2.0', id: at, method: 'eth_sendTransaction', params: [transaction] })
  }
  const response = await fetch(backend.chain.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls),
  })
  const answers = (await response.json()) as { result?: string }[]
  expect(answers.filter(({ result }) => result)).toHaveLength(count)
  for (;;) {
    await backend.chain.mine()
    const { pending } = (await backend.chain.rpc('txpool_status')) as { pending: string }
    if (Number(pending) === 0) return
  }
}

/** What the node says instead of its answer to calls of this function. */
async function answering<T>(
  selector: string,
  work: () => Promise<T>,
  instead: (data: string) => object | undefined,
): Promise<T> {
  const { fetch } = globalThis
  globalThis.fetch = async (url, init) => {
    // The backend's own requests to its node go by it.
    const [, data] = (url === backend.endpoints.rpcUrl && /"data":"(\w+)"/.exec(String(init?.body))) || []
    const answer = data?.startsWith(selector) ? instead(data) : undefined
    return answer ? Response.json({ jsonrpc: '2.0', id: 1, ...answer }) : fetch(url, init)
  }
  try {
    return await work()
  } finally {
    globalThis.fetch = fetch
  }
}

const junk = async () => toHex(crypto.getRandomValues(new Uint8Array(32))) as Sha256Hex

describe('a group', () => {
  it('that nobody has recorded for has no sessions', async () => {
    expect(await list({ group: { publicKey: 'ab'.repeat(32) } })).toMatchObject({
      sessions: [],
      strangers: 0,
    })
  })

  it('tells its recordings to who has its key alone, newest first: a whole one, an interrupted one, a running one', async () => {
    const whole = await recorded('whole', 'complete')
    await backend.chain.mine(3)
    const interrupted = await recorded('interrupted', 'interrupted')
    await registerSessions(1, junk)
    const running = await recorded('running')
    const page = await list()
    expect(page).toMatchObject({ strangers: PER_SESSION })
    expect(page.next).toBeUndefined()
    expect(page.sessions.map(({ name, ended, size }) => [name, ended, size])).toEqual([
      [hex(running.keys.name), false, 2],
      [hex(interrupted.keys.name), false, 3],
      [hex(whole.keys.name), true, 3],
    ])
    // By the private key it is the same list, and that key reads each of them.
    const { sessions } = await list({ group: { privateKey: group.privateKey } })
    expect(sessions).toEqual(page.sessions)
    expect(store.asked).toEqual([])
    const endings = []
    for (const { name, size, lastAnchoredAtMs, firstAnchoredAtMs, blockNumber } of sessions) {
      const session = await chain.open(name, group.privateKey)
      expect(Buffer.from(await session.bytes()).toString()).toBe(
        session.ending === 'open' ? 'running' : session.ending.replace('complete', 'whole'),
      )
      expect(session.size).toBe(size)
      expect(session.heads[0]?.timeMs).toBe(firstAnchoredAtMs)
      expect(session.heads.at(-1)).toMatchObject({ timeMs: lastAnchoredAtMs, blockNumber })
      endings.push(session.ending)
    }
    expect(endings).toEqual(['open', 'interrupted', 'complete'])
  })

  it('is told in pages, of one block, whatever is registered meanwhile', async () => {
    const all = (await list()).sessions
    const first = await list({ limit: 2 })
    expect(first.sessions).toEqual(all.slice(0, 2))
    const later = await recorded('later')
    const second = await list({ limit: 2, after: first.next })
    expect(second.sessions).toEqual(all.slice(2))
    expect(second.blockNumber).toBe(first.blockNumber)
    expect(second.next).toBeUndefined()
    // A node that has forgotten that block is asked at the newest.
    const { before } = first.next!
    expect((await list({ limit: 2, after: { before } })).sessions).toEqual(all.slice(2))
    expect((await list({ limit: 1 })).sessions[0]?.name).toBe(hex(later.keys.name))
  })

  it('tells a session once, however often its own recorder has registered it', async () => {
    const before = (await list()).sessions
    await registerSessions(1, (name) => groupTag(publicKey, name))
    const { sessions } = await list()
    expect(sessions.length).toBe(before.length + 1)
    expect(sessions.slice(1)).toEqual(before)
  })

  it('is asked for fewer members at a time where the node does less for a call', async () => {
    const all = (await list()).sessions
    const asked: number[] = []
    await answering(
      '0x34401b5c',
      () => list(),
      (data) => {
        const count = Number(`0x${data.slice(-64)}`)
        asked.push(count)
        return count > 9 ? { error: { code: -32_000, message: 'out of gas' } } : undefined
      },
    ).then(({ sessions }) => expect(sessions).toEqual(all))
    expect(Math.max(...asked)).toBeGreaterThan(9)
    expect(asked.filter((count) => count <= 9).length).toBeGreaterThan(3)
  })

  it(`with ${JUNK} registrations of strangers costs no more than the pages of members, and no gateway’s request`, async () => {
    const before = (await list()).sessions
    await registerSessions(JUNK / PER_SESSION, junk)
    const newest = await recorded('after the strangers')
    let page = await list({ limit: 1 })
    expect(page.strangers).toBe(0)
    let ms = 0
    const requests = await chainRequests(async () => {
      const begunMs = performance.now()
      page = await list()
      ms = performance.now() - begunMs
    })
    console.log(
      `${page.strangers} strangers were passed over in ${Math.round(ms)} ms and ${requests} requests`,
    )
    expect(page.strangers).toBeGreaterThanOrEqual(JUNK)
    expect(page.sessions.map(({ name }) => name)).toEqual([
      hex(newest.keys.name),
      ...before.map(({ name }) => name),
    ])
    // Block, count, 2,000 members a time and what is left over; then each good session, and the block of its first head.
    expect(requests).toBeLessThanOrEqual(3 + JUNK / 2_000 + 2 * page.sessions.length)
    expect(store.asked).toEqual([])
  })
})

describe('what is no answer of a registry', () => {
  it.each([
    ['fewer members than it counts', '0x34401b5c', `0x${'20'.padStart(64, '0')}${'0'.repeat(64)}`],
    ['a member that it does not know', '0x7dbd2832', `0x${'0'.repeat(64 * 8)}`],
    ['no number', '0x9f70ed81', '0x'],
  ])('is told: %s', async (_, selector, result) => {
    const reading = answering(
      selector,
      () => list({ limit: 1 }),
      () => ({ result }),
    )
    await expect(reading).rejects.toMatchObject({ code: 'chain-answer' })
  })

  it.each([
    ['group.publicKey', { group: { publicKey: 'AB'.repeat(32) } }],
    ['group.privateKey', { group: { privateKey: new Uint8Array(31) } }],
    ['group.privateKey', { group: undefined as never }],
    ['limit', { limit: 0 }],
    ['after', { after: { before: -1 } }],
    ['chain.registry', { chain: { rpcUrl: 'http://127.0.0.1:1', registry: '0x' } }],
    ['timeoutMs', { timeoutMs: 0 }],
  ])('is asked of nobody where %s is wrong', async (field, change) => {
    const requests = await chainRequests(() =>
      expect(list(change)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining(field) as string,
      }),
    )
    expect(requests).toBe(0)
  })
})
