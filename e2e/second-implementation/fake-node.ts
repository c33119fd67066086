import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import {
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionResult,
  parseAbi,
  toFunctionSelector,
} from 'viem'
import { halves, hex, prefixedHex } from './bytes.ts'
import { timeOfBlock, type EvidenceWorld, type Witnessed } from './evidence-world.ts'

/** From docs/evidence-format.md. */
const ABI = parseAbi([
  'function sessions(bytes32 name) external view returns (bytes32 root, bytes32 page, uint64 size, uint32 anchors, uint48 firstBlock, uint48 lastBlock, uint40 lastTime, bool ended)',
  'event Anchored(bytes32 indexed name, uint64 size, bytes32 root, bytes32 page, bytes32 previous, bytes32 groups, bool end, bytes32[2] publicKey, bytes32[2] signature, uint32 anchors, uint48 previousBlock)',
])
const SESSIONS = toFunctionSelector(ABI[0])
export const REGISTRY = '0x5fbdb2315678afecb367f032d93f642f64180aa3'

/** An event's log as `eth_getLogs` tells it. */
export interface FakeLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
  readonly logIndex: string
  readonly [field: string]: unknown
}

export interface RpcRequest {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

/** Bytes, an HTTP status, nothing (404), or no answer. */
export type Served = Buffer | number | undefined | 'hang up'

/** A chain's node and a gateway on the loopback that tell of one world; every answer can be replaced. */
export interface FakeNode {
  readonly rpcUrl: string
  readonly gateway: string
  world: EvidenceWorld
  /** The newest block. */
  newest: number
  /** `eth_getLogs` over more blocks is refused. */
  maxRange: number
  /** What is answered instead of this result; it may throw to refuse in JSON-RPC's way. */
  onRpc: ((request: RpcRequest, result: unknown) => unknown) | undefined
  /** What is answered instead of this whole reply. */
  wrap: ((reply: object) => unknown) | undefined
  /** What is served instead of this object. */
  onObject: ((cid: string, bytes: Buffer | undefined) => Served | Promise<Served>) | undefined
  readonly asked: string[]
  close(): void
}

/** The log of a head that was taken, so many before it. */
export function logOf(world: EvidenceWorld, { head, block }: Witnessed, at: number): FakeLog {
  const values = [
    BigInt(head.size),
    ...[head.root, head.page, head.previous, head.groups].map(prefixedHex),
    head.end,
    halves(head.publicKey),
    halves(head.signature),
    at + 1,
    at === 0 ? 0 : world.witnessed[at - 1]!.block,
  ]
  const inputs = ABI[1].inputs.filter((input) => !('indexed' in input))
  return {
    address: REGISTRY,
    topics: encodeEventTopics({
      abi: ABI,
      eventName: 'Anchored',
      args: { name: prefixedHex(head.name) },
    }) as string[],
    data: encodeAbiParameters(inputs, values as never),
    blockNumber: `0x${block.toString(16)}`,
    logIndex: `0x${at.toString(16)}`,
    removed: false,
  }
}

function sessionsResult(world: EvidenceWorld, name: string, upTo: number): `0x${string}` {
  const taken = world.witnessed.filter(({ block }) => block <= upTo)
  const last = name === hex(world.name) ? taken.at(-1) : undefined
  const none = prefixedHex(Buffer.alloc(32))
  return encodeFunctionResult({
    abi: ABI,
    functionName: 'sessions',
    result: last
      ? [
          prefixedHex(last.head.root),
          prefixedHex(last.head.page),
          BigInt(last.head.size),
          taken.length,
          taken[0]!.block,
          last.block,
          last.timeMs / 1_000,
          last.head.end,
        ]
      : [none, none, 0n, 0, 0, 0, 0, false],
  })
}

class RpcRefusal extends Error {}
/** A node's refusal, in the way of JSON-RPC. */
export const refuseRpc = (message: string): never => {
  throw new RpcRefusal(message)
}

export async function startFakeNode(first: EvidenceWorld): Promise<FakeNode> {
  const server = createServer((request, response) => {
    void (request.url === '/rpc/secret-api-key' ? rpc(request, response) : content(request, response))
  })
  // A connection that is kept open never ends under a request, however slow the machine is.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const node: FakeNode = {
    rpcUrl: `${base}/rpc/secret-api-key`,
    gateway: base,
    world: first,
    newest: 1_000,
    maxRange: Infinity,
    onRpc: undefined,
    wrap: undefined,
    onObject: undefined,
    asked: [],
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }

  const answer = ({ method, params }: RpcRequest): unknown => {
    const { world, newest, maxRange } = node
    switch (method) {
      case 'eth_blockNumber':
        return `0x${newest.toString(16)}`
      case 'eth_call': {
        const [{ to, data }, block] = params as [{ to: string; data: string }, string]
        if (to.toLowerCase() !== REGISTRY || !data.startsWith(SESSIONS)) return '0x'
        return sessionsResult(world, data.slice(10), block === 'latest' ? newest : Number(block))
      }
      case 'eth_getLogs': {
        const [filter] = params as [{ address: string; topics: string[]; fromBlock: string; toBlock: string }]
        const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)]
        if (to - from + 1 > maxRange) return refuseRpc('query exceeds max block range')
        return world.witnessed
          .flatMap((one, at) => (one.block >= from && one.block <= to ? logOf(world, one, at) : []))
          .filter((log) => filter.topics[1] === log.topics[1])
      }
      case 'eth_getBlockByNumber': {
        const number = Number(params[0])
        const timestamp = `0x${(timeOfBlock(number) / 1_000).toString(16)}`
        return number > newest ? null : { number: params[0], timestamp }
      }
      default:
        return refuseRpc(`the method ${method} does not exist`)
    }
  }

  async function rpc(request: IncomingMessage, response: ServerResponse) {
    const asked = (await json(request)) as RpcRequest
    node.asked.push(asked.method)
    const { id } = asked
    try {
      const result = answer(asked)
      const told = node.onRpc ? await node.onRpc(asked, result) : result
      const reply = { jsonrpc: '2.0', id, result: told }
      response.end(JSON.stringify(node.wrap ? node.wrap(reply) : reply))
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_000, message: error.message } }))
    }
  }

  async function content(request: IncomingMessage, response: ServerResponse) {
    const cid = (request.url ?? '').replace('/ipfs/', '')
    node.asked.push(cid)
    const bytes = node.world.objects.get(cid)
    const served = node.onObject ? await node.onObject(cid, bytes) : bytes
    if (served === 'hang up') response.destroy()
    else if (typeof served === 'number') response.writeHead(served).end()
    else if (served === undefined) response.writeHead(404).end()
    else response.end(served)
  }
  return node
}
