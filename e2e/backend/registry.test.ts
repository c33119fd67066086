import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  getAbiItem,
  http,
  parseEventLogs,
  toEventSelector,
  toFunctionSelector,
  type Hex,
  type TransactionReceipt,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GroupId, Sha256Hex } from '../../src/protocol/ids.ts'
import { ANCHORED, decodeAnchored, decodeSession } from '../../src/evidence/registry.ts'
import { encodeAnchorCall } from '../../src/evidence/anchor-call.ts'
import { signedSession, type SignedSession } from '../../sw/contracts/signed-session.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import { startAnvil } from './anvil.ts'
import { chainAccount } from './chain-accounts.ts'
import { registryAbi, type Backend } from './index.ts'
import { malleated } from './malleated.ts'
import { freePort } from './ports.ts'
import { registryArtifact } from './registry-artifact.ts'
import { rpcClient } from './rpc.ts'
import { ARTIFACTS, sandbox, type Sandbox } from './sandbox.ts'

// Promise 3 of docs/guarantees.md.

const [first, second] = [chainAccount(0), chainAccount(1)]
const ZERO: Hex = `0x${'0'.repeat(64)}`

let box: Sandbox
let backend: Backend

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
})
afterAll(() => box.clear())

const reader = () => createPublicClient({ chain: foundry, transport: http(backend.endpoints.rpcUrl) })
const contract = () => ({ address: backend.endpoints.registry, abi: registryAbi })

/** Enough for the first head of a session with all groups that it may have. */
const GAS = 3_000_000n

/** Simulate, send and mine; the answer is the receipt of a transaction that succeeded. */
async function carry(
  { head, groups }: AnchorRequest,
  { from = first, bare = false } = {},
): Promise<TransactionReceipt> {
  const data = encodeAnchorCall(head, bare ? [] : groups) as Hex
  const to = backend.endpoints.registry
  await reader()
    .call({ account: from, to, data })
    .catch(() =>
      // The same again, for the name of the error.
      reader().simulateContract({
        ...contract(),
        account: from,
        functionName: 'anchor',
        args: argsOf({ head, groups: bare ? [] : groups }),
      }),
    )
  const wallet = createWalletClient({
    account: from,
    chain: foundry,
    transport: http(backend.endpoints.rpcUrl),
  })
  const hash = await wallet.sendTransaction({ to, data, gas: GAS })
  await backend.chain.mine()
  const receipt = await reader().getTransactionReceipt({ hash })
  expect(receipt.status).toBe('success')
  return receipt
}

type Pair = readonly [Hex, Hex]
const pairOf = (hex: string): Pair => [`0x${hex.slice(0, 64)}`, `0x${hex.slice(64)}`]

function argsOf({ head, groups }: AnchorRequest) {
  const { size, end, publicKey, signature } = head
  const digest = (hex: string | null): Hex => (hex === null ? ZERO : `0x${hex}`)
  return [
    {
      name: digest(head.name),
      size: BigInt(size),
      root: digest(head.root),
      page: digest(head.page),
      previous: digest(head.previous),
      groups: digest(head.groups),
      end,
    },
    pairOf(publicKey),
    pairOf(signature),
    groups.map(({ id, tag }) => ({ id: id as Hex, tag: digest(tag) })),
  ] as const
}

const stored = async ({ name }: SignedSession) =>
  decodeSession(
    await reader()
      .call({ to: backend.endpoints.registry, data: `0x7dbd2832${name}` })
      .then(({ data = '0x' }) => data),
  )

const withHead = (request: AnchorRequest, change: Partial<AnchorRequest['head']>): AnchorRequest => ({
  ...request,
  head: { ...request.head, ...change },
})

/** Flip one bit of a hex text. */
function flipped(hex: string, bit: number): string {
  const at = Math.floor(bit / 4) % hex.length
  const digit = (Number.parseInt(hex[at] ?? '0', 16) ^ (1 << (bit % 4))).toString(16)
  return hex.slice(0, at) + digit + hex.slice(at + 1)
}

