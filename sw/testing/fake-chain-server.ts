import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { wordOf, ANCHORED } from '../../src/evidence/registry.ts'
import type { GroupId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { AnchorHarness } from '../contracts/anchor.contract.ts'
import type { Anchor, AnchorRequest } from '../ports/anchor.ts'

export const REGISTRY = `0x${'5'.repeat(40)}`
export const CHAIN_ID = 31_337
export const NAME = '1'.repeat(64) as SessionName

/** A head whose fields all come from one digit; nobody has signed it. */
export const anchorOf = (digit: string): AnchorRequest => ({
  head: {
    name: NAME,
    size: Number(digit),
    root: digit.repeat(64) as Sha256Hex,
    page: `a${digit.repeat(63)}` as Sha256Hex,
    previous: null,
    groups: '0'.repeat(64) as Sha256Hex,
    end: false,
    publicKey: digit.repeat(128),
    signature: digit.repeat(128),
  },
  groups: [{ id: `0x${'1'.repeat(64)}` as GroupId, tag: '2'.repeat(64) as Sha256Hex }],
})

/** Time of the block that took any head, s since the epoch. */
const TIME_SEC = 1_700_000_000

/** The same as the chain tells it. */
export const recordOf = ({ head }: AnchorRequest, block = 1, firstBlock = 1) => ({
  root: head.root,
  page: head.page,
  size: head.size,
  anchors: 1,
  firstBlock,
  blockNumber: block,
  blockAtMs: 1_000 * TIME_SEC,
  end: head.end,
})

/** What `sessions(bytes32)` returns, as the Solidity ABI encodes it. */
export const encoded = ({ head }: AnchorRequest, block = 1, first = 1): string =>
  `0x${head.root}${head.page}${[head.size, 1, first, block, TIME_SEC, Number(head.end)].map(wordOf).join('')}`
const NOBODY = `0x${'0'.repeat(8 * 64)}`

export interface Answered {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** A node and a relay on one port: `/rpc` and `/relay`. */
export class FakeChainServer {
  blockNumber = 10
  chainId = CHAIN_ID
  /** The registry's answer from each block on; before the first there is no registry. */
  answers = new Map<number, string>([[0, NOBODY]])
  rpcAnswer: Answered | undefined
  /** Changes what the node answers to a call that it understands. */
  amend = (body: Record<string, unknown>): Record<string, unknown> => body
  /** What a log filter finds, by its block. */
  logs = new Map<number, readonly unknown[]>()
  /** Blocks of the tags `safe` and `finalized`; a node without one knows no such block. */
  tags: Readonly<Record<string, number>> = {}
  relayAnswer: Answered = { body: JSON.stringify({ transactionHash: `0x${'9'.repeat(64)}` }) }
  /** So many requests to the node come in, and are never answered. */
  hangs = 0
  /** Blocks that took a head. */
  readonly taken: number[] = []
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = []
  readonly submitted: { readonly key: string | undefined; readonly body: unknown }[] = []
  readonly server = createServer((request, response) => {
    void this.answer(request).then(({ status = 200, headers = {}, body }) =>
      response.writeHead(status, headers).end(body),
    )
  })

  async answer(request: IncomingMessage): Promise<Answered> {
    const body = await text(request)
    if (request.url === '/relay') {
      if (request.method === 'POST')
        this.submitted.push({
          key: request.headers['idempotency-key'] as string | undefined,
          body: JSON.parse(body) as unknown,
        })
      return this.relayAnswer
    }
    const call = JSON.parse(body) as { method: string; params: readonly unknown[] }
    this.calls.push(call)
    if (this.hangs-- > 0) await new Promise<never>(() => {})
    if (this.rpcAnswer) return this.rpcAnswer
    const [, block] = call.params
    if (call.method === 'eth_call' && Number(block) > this.blockNumber)
      return { body: rpcError(-32000, 'header not found') }
    return { body: JSON.stringify(this.amend({ jsonrpc: '2.0', id: 1, result: this.resultOf(call) })) }
  }

  resultOf({ method, params }: { method: string; params: readonly unknown[] }): unknown {
    const [first, second] = params
    switch (method) {
      case 'eth_call':
        return this.at(second)
      case 'eth_chainId':
        return `0x${this.chainId.toString(16)}`
      case 'eth_getBlockByNumber': {
        const number = this.tags[String(first)]
        return number === undefined ? null : { number: `0x${number.toString(16)}` }
      }
      case 'eth_getLogs': {
        const { fromBlock, toBlock } = first as { readonly fromBlock: string; readonly toBlock: string }
        const blocks = [...this.logs].filter(
          ([block]) => block >= Number(fromBlock) && block <= Number(toBlock),
        )
        // Also what is no list.
        return blocks.length > 1 ? blocks.flatMap(([, logs]) => logs) : (blocks[0]?.[1] ?? [])
      }
      default:
        return `0x${this.blockNumber.toString(16)}`
    }
  }

  /** A block comes that takes this head. */
  mine(request: AnchorRequest): void {
    const block = (this.blockNumber += 1)
    const [first = block] = this.taken
    this.answers.set(block, encoded(request, block, first))
    this.logs.set(block, [logOf(request, this.taken.at(-1))])
    this.taken.push(block)
  }

  at(block: unknown): string {
    const from = [...this.answers.keys()]
      .filter((first) => first <= Number(block))
      .toSorted((a, b) => b - a)[0]
    return (from !== undefined && this.answers.get(from)) || '0x'
  }

  get origin() {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get rpcUrl() {
    return `${this.origin}/rpc`
  }

  get relayUrl() {
    return `${this.origin}/relay`
  }

  /** Resolves once it takes requests. */
  static async listening(): Promise<FakeChainServer> {
    const chain = new FakeChainServer()
    await new Promise<void>((resolve) => {
      chain.server.listen(0, '127.0.0.1', resolve)
    })
    return chain
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => {
      this.server.close(resolve)
    })
  }
}

/** The `Anchored` event of a head, as a node tells it. */
export const logOf = ({ head }: AnchorRequest, previousBlock = 0) => ({
  topics: [ANCHORED, `0x${head.name}`],
  data: `0x${wordOf(head.size)}${head.root}${head.page}${wordOf(0)}${head.groups}${wordOf(Number(head.end))}${head.publicKey}${head.signature}${wordOf(1)}${wordOf(previousBlock)}`,
  transactionHash: `0x${head.root}`,
  blockHash: `0x${head.page}`,
})

/** What a node answers that does not do as it was asked (JSON-RPC 2.0 §5.1). */
export const rpcError = (code: number, message: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message } })

/** For the contract: the relay is that of the first. */
export function anchorHarness(chains: readonly FakeChainServer[], anchor: () => Anchor): AnchorHarness {
  const [first = new FakeChainServer()] = chains
  const each = (work: (chain: FakeChainServer) => unknown) => chains.forEach(work)
  return {
    anchor,
    async mine(request) {
      each((chain) => chain.mine(request))
    },
    async deepen() {
      each((chain) => (chain.blockNumber += 1))
    },
    async fault(fault) {
      if (fault === 'no-registry') each((chain) => chain.answers.clear())
      else if (fault === 'read-refused')
        each((chain) => (chain.rpcAnswer = { status: 400, body: rpcError(-32000, 'header not found') }))
      else if (fault === 'relay-refuses') first.relayAnswer = { status: 422, body: 'BadSignature' }
      else if (fault === 'relay-fails') first.relayAnswer = { body: '{"error":"insufficient funds for gas"}' }
    },
    handedOver: () => first.submitted.map(({ key }) => key),
  }
}
