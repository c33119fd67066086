import {
  decodeSession,
  encodeSessionsCall,
  isAnchorOf,
  topicOf,
  type EventLog,
} from '../../../src/evidence/registry.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import type { Anchor, Receipt, Witnessed, WitnessedHead } from '../../ports/anchor.ts'
import { witnessByChain } from '../../engine/witness.ts'
import { request, parseJsonObject, httpError, type Answer } from '../../http/request.ts'
import { noSignIn, withAuth, type Authorize } from '../../http/with-auth.ts'

export interface EvmOptions {
  /** Ethereum JSON-RPC of one node, read only. Several that must agree: `evmNodes` of `holdfast/sw/nodes`. */
  readonly rpcUrl: string
  /** Address of the `HeadRegistry`. */
  readonly registry: string
  /**
   * Pays for heads: POST takes one, under an `Idempotency-Key`. Of several each is handed the head in turn, until one
   * takes it.
   */
  readonly relayUrl: string | readonly string[]
  /** The chain's id (EIP-155). Where it is given, nothing is read from a node of another chain. */
  readonly chainId?: number
  /** Headers for the relay, such as a sign-in; each of several gets them. */
  readonly authorize?: Authorize
  /**
   * Blocks that must hold the head, its own included; or the newest block that the chain itself calls `safe` or
   * `finalized`. Default 2.
   */
  readonly depth?: number | 'safe' | 'finalized'
  /** How often to look at the chain, ms. Default 2,000. */
  readonly pollMs?: number
  /** Least time between two heads of a session, ms: what anchors may cost. Default 5,000. */
  readonly anchorEveryMs?: number
}

/** The blocks that are looked at: the node's newest, and the one at the wanted depth; below 0 where there is none yet. */
export interface Blocks {
  readonly newest: number
  readonly deep: number
}

/** An anchor on an EVM chain, whose reading can be taken apart: several nodes are compared at the same blocks. */
export interface EvmAnchor extends Anchor {
  blocks(signal: AbortSignal): Promise<Blocks>
  /** What the chain says of a session as if these blocks were the newest and the one at the wanted depth. */
  readAt(name: SessionName, blocks: Blocks, signal: AbortSignal): Promise<Witnessed>
}

/** An answer has 30 s to begin, and no silence longer than that; a block with its transactions is the longest. */
const LIMITS = { deadlineMs: 30_000, silenceMs: 30_000, answerMs: 60_000, maxBytes: 1024 * 1024 }
/** Rate limits, which come under any status: EIP-1474 has -32005, providers their own words. */
const LIMITED = /-32005|429|rate.?limit/i
/** A method that the node does not offer (JSON-RPC 2.0: -32601), or a contract that is none of ours. */
const UNFIT = /-32601|method|revert/i

