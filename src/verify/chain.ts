import {
  decodeInGroup,
  decodeSessions,
  encodeInGroupCall,
  encodeSessionsCall,
  type RegistryRecord,
} from '../evidence/registry.ts'
import type { GroupId, SessionId } from '../protocol/ids.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { request, type Limits } from './request.ts'

/** Where the registry is; `rpcUrl` should be a node that you trust, or your own. */
export interface Chain {
  readonly rpcUrl: string
  /** `0x` and 40 hex digits. */
  readonly registry: string
}

/** Far more than any record takes. */
const MAX_ANSWER_BYTES = 64 * 1024

function parsed(body: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder().decode(body))
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** One `eth_call` of the registry at the latest block (Ethereum JSON-RPC), its result passed to `decode`. */
async function call<Value>(
  chain: Chain,
  data: string,
  decode: (result: string) => Value,
  step: VerificationStep,
  limits: Limits,
): Promise<Value> {
  // The host alone: the rest of an RPC URL is often an API key.
  const node = new URL(chain.rpcUrl).host
  const failure = (code: 'chain-unreachable' | 'chain-answer', what: string, cause?: unknown) =>
    new VerificationError(code, step, `The chain's node at ${node} ${what}`, { cause })
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'eth_call',
    params: [{ to: chain.registry, data }, 'latest'],
  })
  const answer = await request(
    chain.rpcUrl,
    { method: 'POST', headers: { 'content-type': 'application/json' }, body },
    { ...limits, maxBytes: MAX_ANSWER_BYTES },
  )
  if (answer.kind === 'failed')
    throw failure('chain-unreachable', `is unreachable: ${answer.reason}`, answer.cause)
  if (answer.kind === 'status') throw failure('chain-unreachable', `answered HTTP ${answer.status}`)
  if (answer.kind === 'too-long') throw failure('chain-answer', `sent over ${MAX_ANSWER_BYTES} bytes`)
  let reply: Record<string, unknown>
  try {
    reply = parsed(answer.body)
  } catch (cause) {
    throw failure('chain-unreachable', 'answered something that is not JSON', cause)
  }
  if (typeof reply['result'] !== 'string') {
    const told = JSON.stringify(reply['error'] ?? null).slice(0, 200)
    throw failure('chain-answer', `did not run the call to ${chain.registry}: ${told}`)
  }
  try {
    return decode(reply['result'])
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw failure('chain-answer', `ran the call to ${chain.registry}, but: ${why}`, cause)
  }
}

/** What the registry holds of a session; undefined where it knows none. */
export const readRecord = (
  chain: Chain,
  sessionId: SessionId,
  limits: Limits,
): Promise<RegistryRecord | undefined> =>
  call(chain, encodeSessionsCall(sessionId), decodeSessions, 'reading the registry', limits)

/** Whether the registry binds this session to this group. */
export const readInGroup = (
  chain: Chain,
  sessionId: SessionId,
  groupId: GroupId,
  limits: Limits,
): Promise<boolean> =>
  call(chain, encodeInGroupCall(sessionId, groupId), decodeInGroup, 'checking the group', limits)