test('has the interface that its ABI promises', async () => {
  const { abi } = await registryArtifact(ARTIFACTS)
  expect(abi.filter(({ type }) => type !== 'constructor').length).toBe(registryAbi.length)
  for (const item of registryAbi) {
    const same = abi.find((other) => 'name' in other && other.name === item.name)
    expect(same?.type, item.name).toBe(item.type)
    if (item.type === 'function' && same?.type === 'function') {
      expect(toFunctionSelector(same)).toBe(toFunctionSelector(item))
      expect(same.outputs.map(({ type }) => type)).toEqual(item.outputs.map(({ type }) => type))
    }
  }
  expect(toEventSelector(getAbiItem({ abi: registryAbi, name: 'Anchored' }))).toBe(ANCHORED)
})

test('keeps the newest head, what came first, and the time of its block', async () => {
  const session = await signedSession(2)
  expect(await stored(session)).toBeUndefined()
  const one = await session.request(3)
  const made = await carry(one)
  const two = await session.request(7)
  const later = await carry(two, { bare: true })
  const { timestamp } = await reader().getBlock({ blockHash: later.blockHash })
  expect(await stored(session)).toEqual({
    root: two.head.root,
    page: two.head.page,
    size: 7,
    anchors: 2,
    firstBlock: Number(made.blockNumber),
    blockNumber: Number(later.blockNumber),
    blockAtMs: 1_000 * Number(timestamp),
    end: false,
  })
})

test('takes a session’s heads from whoever carries them', async () => {
  const session = await signedSession()
  await carry(await session.request(1), { from: second })
  await carry(await session.request(2), { from: first })
  await carry(await session.request(3), { from: second })
  expect(await stored(session)).toMatchObject({ size: 3, anchors: 3 })
})

test('tells each head that it took, with all that a reader needs to check it and to find the one before', async () => {
  const session = await signedSession(3)
  const requests = await Promise.all([1, 2, 5, 9].map((size) => session.request(size)))
  const blocks: number[] = []
  for (const request of requests) blocks.push(Number((await carry(request)).blockNumber))
  const logs = await reader().getLogs({
    address: backend.endpoints.registry,
    event: getAbiItem({ abi: registryAbi, name: 'Anchored' }),
    args: { name: `0x${session.name}` },
    fromBlock: 0n,
  })
  for (const [at, { head }] of requests.entries()) {
    const place = { anchors: at + 1, previousBlock: blocks[at - 1] ?? 0 }
    expect(logs[at] && decodeAnchored(logs[at])).toEqual({ ...head, ...place })
  }
  expect(logs.length).toBe(requests.length)
  expect(logs.map(({ blockNumber }) => Number(blockNumber))).toEqual(blocks)
  expect(await stored(session)).toMatchObject({ anchors: 4, firstBlock: blocks[0], blockNumber: blocks[3] })
})

test('changes nothing, and says nothing, where a head is no larger than the one it has', async () => {
  const session = await signedSession()
  await carry(await session.request(5))
  const before = await stored(session)
  for (const request of [
    await session.request(5),
    await session.request(5, { root: 'c'.repeat(64) as Sha256Hex }),
    await session.request(4),
    await session.request(5, { end: true }),
    withHead(await session.request(5), { signature: '0'.repeat(128) }),
  ])
    expect((await carry(request)).logs).toEqual([])
  expect(await stored(session)).toEqual(before)
})

test('takes nothing larger after the end, and no more from who comes late with what it has', async () => {
  const session = await signedSession()
  await carry(await session.request(5, { end: true }))
  expect(await stored(session)).toMatchObject({ size: 5, end: true })
  await expect(carry(await session.request(6))).rejects.toThrow('Ended')
  await expect(carry(await session.request(6, { end: true }))).rejects.toThrow('Ended')
  expect((await carry(await session.request(5, { end: true }))).logs).toEqual([])
  expect(await stored(session)).toMatchObject({ size: 5, anchors: 1 })
})

