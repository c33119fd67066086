import { BackendError } from './backend-error.ts'
import type { ServiceName } from './service-name.ts'

interface Scope {
  readonly service: ServiceName
  /**
   * Which requests: a part of, or an expression for, `path?query key`, where the key is the RPC methods (chain)
   * or the idempotency key (relay). All of the service's requests if absent.
   */
  readonly match?: string | RegExp
  /** Requests whose body, in its first 4 KiB as Latin-1, has this part or fits this expression. */
  readonly content?: string | RegExp
  /** Requests of this method alone; all methods if absent. */
  readonly method?: string
  /** How many requests; all that match if absent. */
  readonly times?: number
  /** How many that match are left alone first; default 0. */
  readonly skip?: number
}

/** Holds the answer until released. */
export interface HoldFault {
  readonly kind: 'hold'
  /**
   * `before` (default): the request was received in full and has no effect yet; it never has one if the client
   * is gone by the release. `after`: the effect is done, the answer is not sent.
   */
  readonly hold?: 'before' | 'after'
}

/** What a broken server does. */
export type Fault =
  /** Cuts the connection at once. */
  | { readonly kind: 'down' }
  /** Cuts the connection after so many body bytes (default 0), or at the body's end. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** Takes the whole request, never answers. Ends with the rule: the connection is cut. */
  | { readonly kind: 'stall' }
  | HoldFault
  /**
   * Reads the body slowly; the effect and the answer are honest. `cut`: whatever is still being read when the rule ends
   * is cut off there, also where the client died and the rest waits in the system's buffers.
   */
  | { readonly kind: 'slow'; readonly bytesPerSec: number; readonly cut?: boolean }
  /** Changes a byte of the body on its way, the one after so many (default 1,000); the answer is honest. */
  | { readonly kind: 'damage'; readonly atByte?: number }
  /**
   * Answers with this status. `retryAfter`: seconds, or a date. `headers`: whatever else; `{url}` in them is what was
   * asked for. `echo`: repeats the request's query and headers.
   */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly retryAfter?: number | Date | string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly echo?: boolean
    }
  /**
   * Answers wrongly, without effect: `add` with another valid CID, `pin/ls` that everything is pinned, `cat`
   * and the gateway with a flipped byte, the relay with a hash of no transaction, tus and resumable with an offset
   * that they did not reach, a presigned PUT with another checksum, Pinata with another CID. Not for the chain.
   */
  | { readonly kind: 'lie' }
  /** Answers 200 with an empty body, without effect. */
  | { readonly kind: 'empty' }
  /** Does the effect, then cuts the answer off in its middle. */
  | { readonly kind: 'truncate' }
  /** Does the effect, then cuts the connection without an answer. */
  | { readonly kind: 'forget-answer' }

export type FaultKind = Fault['kind']
export type FaultRule = Scope & Fault
export type HoldRule = Scope & HoldFault

const SERVICES: readonly string[] = [
  'ipfs',
  'gateway',
  'chain',
  'relay',
  'tus',
  'put',
  'pinata',
  'resumable',
] satisfies ServiceName[]
const KINDS: readonly string[] = [
  'down',
  'reset',
  'stall',
  'hold',
  'slow',
  'damage',
  'status',
  'lie',
  'empty',
  'truncate',
  'forget-answer',
] satisfies FaultKind[]

/** Refuse a rule that cannot be followed, with the reason. */
export function checkRule(rule: FaultRule): void {
  const problem = problemOf(rule)
  if (problem !== undefined) throw new BackendError('bad-rule', `Bad fault rule: ${problem}`)
}

function problemOf(rule: FaultRule): string | undefined {
  if (!SERVICES.includes(rule.service)) return `service must be one of ${SERVICES.join(', ')}`
  if (!KINDS.includes(rule.kind)) return `kind must be one of ${KINDS.join(', ')}`
  if (rule.times !== undefined && !isPositive(rule.times)) return 'times must be at least 1'
  if (rule.skip !== undefined && rule.skip !== 0 && !isPositive(rule.skip)) return 'skip must be at least 0'
  if (rule.kind === 'slow' && !isPositive(rule.bytesPerSec)) return 'bytesPerSec must be at least 1'
  if (rule.kind === 'status' && !(rule.status >= 200 && rule.status <= 599))
    return 'status must be 200 to 599'
  if (rule.kind === 'lie' && rule.service === 'chain') return 'the chain has no lie'
  return undefined
}

const isPositive = (value: unknown) => typeof value === 'number' && Number.isInteger(value) && value >= 1

/** A rule that arrived as JSON; `matchExpression` is the source of a regular expression for `match`. */
export function parseRule(value: unknown): FaultRule {
  if (typeof value !== 'object' || value === null || !('service' in value) || !('kind' in value)) {
    throw new BackendError('bad-rule', 'A fault rule is an object with service and kind')
  }
  const { matchExpression, ...rest } = value as FaultRule & { matchExpression?: string }
  const rule: FaultRule =
    matchExpression === undefined ? rest : { ...rest, match: new RegExp(matchExpression) }
  checkRule(rule)
  return rule
}

/** A request as rules see it. */
export interface Seen {
  readonly service: ServiceName
  readonly method: string
  /** `path?query key`. */
  readonly target: string
  /** How its body begins; empty where no rule asks for it. */
  readonly content: string
}

/** Whether the rule is about this request. */
export const matches = (rule: FaultRule, { service, method, target, content }: Seen): boolean =>
  rule.service === service &&
  (rule.method ?? method) === method &&
  isIn(target, rule.match) &&
  isIn(content, rule.content)

const isIn = (text: string, part: string | RegExp = '') =>
  typeof part === 'string' ? text.includes(part) : text.search(part) >= 0