/** Anchors in a `HeadRegistry` on an EVM chain. A relay's word counts for nothing: the chain is read. */
export function evm({
  rpcUrl,
  registry,
  relayUrl,
  chainId,
  authorize = noSignIn,
  depth = 2,
  pollMs = 2_000,
  anchorEveryMs: everyMs = 5_000,
}: EvmOptions): EvmAnchor {
  /** Null where the node knows no such thing. */
  const rpc = async (signal: AbortSignal, method: string, ...params: unknown[]): Promise<unknown> => {
    const answer = await ask(rpcUrl, post({ jsonrpc: '2.0', id: 1, method, params }), signal)
    const { result, error } = told(answer)
    if (result !== undefined) return result
    throw httpError(answer, ` to ${method}`, error ? readCode(answer) : 'bad-answer')
  }

  const anchor: EvmAnchor = {
    name: 'evm',
    identity: `evm:${chainId ?? ''}:${registry.toLowerCase()}`,
    witness: witnessByChain,
    pollMs,
    everyMs,

    async blocks(signal) {
      if (chainId) {
        const other = Number(await rpc(signal, 'eth_chainId'))
        if (other !== chainId) throw wrongChain(`The node is of chain ${other}, not ${chainId}.`)
      }
      const newest = Number(await rpc(signal, 'eth_blockNumber'))
      if (typeof depth === 'number') return { newest, deep: newest - depth + 1 }
      const block = (await rpc(signal, 'eth_getBlockByNumber', depth, false)) as { number: string } | null
      if (block === null) throw wrongChain(`The node knows no ${depth} block.`)
      return { newest, deep: Math.min(newest, Number(block.number)) }
    },

    async readAt(name, { newest, deep }, signal) {
      const at = async (block: number) =>
        String(await rpc(signal, 'eth_call', { to: registry, data: encodeSessionsCall(name) }, tag(block)))
      // Side by side: on a slow link each answer waits behind what is being uploaded.
      const [found, below] = await Promise.all([at(newest), deep >= 0 ? at(deep) : '0x'])
      if (found === '0x') throw wrongChain(`There is no registry at ${registry}.`)
      return { blockNumber: newest, latest: headIn(found), deep: headIn(below) }
    },

    read: async (name, signal) => anchor.readAt(name, await anchor.blocks(signal), signal),

    async submit({ head, groups }, signal) {
      const init = post({ ...head, members: groups }, `${head.name}/${head.size}/${head.root}`)
      let failure: unknown
      for (const url of [relayUrl].flat()) {
        try {
          const { chainId: on = chainId, registry: at = registry } = await hand(url, init, authorize, signal)
          // It has been paid for in vain, and would be again.
          if ((chainId && Number(on) !== chainId) || `${at}`.toLowerCase() !== registry.toLowerCase())
            throw wrongChain(`The relay pays on chain ${on}, for ${at}.`)
          return
        } catch (error) {
          // After a stop the others fail at once.
          failure = error
        }
      }
      throw failure
    },

    async receipt(name, head, signal) {
      const block = tag(head.blockNumber)
      // Of any event of this session: what it says is looked at below.
      const topics = [null, topicOf(name)]
      const filter = { address: registry, fromBlock: block, toBlock: block, topics }
      const logs = (await rpc(signal, 'eth_getLogs', filter)) as readonly Log[]
      const log = logs.find((each) => isAnchorOf(each, head))
      return log && { transactionHash: log.transactionHash, blockHash: log.blockHash }
    },
  }
  return anchor
}

type Log = EventLog & Pick<Receipt, 'transactionHash' | 'blockHash'>

const wrongChain = (message: string) => new HoldfastError('wrong-chain', message)

const tag = (block: number) => `0x${block.toString(16)}`

/** Undefined where nobody has brought a head, also at a block before the registry existed: it answers nothing. */
const headIn = (answer: string): WitnessedHead | undefined =>
  answer === '0x' ? undefined : decodeSession(answer)

/**
 * What the relay says of a head that it takes.
 *
 * @throws HoldfastError where it does not take it
 */
async function hand(url: string, init: RequestInit, authorize: Authorize, signal: AbortSignal) {
  const answer = await withAuth(
    authorize,
    (signIn) => ask(url, { ...init, headers: { ...init.headers, ...signIn } as HeadersInit }, signal),
    signal,
  )
  const said = told(answer)
  const { error, success } = said
  // Some tell under 200 that they did nothing.
  if (error || success === false) {
    const { code } = httpError(answer)
    throw httpError(answer, '', answer.ok || code === 'rejected-by-store' ? 'anchor-rejected' : code)
  }
  return said
}

const post = (body: unknown, key?: string) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
})

const ask = (url: string, init: RequestInit, signal: AbortSignal) => request(url, init, { ...LIMITS, signal })

const told = (answer: Answer): Readonly<Record<string, unknown>> =>
  answer.ok ? parseJsonObject(answer) : { error: true }

/** A read that fails is nobody's refusal, whatever its status: time heals it. */
const readCode = ({ status, text }: Answer): ErrorCode =>
  LIMITED.test(status + text) ? 'throttled' : UNFIT.test(text) ? 'wrong-chain' : 'server-error'
