import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  concat,
  createPublicClient,
  createWalletClient,
  getAbiItem,
  http,
  parseEventLogs,
  sha256,
  toFunctionSelector,
  type Hex,
} from 'viem'
import { mnemonicToAccount, type HDAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { registryAbi, type Backend } from './index.ts'
import { registryArtifact } from './registry-artifact.ts'
import { repositoryRoot } from './repository-root.ts'
import { ARTIFACTS, sandbox, type Sandbox } from './sandbox.ts'

interface Vectors {
  sessionIdBytes32: Hex
  chunks: { leaf: string }[]
  rootsByLeafCount: Record<string, string>
  proofs: Record<string, { hash: string; position: 'left' | 'right' }[]>
}

const CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const GROUPS: Hex[] = [`0x${'11'.repeat(32)}`, `0x${'22'.repeat(32)}`]
const [first, second] = [0, 1].map((addressIndex) =>
  mnemonicToAccount(`${'test '.repeat(11)}junk`, { addressIndex }),
) as [HDAccount, HDAccount]

let box: Sandbox
let backend: Backend
let vectors: Vectors

beforeAll(async () => {
  box = await sandbox()
  backend = await box.start()
  const path = join(repositoryRoot(), 'src', 'evidence', 'vectors', 'evidence.json')
  vectors = JSON.parse(await readFile(path, 'utf8')) as Vectors
})
afterAll(() => box.clear())

const reader = () => createPublicClient({ chain: foundry, transport: http(backend.endpoints.rpcUrl) })
const contract = () => ({ address: backend.endpoints.registry, abi: registryAbi })

interface Update {
  sessionId: Hex
  root?: Hex
  cid?: string
  count?: number
  groups?: Hex[]
  from?: HDAccount
}

/**
 * Enough for any update. An estimate is for the second in which it is made: in a later one `updatedAt` costs more, and
 * the transaction would run out of gas.
 */
const GAS = 1_000_000n

/** Simulate, send and mine; the answer is the receipt of a transaction that succeeded. */
async function update({ sessionId, root, cid, count, groups, from }: Update) {
  const account = from ?? first
  const { request } = await reader().simulateContract({
    ...contract(),
    account,
    functionName: 'updateSession',
    args: [sessionId, root ?? `0x${'ab'.repeat(32)}`, cid ?? CID, BigInt(count ?? 1), groups ?? GROUPS],
  })
  const wallet = createWalletClient({ account, chain: foundry, transport: http(backend.endpoints.rpcUrl) })
  const hash = await wallet.writeContract({ ...request, gas: GAS })
  await backend.chain.mine()
  const receipt = await reader().getTransactionReceipt({ hash })
  expect(receipt.status).toBe('success')
  return receipt
}

const session = (sessionId: Hex) =>
  reader().readContract({ ...contract(), functionName: 'sessions', args: [sessionId] })
const id = (digit: string): Hex => `0x${digit.repeat(32)}${'0'.repeat(32)}`

test('has the interface that its ABI promises', async () => {
  const { abi } = await registryArtifact(ARTIFACTS)
  for (const item of registryAbi) {
    const same = abi.find((other) => 'name' in other && other.name === item.name)
    expect(same?.type, item.name).toBe(item.type)
    if (item.type === 'function' && same?.type === 'function') {
      expect(toFunctionSelector(same)).toBe(toFunctionSelector(item))
      expect(same.outputs.map(({ type }) => type)).toEqual(item.outputs.map(({ type }) => type))
    }
  }
  expect(getAbiItem({ abi, name: 'SessionUpdated' })).toMatchObject({
    inputs: getAbiItem({ abi: registryAbi, name: 'SessionUpdated' }).inputs.map(({ name, type }) => ({
      name,
      type,
    })),
  })
})

test('keeps the latest root, the first writer and the first time', async () => {
  const sessionId = id('a')
  const made = await update({ sessionId, count: 2 })
  const [creator, , , , createdAt] = await session(sessionId)
  expect(creator).toBe(first.address)
  const root: Hex = `0x${'cd'.repeat(32)}`
  await update({ sessionId, count: 3, root, cid: 'bafkother' })
  const later = await session(sessionId)
  expect(later.slice(0, 5)).toEqual([creator, root, 'bafkother', 3n, createdAt])
  expect(later[5]).toBeGreaterThanOrEqual(createdAt)

  const [event] = parseEventLogs({ abi: registryAbi, logs: made.logs })
  expect(event?.args).toMatchObject({ sessionId, uploader: creator, chunkCount: 2n, groupIds: GROUPS })
})

test('gives a session to its first writer alone', async () => {
  await update({ sessionId: id('b') })
  await expect(update({ sessionId: id('b'), from: second })).rejects.toThrow('NotSessionOwner')
})

test('never lets a session shrink', async () => {
  await update({ sessionId: id('c'), count: 5 })
  await expect(update({ sessionId: id('c'), count: 4 })).rejects.toThrow('ChunkCountFell')
  await update({ sessionId: id('c'), count: 5 })
})

test('fixes the groups at the first call', async () => {
  const [one, two] = GROUPS as [Hex, Hex]
  const read = { ...contract(), args: [id('d')] } as const
  await update({ sessionId: id('d'), groups: [one] })
  await expect(update({ sessionId: id('d'), groups: [one, two] })).rejects.toThrow('GroupsAreFixed')
  expect(await reader().readContract({ ...read, functionName: 'getSessionGroups' })).toEqual([one])
  const isIn = (group: Hex) =>
    reader().readContract({ ...contract(), functionName: 'isContentInGroup', args: [id('d'), group] })
  expect([await isIn(one), await isIn(two)]).toEqual([true, false])
})

test.each([
  ['EmptyManifestCid', { cid: '' }],
  ['NoGroups', { groups: [] }],
  ['NoChunks', { count: 0 }],
])('refuses with %s', async (error, change) => {
  await expect(update({ sessionId: id('e'), ...change })).rejects.toThrow(error)
})

test('verifies every leaf of the evidence vectors, and nothing else', async () => {
  const sessionId = vectors.sessionIdBytes32
  const leaves = vectors.chunks.map(({ leaf }): Hex => `0x${leaf}`)
  await update({ sessionId, root: `0x${vectors.rootsByLeafCount[leaves.length]}`, count: leaves.length })
  const verify = (leaf: Hex | undefined, proof: Hex[], index: number) =>
    reader().readContract({
      ...contract(),
      functionName: 'verifyChunk',
      args: [sessionId, leaf ?? '0x', proof, BigInt(index)],
    })
  const proofOf = (index: number) => (vectors.proofs[index] ?? []).map(({ hash }): Hex => `0x${hash}`)
  for (const index of leaves.keys()) {
    const proof = proofOf(index)
    expect(await verify(leaves[index], proof, index), `leaf ${index}`).toBe(true)
    expect(await verify(leaves[(index + 1) % leaves.length], proof, index)).toBe(false)
    expect(await verify(leaves[index], proof, (index + 1) % leaves.length)).toBe(false)
    expect(await verify(leaves[index], proof.slice(0, -1), index)).toBe(false)
    expect(await verify(leaves[index], [...proof, leaves[0] ?? '0x'], index)).toBe(false)
  }
  expect(await verify(leaves[8], proofOf(8), 9)).toBe(false)
  expect(await verify(leaves[8], proofOf(8), 2 ** 40)).toBe(false)
})

/** The format's tree, level by level: a node without a sibling goes up unchanged. */
function proofIn(leaves: readonly Hex[], index: number): { root: Hex | undefined; proof: Hex[] } {
  const proof: Hex[] = []
  let [level, position] = [leaves, index]
  while (level.length > 1) {
    const sibling = level[position % 2 === 0 ? position + 1 : position - 1]
    if (sibling !== undefined) proof.push(sibling)
    const parents: Hex[] = []
    for (let at = 0; at < level.length; at += 2) {
      const pair = level.slice(at, at + 2)
      parents.push(pair.length === 2 ? sha256(concat(pair)) : (pair[0] ?? '0x'))
    }
    level = parents
    position = Math.floor(position / 2)
  }
  return { root: level[0], proof }
}

test('follows promoted nodes at every leaf count', async () => {
  const all = vectors.chunks.map(({ leaf }): Hex => `0x${leaf}`)
  for (const [count, root] of Object.entries(vectors.rootsByLeafCount)) {
    const leaves = all.slice(0, Number(count))
    const sessionId: Hex = `0x${'f0'.repeat(15)}${count.padStart(2, '0')}${'0'.repeat(32)}`
    await update({ sessionId, root: `0x${root}`, count: leaves.length })
    for (const [index, leaf] of leaves.entries()) {
      const path = proofIn(leaves, index)
      expect(path.root).toBe(`0x${root}`)
      const args = [sessionId, leaf, path.proof, BigInt(index)] as const
      const isThere = await reader().readContract({ ...contract(), functionName: 'verifyChunk', args })
      expect(isThere, `leaf ${index} of ${count}`).toBe(true)
    }
  }
})