test('takes the other signature that verifies, which changes nothing else', async () => {
  const session = await signedSession()
  const request = await session.request(2)
  const other = withHead(request, { signature: malleated(request.head.signature) })
  const [event] = parseEventLogs({ abi: registryAbi, logs: (await carry(other)).logs })
  expect(event).toMatchObject({
    args: { root: `0x${request.head.root}`, signature: pairOf(other.head.signature) },
  })
  expect(await stored(session)).toMatchObject({ size: 2, root: request.head.root, anchors: 1 })
  expect((await carry(request)).logs).toEqual([])
  await carry(await session.request(3))
  expect(await stored(session)).toMatchObject({ size: 3, anchors: 2 })
})

test('refuses every head in which a bit is not as it was signed', async () => {
  const session = await signedSession(2)
  const request = await session.request(1)
  const { head } = request
  for (let round = 0; round < 40; round += 1) {
    const bit = Math.floor(Math.random() * 256)
    const changes: Partial<AnchorRequest['head']>[] = [
      { root: flipped(head.root, bit) as Sha256Hex },
      { page: flipped(head.page, bit) as Sha256Hex },
      { previous: flipped('0'.repeat(64), bit) as Sha256Hex },
      { groups: flipped(head.groups, bit) as Sha256Hex },
      { size: head.size + 2 ** (bit % 50) },
      { end: true },
      { name: flipped(head.name, bit % 128) as typeof head.name },
      { signature: flipped(head.signature, 2 * bit) },
    ]
    const change = changes[round % changes.length] ?? {}
    await expect(carry(withHead(request, change)), JSON.stringify(change)).rejects.toThrow('BadSignature')
  }
  for (let round = 0; round < 10; round += 1) {
    const bit = Math.floor(Math.random() * 128)
    const name = head.name.slice(0, 32) + flipped(head.name.slice(32), bit)
    await expect(carry(withHead(request, { name: name as typeof head.name }))).rejects.toThrow(
      'NotTheSessionsKey',
    )
    const publicKey = flipped(head.publicKey, 4 * bit)
    await expect(carry(withHead(request, { publicKey }))).rejects.toThrow('NotTheSessionsKey')
  }
  expect(await stored(session)).toBeUndefined()
  await carry(request)
  expect(await stored(session)).toMatchObject({ size: 1 })
})

test('takes random heads that are signed, and holds the largest', async () => {
  const session = await signedSession(1)
  let largest = 0
  for (let round = 0; round < 15; round += 1) {
    const size = 1 + Math.floor(Math.random() * (2 ** 32 - 1))
    const root = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex') as Sha256Hex
    const request = await session.request(size, { root })
    const { logs } = await carry(request, { from: round % 2 === 0 ? first : second })
    expect(logs.length).toBe(size > largest ? 1 : 0)
    largest = Math.max(largest, size)
    expect((await stored(session))?.size).toBe(largest)
  }
})

test('gives nobody else a session: not by a junk root, a huge size, an own key, nor by being first', async () => {
  const honest = await signedSession()
  const thief = await signedSession()
  const request = await honest.request(4)
  const huge = { ...request.head, size: 2 ** 32 - 1 }
  const attempts: readonly [AnchorRequest, string][] = [
    [withHead(request, { size: huge.size }), 'BadSignature'],
    [withHead(request, { size: 5, root: 'f'.repeat(64) as Sha256Hex }), 'BadSignature'],
    [withHead(request, { size: 5, signature: '0'.repeat(128) }), 'BadSignature'],
    [withHead(request, { size: 5, publicKey: thief.publicKey }), 'NotTheSessionsKey'],
    [{ ...request, head: await thief.sign(huge) }, 'NotTheSessionsKey'],
  ]
  const attack = async () => {
    for (const [attempt, error] of attempts)
      await expect(carry(attempt, { from: second })).rejects.toThrow(error)
    // The half of a name that is the UUID is anybody's; the other half makes it another session.
    const name = (honest.name.slice(0, 32) + thief.name.slice(32)) as typeof honest.name
    await carry({ ...request, head: await thief.sign({ ...huge, name }) }, { from: second })
  }
  await attack()
  // In the honest session's own words, but under other groups or none.
  const others = (await thief.request(1)).groups
  await expect(carry({ ...request, groups: others }, { from: second })).rejects.toThrow('GroupsDiffer')
  await expect(carry(request, { from: second, bare: true })).rejects.toThrow('NoGroups')
  expect(await stored(honest)).toBeUndefined()
  await carry(request)
  const held = await stored(honest)
  expect(held).toMatchObject({ size: 4, root: request.head.root, anchors: 1 })
  await attack()
  expect(await stored(honest)).toEqual(held)
})

