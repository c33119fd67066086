import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cid, GroupId, SessionId, Sha256Hex } from '../../src/protocol/ids.ts'
import type { AnchorHarness } from '../contracts/anchor.contract.ts'
import type { Anchor, AnchorRequest } from '../ports/anchor.ts'

export const REGISTRY = `0x${'5'.repeat(40)}`
export const SIGNER = `0x${'aB'.repeat(20)}`
export const CHAIN_ID = 31_337
export const SESSION_ID = '00000000-0000-4000-8000-000000000001' as SessionId

/** An anchor whose fields all come from one digit. */
export const anchorOf = (digit: string): AnchorRequest => ({
  sessionId: SESSION_ID,
  merkleRoot: digit.repeat(64) as Sha256Hex,
  manifestCid: `b${digit.repeat(58)}` as Cid,
  chunkCount: Number(digit),
  groupIds: [`0x${'1'.repeat(64)}` as GroupId],
})

/** The same as the chain tells it. */
export const recordOf = ({ merkleRoot, manifestCid, chunkCount }: AnchorRequest) => ({
  creator: SIGNER.toLowerCase(),
  merkleRoot,
  manifestCid,
  chunkCount,
})

const word = (value: number | string) =>
  (typeof value === 'number' ? value.toString(16) : value).padStart(64, '0')

/** What `sessions(bytes32)` returns, as the Solidity ABI encodes it. */
export function encoded({ merkleRoot, manifestCid, chunkCount }: AnchorRequest): string {
  const text = Buffer.from(manifestCid).toString('hex')
  const padded = text.padEnd(Math.ceil(text.length / 64) * 64, '0')
  return `0x${[word(SIGNER.slice(2).toLowerCase()), merkleRoot, word(6 * 32), word(chunkCount), word(1), word(2), word(manifestCid.length), padded].join('')}`
}
const NOBODY = `0x${[0, 0, 6 * 32, 0, 0, 0, 0].map(word).join('')}`

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
  relayAnswer: Answered = { body: JSON.stringify({ address: SIGNER }) }
  /** So many requests to the node come in, and are never answered. */
  hangs = 0
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[] = []
  readonly submitted: { readonly key: string | undefined; readonly body: unknown }[] = []
  readonly server = createServer((request, response) => {
    void this.answer(request).then(({ status = 200, headers = {}, body }) =>
      response.writeHead(status, headers).end(body),
    )
  })

  async answer(request: IncomingMessage): Promise<Answered> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
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
    const result =
      call.method === 'eth_call'
        ? this.at(block)
        : `0x${(call.method === 'eth_chainId' ? this.chainId : this.blockNumber).toString(16)}`
    return { body: JSON.stringify({ jsonrpc: '2.0', id: 1, result }) }
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

/** What a node answers that does not do as it was asked (JSON-RPC 2.0 §5.1). */
export const rpcError = (code: number, message: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code, message } })

/** For the contract: the relay is that of the first. */
export function anchorHarness(chains: readonly FakeChainServer[], anchor: () => Anchor): AnchorHarness {
  const [first = new FakeChainServer()] = chains
  const each = (work: (chain: FakeChainServer) => unknown) => chains.forEach(work)
  return {
    anchor,
    signer: SIGNER,
    async mine(request) {
      each((chain) => chain.answers.set((chain.blockNumber += 1), encoded(request)))
    },
    async deepen() {
      each((chain) => (chain.blockNumber += 1))
    },
    async fault(fault) {
      if (fault === 'no-registry') each((chain) => chain.answers.clear())
      else if (fault === 'read-refused')
        each((chain) => (chain.rpcAnswer = { status: 400, body: rpcError(-32000, 'header not found') }))
      else if (fault === 'relay-refuses') first.relayAnswer = { status: 422, body: 'ChunkCountFell' }
      else first.relayAnswer = { body: '{"error":"insufficient funds for gas"}' }
    },
    handedOver: () => first.submitted.map(({ key }) => key),
  }
}
