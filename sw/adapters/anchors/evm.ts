import { decodeSessions, encodeSessionsCall } from '../../../src/evidence/registry.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { SessionId } from '../../../src/protocol/ids.ts'
import type { Anchor, AnchorRecord, Witnessed } from '../../ports/anchor.ts'
import { request, parseJsonObject, httpError, type Answer } from '../../http/request.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

export interface EvmOptions {
  /** Ethereum JSON-RPC of one node, read only. Several that must agree: `evmNodes` of `holdfast/sw/nodes`. */
  readonly rpcUrl: string
  /** Address of the `WitnessRegistry`. */
  readonly registry: string
  /** Signs and sends `updateSession`: GET gives its address, POST takes an anchor under an `Idempotency-Key`. */
  readonly relayUrl: string
  /** The chain's id (EIP-155). Where it is given, nothing is read from a node of another chain. */
  readonly chainId?: number
  /** Headers for the relay, such as a sign-in. */
  readonly authorize?: Authorize
  /** Blocks that must hold the anchor, its own included. Default 2. */
  readonly depth?: number
  /** How often to look at the chain, ms. Default 2,000. */
  readonly pollMs?: number
}

/** An anchor on an EVM chain, whose reading can be taken apart: several nodes are compared at one block. */
export interface EvmAnchor extends Anchor {
  /** The number of the node's newest block. */
  head(signal: AbortSignal): Promise<number>
  /** What the chain says of a session as if this block were the newest. */
  readAt(sessionId: SessionId, blockNumber: number, signal: AbortSignal): Promise<Witnessed>
}

/** An answer has 30 s to begin, and no silence longer than that; it is short. */
const LIMITS = { deadlineMs: 30_000, silenceMs: 30_000, answerMs: 60_000, maxBytes: 64 * 1024 }
const ADDRESS = /^0x[0-9a-f]{40}$/i
/** Rate limits, which come under any status: EIP-1474 has -32005, providers their own words. */
const LIMITED = /-32005|429|rate.?limit/i
/** A method that the node does not offer (JSON-RPC 2.0: -32601), or a contract that is none of ours. */
const UNFIT = /-32601|method|revert/i

/** Anchors in a `WitnessRegistry` on an EVM chain. The relay's word counts for nothing: the chain is read. */
export function evm({
  rpcUrl,
  registry,
  relayUrl,
  chainId,
  authorize,
  depth = 2,
  pollMs = 2_000,
}: EvmOptions): EvmAnchor {
  const rpc = async (method: string, params: readonly unknown[], signal: AbortSignal): Promise<string> => {
    const answer = await ask(rpcUrl, post({ jsonrpc: '2.0', id: 1, method, params }), signal)
    const { result, error } = told(answer)
    if (typeof result === 'string') return result
    throw httpError(answer, '', error ? readCode(answer) : 'bad-answer')
  }

  const chainOf = async (signal: AbortSignal) => Number(await rpc('eth_chainId', [], signal))

  const relay = async (signal: AbortSignal, init?: ReturnType<typeof post>) => {
    const answer = await withAuth(
      async (reason) => authorize?.({ reason }),
      (signIn) => ask(relayUrl, { ...init, headers: { ...init?.headers, ...signIn } }, signal),
      signal,
    )
    const answered = told(answer)
    const { error, success, registry: itsRegistry, chainId: itsChain } = answered
    // Some tell under 200 that they did nothing.
    if (error || success === false) {
      const { code } = httpError(answer)
      const isRefusal = answer.ok || code === 'rejected-by-store'
      throw httpError(answer, '', isRefusal ? 'anchor-rejected' : code)
    }
    if (itsRegistry) same('registry of the relay', String(itsRegistry), registry)
    if (itsChain) same('chain of the relay', Number(itsChain), chainId ?? (await chainOf(signal)))
    return answered
  }

  const anchor: EvmAnchor = {
    name: 'evm',
    pollMs,

    async uploader(signal) {
      const address = String((await relay(signal))['address'])
      if (ADDRESS.test(address)) return address
      throw new HoldfastError('bad-answer', 'This is no answer of the relay.')
    },

    async head(signal) {
      if (chainId) same('chain of the node', await chainOf(signal), chainId)
      return Number(await rpc('eth_blockNumber', [], signal))
    },

    async readAt(sessionId, blockNumber, signal) {
      const data = encodeSessionsCall(sessionId)
      const at = (block: number) =>
        rpc('eth_call', [{ to: registry, data }, `0x${block.toString(16)}`], signal)
      const newest = await at(blockNumber)
      if (newest === '0x')
        throw new HoldfastError(
          'wrong-chain',
          `There is no registry at ${registry}: check rpcUrl and registry.`,
        )
      const latest = recordIn(newest)
      const deepBlock = blockNumber - depth + 1
      const deep = latest && deepBlock >= 0 ? recordIn(await at(deepBlock)) : undefined
      return { blockNumber, ...(latest && { latest }), ...(deep && { deep }) }
    },

    read: async (sessionId, signal) => anchor.readAt(sessionId, await anchor.head(signal), signal),

    async submit(request, signal) {
      // The manifest's address binds root, chunks and status: the same anchor has the same key.
      const key = `${request.sessionId}/${request.manifestCid}`
      await relay(signal, post(request, { 'idempotency-key': key }))
    },
  }
  return anchor
}

/** @throws HoldfastError `wrong-chain` where what was told is not what the worker is set up for */
function same(what: string, told: string | number, ours: string | number): void {
  if (`${told}`.toLowerCase() !== `${ours}`.toLowerCase())
    throw new HoldfastError('wrong-chain', `The ${what} is ${told}, not ${ours}.`)
}

/** Undefined where nobody has registered the session, also at a block before the registry existed: it answers nothing. */
function recordIn(answer: string): AnchorRecord | undefined {
  const record = answer === '0x' ? undefined : decodeSessions(answer)
  if (record === undefined) return undefined
  const { creator, merkleRoot, manifestCid, chunkCount } = record
  return { creator, merkleRoot, manifestCid, chunkCount }
}

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

const ask = (url: string, init: RequestInit, signal: AbortSignal) => request(url, init, { ...LIMITS, signal })

const told = (answer: Answer): Readonly<Record<string, unknown>> =>
  answer.ok ? parseJsonObject(answer) : { error: true }

/** A read that fails is nobody's refusal, whatever its status: time heals it. */
const readCode = ({ status, text }: Answer): ErrorCode =>
  LIMITED.test(status + text) ? 'throttled' : UNFIT.test(text) ? 'wrong-chain' : 'server-error'