test('registers a session under its groups once, and tells them in pages', async () => {
  const group = `0x${'7'.repeat(64)}` as GroupId
  const sessions = await Promise.all(Array.from({ length: 5 }, () => signedSession([group])))
  const members = []
  for (const session of sessions) {
    const request = await session.request(1)
    await carry(request)
    await carry(await session.request(2))
    members.push({ name: `0x${session.name}`, tag: `0x${request.groups[0]?.tag}` })
  }
  const page = (from: bigint, count: bigint) =>
    reader().readContract({ ...contract(), functionName: 'sessionsOf', args: [group as Hex, from, count] })
  const countOf = (id: string) =>
    reader().readContract({ ...contract(), functionName: 'countOf', args: [id as Hex] })
  const most = 2n ** 256n - 1n
  expect(await countOf(group)).toBe(5n)
  expect(await countOf(ZERO)).toBe(0n)
  expect(await page(0n, 5n)).toEqual(members)
  expect(await page(0n, most)).toEqual(members)
  expect(await page(1n, 2n)).toEqual(members.slice(1, 3))
  expect(await page(4n, most)).toEqual(members.slice(4))
  expect(await page(5n, 1n)).toEqual([])
  expect(await page(most, most)).toEqual([])
})

test('takes up to 16 groups', async () => {
  const many = await signedSession(16)
  await carry(await many.request(1))
  expect(await stored(many)).toMatchObject({ size: 1 })
  await expect(carry(await (await signedSession(17)).request(1))).rejects.toThrow('TooManyGroups')
  await expect(carry(await (await signedSession(0)).request(1))).rejects.toThrow('NoGroups')
})

test('costs at most 350,000 gas for the first head with three new groups, 75,000 for each later one', async () => {
  const session = await signedSession(3)
  const used = async (size: number, bare: boolean) =>
    Number((await carry(await session.request(size), { bare })).gasUsed)
  const firstHead = await used(1, false)
  const withGroups = await used(2, false)
  const bare = await used(3, true)
  const known = Number((await carry(await session.request(3), { bare: true })).gasUsed)
  console.log(
    `Gas: first head ${firstHead}; later with groups ${withGroups}, without ${bare}; one that is known ${known}`,
  )
  expect(firstHead).toBeLessThanOrEqual(350_000)
  expect(withGroups).toBeLessThanOrEqual(75_000)
  expect(bare).toBeLessThan(withGroups)
})

test('cannot be deployed where the chain verifies no P-256, and says so', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-prague-'))
  const port = await freePort({ port: 0, wantedBy: 'an old chain', option: '' })
  const anvil = await startAnvil({ port, stateFile: join(dir, 'none'), cacheDir: dir, hardfork: 'prague' })
  try {
    const { abi, bytecode } = await registryArtifact(ARTIFACTS)
    const old = createPublicClient({ chain: foundry, transport: http(anvil.url) })
    const deployed = old.call({ account: first, data: encodeDeployData({ abi, bytecode }) })
    const selector = toFunctionSelector('function NoP256Verify()')
    await expect(deployed).rejects.toThrow(selector)
    // The other chain of this file has it.
    const answer = await rpcClient(backend.chain.url)('eth_call', [
      { from: first.address, data: bytecode },
      'latest',
    ])
    expect(String(answer).length).toBeGreaterThan(1_000)
  } finally {
    await anvil.kill()
    await rm(dir, { recursive: true, force: true })
  }
})
