import { VerificationError } from './error.ts'
import { request, type Limits } from './request.ts'

/** Where the registry is; `rpcUrl` should be a node that you trust, or your own. */
export interface Chain {
  readonly rpcUrl: string
  /** `0x` and 40 hex digits. */
  readonly registry: string
}

/** A node's answer: the result, or that it will not say, which asking for less may change. */
export type RpcAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'refused'; readonly error: VerificationError }

const STEP = 'reading the registry'

/** Some thousands of heads in one answer; more are asked for in parts. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Rate limits, and blocks that one of several machines behind a name does not have yet: these say nothing of the chain. */
const PASSING = /-32005|429|rate.?limit|limit exceeded|too many|header not found|unknown block|timed? ?out/i

// The host alone: the rest of an RPC URL is often an API key.
export const hostOf = ({ rpcUrl }: Chain) => new URL(rpcUrl).host

/** `chain-answer`: the node said what no honest node of this chain and registry would. */
export const badAnswer = (chain: Chain, what: string, cause?: unknown): VerificationError =>
  new VerificationError(
    'chain-answer',
    STEP,
    `The chain's node at ${hostOf(chain)}, asked about ${chain.registry}: ${what}`,
    { cause },
  )

function parsed(body: Uint8Array): Record<string, unknown> {
  const value: unknown = JSON.parse(new TextDecoder().decode(body))
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/**
 * One call of a node (Ethereum JSON-RPC).
 *
 * @throws VerificationError with `chain-unreachable` where no answer came at all
 */
export async function ask(
  chain: Chain,
  method: string,
  params: readonly unknown[],
  limits: Limits,
): Promise<RpcAnswer> {
  const unreachable = (what: string, cause?: unknown) =>
    new VerificationError('chain-unreachable', STEP, `The chain's node at ${hostOf(chain)} ${what}`, {
      cause,
    })
  const refused = (error: VerificationError): RpcAnswer => ({ kind: 'refused', error })
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const answer = await request(chain.rpcUrl, init, { ...limits, maxBytes: MAX_ANSWER_BYTES })
  if (answer.kind === 'failed') throw unreachable(`is unreachable: ${answer.reason}`, answer.cause)
  if (answer.kind === 'status') return refused(unreachable(`answered HTTP ${answer.status} to ${method}`))
  if (answer.kind === 'too-long')
    return refused(badAnswer(chain, `it sent over ${MAX_ANSWER_BYTES} bytes to ${method}`))
  let reply: Record<string, unknown>
  try {
    reply = parsed(answer.body)
  } catch (cause) {
    throw unreachable('answered something that is not JSON', cause)
  }
  // What a proxy kept of somebody else's question is no answer to this one.
  if (reply['id'] !== 1 && reply['error'] === undefined)
    return refused(badAnswer(chain, `its answer to ${method} is another question's`))
  if (reply['result'] === undefined || reply['result'] === null) {
    const told = shown(reply['error'] ?? null, 200)
    const what = `does not answer ${method}: ${told}`
    return refused(PASSING.test(told) ? unreachable(what) : badAnswer(chain, `it ${what}`))
  }
  return { kind: 'result', result: reply['result'] }
}

/**
 * The result of a call that an honest node never refuses.
 *
 * @throws VerificationError with `chain-unreachable` or `chain-answer`
 */
export async function resultOf(
  chain: Chain,
  method: string,
  params: readonly unknown[],
  limits: Limits,
): Promise<unknown> {
  const answer = await ask(chain, method, params, limits)
  if (answer.kind === 'refused') throw answer.error
  return answer.result
}

export const quantity = (value: number): string => `0x${value.toString(16)}`

/**
 * A number in the answer of a node (a "quantity").
 *
 * @throws VerificationError with `chain-answer` for anything else, and for what is beyond 2^53
 */
export function numberOf(chain: Chain, value: unknown, what: string): number {
  const number = typeof value === 'string' && /^0x[0-9a-f]{1,16}$/i.test(value) ? Number(value) : NaN
  if (!Number.isSafeInteger(number))
    throw badAnswer(chain, `${what} should be a number, found ${shown(value, 80)}`)
  return number
}

/** The beginning of what a node said: it may be nested deeper than can be written. */
function shown(value: unknown, length: number): string {
  try {
    return String(JSON.stringify(value)).slice(0, length)
  } catch {
    return 'what cannot be written'
  }
}
