import { encodeSessionsCall } from '../../../src/evidence/registry.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Anchor, AnchorRecord, AnchorRequest } from '../../ports/anchor.ts'
import { request, parseJsonObject, httpError, type Answer } from '../../http/request.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

export interface EvmOptions {
  /** Ethereum JSON-RPC, read only. */
  readonly rpcUrl: string
  /** Address of the `WitnessRegistry`. */
  readonly registry: string
  /** Signs and sends `updateSession`: GET gives its address, POST takes an anchor under an `Idempotency-Key`. */
  readonly relayUrl: string
  /** Headers for the relay, such as a sign-in. */
  readonly authorize?: Authorize
  /** Blocks that must hold the anchor, its own included. Default 2. */
  readonly depth?: number
  /** How often to look at the chain, ms. Default 2,000. */
  readonly pollMs?: number
}

/** An answer has 30 s to begin, and no silence longer than that; it is short. */
const LIMITS = { deadlineMs: 30_000, silenceMs: 30_000, answerMs: 60_000, maxBytes: 64 * 1024 }
const ADDRESS = /^0x[0-9a-fA-F]{40}$/

/** Anchors in a `WitnessRegistry` on an EVM chain. The relay's word counts for nothing: the chain is read. */
export function evm({
  rpcUrl,
  registry,
  relayUrl,
  authorize,
  depth = 2,
  pollMs = 2_000,
}: EvmOptions): Anchor {
  const rpc = async (method: string, params: readonly unknown[], signal: AbortSignal): Promise<string> => {
    const call = post({ jsonrpc: '2.0', id: 1, method, params })
    const answer = answerIn(await request(rpcUrl, call, { ...LIMITS, signal }))
    const { result, error = answer } = answer
    if (typeof result === 'string') return result
    throw new HoldfastError('bad-answer', `${method}: ${JSON.stringify(error)}`)
  }

  const relay = async ({ headers, ...init }: RequestInit, signal: AbortSignal) => {
    const answer = await withAuth(
      async (reason) => authorize?.({ reason }),
      (signIn) => request(relayUrl, { ...init, headers: { ...headers, ...signIn } }, { ...LIMITS, signal }),
      signal,
    )
    return answerIn(answer)
  }

  const sessionAt = async (calldata: string, block: string, signal: AbortSignal) => {
    const result = await rpc('eth_call', [{ to: registry, data: calldata }, block], signal)
    // At a block before the registry existed the answer is empty.
    return result === '0x' ? undefined : recordIn(result)
  }

  return {
    name: 'evm',
    pollMs,

    async uploader(signal) {
      const { address } = await relay({}, signal)
      if (typeof address === 'string' && ADDRESS.test(address)) return address
      throw new HoldfastError('bad-answer', 'The relay does not tell its address.')
    },

    async read(sessionId, signal) {
      const calldata = encodeSessionsCall(sessionId)
      const blockNumber = Number(await rpc('eth_blockNumber', [], signal))
      const latest = await sessionAt(calldata, hex(blockNumber), signal)
      const deepBlock = blockNumber - depth + 1
      const deep = latest && deepBlock >= 0 ? await sessionAt(calldata, hex(deepBlock), signal) : undefined
      return { blockNumber, ...(latest && { latest }), ...(deep && { deep }) }
    },

    async submit(anchor, signal) {
      await relay(post(anchor, { 'idempotency-key': keyOf(anchor) }), signal)
    },
  }
}

/**
 * What of the answer to `sessions(bytes32)` is compared with ours (Solidity ABI: 32-byte words; the third is the
 * offset of the string). Readers use `decodeSessions`, which checks every word and is four times as large: here a
 * wrong word is one that is not ours. Undefined where the creator is zero: nobody has registered the session.
 */
function recordIn(result: string): AnchorRecord | undefined {
  if (!/^0x([0-9a-f]{64}){7,}$/.test(result))
    throw new HoldfastError('bad-answer', 'The registry does not answer as the contract does.')
  const word = (digit: number) => result.slice(2 + digit, 66 + digit)
  const number = (digit: number) => Number(`0x${word(digit)}`)
  if (/^0+$/.test(word(0))) return undefined
  const string = 2 * number(128)
  const digits = result.slice(66 + string, 66 + string + 2 * number(string))
  const manifestCid = digits.replace(/../g, (byte) => String.fromCharCode(Number(`0x${byte}`)))
  return { merkleRoot: word(64), manifestCid, chunkCount: number(192) }
}

/** The manifest's address binds root, chunks and status: the same anchor has the same key. */
const keyOf = ({ sessionId, manifestCid }: AnchorRequest) => `${sessionId}/${manifestCid}`

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

const hex = (value: number) => `0x${value.toString(16)}`

function answerIn(answer: Answer) {
  if (answer.ok) return parseJsonObject(answer)
  const error = httpError(answer)
  throw error.code === 'rejected-by-store' ? new HoldfastError('anchor-rejected', error.message) : error
}
