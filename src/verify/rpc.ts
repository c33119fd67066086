import { following } from '../protocol/following.ts'
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
  | {
      readonly kind: 'refused'
      readonly error: VerificationError
      /** It is busy: how long it wants to be left alone, ms; 0 where it says nothing of that. */
      readonly busyMs?: number | undefined
    }

const STEP = 'reading the registry'

/** Some thousands of heads in one answer; more are asked for in parts. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/**
 * Rate limits, failures of the node's own, and blocks that one of several machines behind a name does not have yet, or no
 * more: these say nothing of the chain.
 */
const PASSING =
  /-32005|limit|too many|credits|internal error|cannot fulfill|suitable provider|timed? ?out|(header|block).{0,30}not found|unknown block|unfinalized|state.{0,99}available/i

/** By its words. A code alone may mean that too much was asked for, which waiting does not change. */
const BUSY = /\b429\b|rate.?limit|too many requests|per second|\/sec/i

/** So long a node that is busy is asked again, ms: a reader asks more at once than many a free one answers in a second. */
const PATIENCE_MS = 30_000
const FIRST_WAIT_MS = 500

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

/** What an answer says by name. */
type Fields = Readonly<Record<string, unknown>>

/** It is looked at where it is: to copy a text of 15 MB, which has a name for each character, takes a minute. */
const hasFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function parsed(body: Uint8Array): Fields {
  const value: unknown = JSON.parse(new TextDecoder().decode(body))
  return hasFields(value) ? value : {}
}

/**
 * One call of a node (Ethereum JSON-RPC), once more where that is busy: after ever longer, or when it says.
 *
 * @throws VerificationError with `chain-unreachable` where no answer came at all
 */
export async function ask(
  chain: Chain,
  method: string,
  params: readonly unknown[],
  limits: Limits,
): Promise<RpcAnswer> {
  const endMs = performance.now() + PATIENCE_MS
  for (let leastMs = FIRST_WAIT_MS; ; leastMs *= 2) {
    const answer = await askOnce(chain, method, params, limits)
    const busyMs = answer.kind === 'refused' ? answer.busyMs : undefined
    const waitMs = Math.max(leastMs, busyMs ?? Infinity)
    if (performance.now() + waitMs > endMs) return answer
    await sleep(waitMs, limits.signal)
  }
}

/** @throws the signal's reason */
async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const over = following(signal)
  const timer = setTimeout(() => over.abort(), ms)
  await new Promise((resolve) => over.signal.addEventListener('abort', resolve))
  clearTimeout(timer)
  signal?.throwIfAborted()
}

async function askOnce(
  chain: Chain,
  method: string,
  params: readonly unknown[],
  limits: Limits,
): Promise<RpcAnswer> {
  const unreachable = (what: string, cause?: unknown) =>
    new VerificationError('chain-unreachable', STEP, `The chain's node at ${hostOf(chain)} ${what}`, {
      cause,
    })
  const refused = (error: VerificationError, busyMs?: number): RpcAnswer => ({
    kind: 'refused',
    error,
    busyMs,
  })
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  const answer = await request(chain.rpcUrl, init, { ...limits, maxBytes: MAX_ANSWER_BYTES })
  if (answer.kind === 'failed') throw unreachable(`is unreachable: ${answer.reason}`, answer.cause)
  if (answer.kind === 'status') {
    const { status, retryAfterMs = status === 429 ? 0 : undefined } = answer
    return refused(unreachable(`answered HTTP ${status} to ${method}`), retryAfterMs)
  }
  if (answer.kind === 'too-long')
    return refused(badAnswer(chain, `it sent over ${MAX_ANSWER_BYTES} bytes to ${method}`))
  let reply: Fields
  try {
    reply = parsed(answer.body)
  } catch (cause) {
    throw unreachable('answered something that is not JSON', cause)
  }
  const { id, result, error } = reply
  // What a proxy kept of somebody else's question is no answer to this one.
  if (id !== 1 && !error) return refused(badAnswer(chain, `its answer to ${method} is another question's`))
  // Nor is what comes beside an error (JSON-RPC 2.0 §5).
  if (error || result === undefined || result === null) {
    const told = shown(error ?? null, 200)
    const what = `does not answer ${method}: ${told}`
    if (BUSY.test(told)) return refused(unreachable(what), 0)
    return refused(PASSING.test(told) ? unreachable(what) : badAnswer(chain, `it ${what}`))
  }
  return { kind: 'result', result }
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

/**
 * What a node says by name.
 *
 * @throws VerificationError with `chain-answer` for what has no names
 */
export function fieldsOf(chain: Chain, value: unknown, what: string): Fields {
  if (!hasFields(value)) throw badAnswer(chain, `${what} should be an object, found ${shown(value, 80)}`)
  return value
}

/** The beginning of what a node said: it may be nested deeper than can be written. */
function shown(value: unknown, length: number): string {
  try {
    return String(JSON.stringify(value)).slice(0, length)
  } catch {
    return 'what cannot be written'
  }
}
