import {
  decodeSession,
  decodeTaken,
  encodeSessionsCall,
  quantity,
  topicOf,
  type EventLog,
} from '../../../src/evidence/registry.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import type { Anchor, AnchorRequest, Receipt, Witnessed, WitnessedHead } from '../../ports/anchor.ts'
import { triesOf } from '../../core/retry-policy.ts'
import { witnessByChain } from '../../engine/witness.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import { CHAIN_TIMEOUT_MS, MAX_NODE_ANSWER_BYTES } from '../../http/http-limits.ts'
import { codeOf, parseJsonObject, httpError, requestUrl, type Answer } from '../../http/request.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

export interface EvmOptions {
  /** Ethereum JSON-RPC of one node, read only. Several that must agree: `evmNodes` of `holdfast/sw/nodes`. */
  readonly rpcUrl: string
  /** Address of the `HeadRegistry`. */
  readonly registry: string
  /**
   * Pays for heads: POST takes one, under an `Idempotency-Key`. Of several each is handed the head in turn, until one
   * takes it. None (`[]`), where an account pays: `byAccount` of `holdfast/sw/account`.
   */
  readonly relayUrl: string | readonly string[]
  /** The chain's id (EIP-155). Where it is given, nothing is read from a node of another chain. */
  readonly chainId?: number | undefined
  /** Headers for the relay, such as a sign-in; each of several gets them. */
  readonly authorize?: Authorize | undefined
  /**
   * Blocks that must hold the head, its own included; or the newest block that the chain itself calls `safe` or
   * `finalized`. Default 2.
   */
  readonly depth?: number | 'safe' | 'finalized' | undefined
  /** How often to look at the chain, ms. Default 2,000. */
  readonly pollMs?: number | undefined
  /** Least time between two heads of a session, ms: what anchors may cost. Default 5,000. */
  readonly anchorEveryMs?: number | undefined
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

/**
 * Anchors in a `HeadRegistry` on an EVM chain. A relay's word counts for nothing: the chain is read.
 *
 * @throws HoldfastError `bad-input` where `rpcUrl` or `relayUrl` is no URL
 */
export function evm({
  rpcUrl,
  registry,
  relayUrl,
  chainId,
  authorize,
  depth = 2,
  pollMs = 2_000,
  anchorEveryMs: everyMs = 5_000,
}: EvmOptions): EvmAnchor {
  const http = adaptiveTimeout(CHAIN_TIMEOUT_MS)
  /** Each hand-over begins with the next of them, of the same head too: a relay may have taken it in vain. */
  const relays = [relayUrl].flat().map((url): Relay => ({ url: requestUrl(url).href }))
  requestUrl(rpcUrl)
  /** Null where the node knows no such thing. */
  const rpc = (signal: AbortSignal, method: string, ...params: unknown[]): Promise<unknown> => {
    const ask = async (): Promise<unknown> => {
      const answer = await http.request(rpcUrl, post({ jsonrpc: '2.0', id: 1, method, params }), {
        signal,
        maxBytes: MAX_NODE_ANSWER_BYTES,
      })
      const { id, result, error } = answer.ok ? parseJsonObject(answer) : { error: true }
      // JSON-RPC 2.0 §5; only an error may come under no id.
      if (error || result === undefined || id !== 1)
        throw httpError(answer, ` to ${method}`, error ? readCode(answer) : 'bad-answer')
      return result
    }
    // Behind one address there may be several machines, of which one fails.
    const another = (reason: HoldfastError) => {
      if (reason.retryAfterMs || !/server-error|bad-answer/.test(reason.code)) throw reason
      return ask()
    }
    return ask().catch(another).catch(another)
  }

  async function handOver(url: string, { head, groups }: AnchorRequest, signal: AbortSignal): Promise<void> {
    const answer = await withAuth(
      authorize,
      (signIn) =>
        http.request(
          url,
          post(
            { ...head, members: groups },
            { ...signIn, 'idempotency-key': `${head.name}/${head.size}/${head.root}` },
          ),
          { signal },
        ),
      signal,
    )
    const said = answer.ok ? parseJsonObject(answer) : undefined
    // Some relays tell under 200 that they did nothing: an `error` that says something (neither null, false, 0 nor an empty
    // text), an `ok` or `success` of false, 0, no or null, a `status` of error, failed, reverted or 0.
    const saysItDidNothing =
      /"(errors?":\[?([{t1-9-]|"[^"])|(ok|success)":"?[f0n]|status":"?(err|fa|rev|0(x0)?\b))/i
    if (!said || saysItDidNothing.test(answer.text.replace(/\s/g, ''))) {
      // In such words nodes and libraries tell of a transaction that may be under way. A page (`<`) has them for anything, and
      // so has who wants a sign-in or a pause.
      const isUnderWay =
        /^(?!40[13]|429)[^<]*(already|nonce[ ,]|underpriced|base fee|fee ?too|is full|existing|\bknown)/i.test(
          answer.status + answer.text,
        )
      if (isUnderWay) throw httpError(answer, '', 'anchor-unseen')
      if (said || codeOf(answer) === 'rejected-by-store') throw httpError(answer, '', 'anchor-rejected')
      throw httpError(answer)
    }
    // What is no number, such as `eip155:1`, names no chain: then the chain itself tells.
    const pays = identityOf(chainId && (Number(said['chainId']) || chainId), said['registry'] ?? registry)
    // It has been paid for in vain, and would be again.
    if (pays !== anchor.identity) throw wrongChain(`The relay is of ${pays.slice(0, 99)}.`)
  }

  const anchor: EvmAnchor = {
    name: 'evm',
    identity: identityOf(chainId, registry),
    witness: witnessByChain,
    pollMs,
    everyMs,

    async blocks(signal) {
      if (chainId) {
        const other = quantity(await rpc(signal, 'eth_chainId'))
        if (other !== Number(chainId)) throw wrongChain(`The node has chain ${other}, not ${chainId}.`)
      }
      const newest = quantity(await rpc(signal, 'eth_blockNumber'))
      if (typeof depth === 'number') return { newest, deep: newest - depth + 1 }
      const block = (await rpc(signal, 'eth_getBlockByNumber', depth, false)) as { number?: unknown } | null
      if (block === null) throw wrongChain(`The node has no ${depth} block.`)
      return { newest, deep: Math.min(newest, quantity(block.number)) }
    },

    async readAt(name, { newest, deep }, signal) {
      const at = (block: number) =>
        rpc(signal, 'eth_call', { to: registry, data: encodeSessionsCall(name) }, tag(block))
      // Side by side: on a slow link each answer waits behind what is being uploaded.
      const [found, below] = await Promise.all([at(newest), deep >= 0 ? at(deep) : '0x'])
      if (found === '0x') throw wrongChain(`There is no registry at ${registry}.`)
      return { blockNumber: newest, latest: headIn(found), deep: headIn(below) }
    },

    read: async (name, signal) => anchor.readAt(name, await anchor.blocks(signal), signal),

    async submit(request, signal) {
      const inTurn = [...relays]
      relays.push(...relays.splice(0, 1))
      for (const relay of inTurn) {
        if (performance.now() < relay.untilMs!) continue
        try {
          return await handOver(relay.url, request, signal)
        } catch (reason) {
          if (signal.aborted) throw reason
          relay.failure = HoldfastError.from(reason)
          relay.untilMs = performance.now() + relay.failure.retryAfterMs
        }
      }
      // What may be tried most often decides. The wait that a relay asks for is kept here: it holds up neither another one
      // nor what is read of the chain.
      const failures = inTurn.map(({ failure }) => failure!).sort((a, b) => triesOf(b.code) - triesOf(a.code))
      const [cause] = failures
      throw new HoldfastError(
        cause?.code ?? 'bad-input',
        failures.map(({ message }) => message).join(' ') || 'No relayUrl, no account.',
        { cause },
      )
    },

    async events(name, from, to, signal) {
      // Of any event of this session: the registry has one kind alone.
      const topic = topicOf(name)
      // What is no list of logs has none of this session.
      const logs = [
        await rpc(signal, 'eth_getLogs', {
          address: registry,
          fromBlock: tag(from),
          toBlock: tag(to),
          topics: [null, topic],
        }),
      ]
        .flat()
        .map(Object) as Told[]
      const isOurs = RegExp(`,${topic}(0x[\\da-f]{64}){2}$`, 'i')
      return logs.flatMap(({ removed, topics, data, transactionHash, blockHash }) =>
        // Nor what a reorganisation took back, of which some nodes tell all the same.
        !removed && isOurs.test(`${topics}${transactionHash}${blockHash}`)
          ? Object.assign(decodeTaken(`${data}`), {
              receipt: { transactionHash: `${transactionHash}`, blockHash: `${blockHash}` },
            })
          : [],
      )
    },
  }
  return anchor
}

interface Relay {
  readonly url: string
  /** How it failed last. */
  failure?: HoldfastError
  /** And how long it then wanted to be left alone (`Retry-After`), by the worker's own clock. */
  untilMs?: number
}

interface Told extends EventLog, Receipt {
  readonly removed?: boolean
}

const wrongChain = (message: string) => new HoldfastError('wrong-chain', message)

const identityOf = (chainId: unknown, registry: unknown) => `evm:${chainId ?? ''}:${registry}`.toLowerCase()

const tag = (block: number) => `0x${block.toString(16)}`

/** Undefined where nobody has brought a head, also at a block before the registry existed, where nothing (`0x`) is answered. */
const headIn = (answer: unknown): WitnessedHead | undefined =>
  answer === '0x' ? undefined : decodeSession(typeof answer === 'string' ? answer : '')

const post = (body: unknown, headers?: Readonly<Record<string, string>>) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { ...headers, 'content-type': 'application/json' },
})

/** A read that fails is nobody's refusal, whatever its status: time heals it. */
function readCode({ status, text }: Answer): ErrorCode {
  // Rate limits, which come under any status: EIP-1474 has -32005, providers their own words.
  if (/-32005|\b429|limit|too many/i.test(status + text)) return 'throttled'
  // A method that the node does not offer, which all of them call so, or a contract that is none of ours; pages have forms.
  return /^[^<]*(method|revert)/i.test(text) ? 'wrong-chain' : 'server-error'
}
