import { encodeAnchorCall } from '../evidence/anchor-call.ts'
import { groupsDigest, verifyHead, type SignedHead } from '../evidence/head.ts'
import { HoldfastError, type ErrorCode } from '../protocol/errors.ts'
import type { GroupId, Sha256Hex } from '../protocol/ids.ts'
import { isBeyond } from './contradictions.ts'
import { checkChain, checkObject, isHttpUrl, refuse } from './options.ts'
import { newestBlock, readRegistered } from './registered.ts'
import { request, type Limits } from './request.ts'
import type { Chain } from './rpc.ts'

/** A signed head, and the groups of its session in the order of the first entry. Plain data: it may be kept as JSON. */
export interface PortableHead {
  readonly head: SignedHead
  readonly groups: readonly { readonly id: GroupId; readonly tag: Sha256Hex }[]
}

/** Who pays: a relay (docs/guide.md), or whoever sends the call by itself. */
export type Carrier =
  | { readonly relay: { readonly url: string; readonly headers?: Readonly<Record<string, string>> } }
  /** Sends a transaction of any account, such as a wallet's; what it gives is handed on. */
  | { readonly send: (call: { readonly to: string; readonly data: string }) => Promise<unknown> }

export type AnchorHeadOptions = PortableHead &
  Carrier & {
    readonly chain: Chain
    /** Ends it, with the signal's reason. */
    readonly signal?: AbortSignal | undefined
    /** Longest silence of node or relay, in ms; 30 000 unless told otherwise. */
    readonly timeoutMs?: number | undefined
  }

/**
 * - `anchored`: the newest block has this head, or one that says all that it says; nothing was sent
 * - `handed-over`: it was brought; `answer` is the relay's, or what `send` gave. Whether the chain has it is not known:
 *   ask again until it is `anchored`
 */
export type AnchorHeadResult =
  | { readonly kind: 'anchored'; readonly size: number; readonly blockNumber: number }
  | { readonly kind: 'handed-over'; readonly answer: unknown }

const MAX_ANSWER_BYTES = 64 * 1024

/**
 * Brings a signed head to the registry, where its newest block lacks it: whoever holds one may, such as one that a
 * reorganisation took away, or that its phone had signed and never handed over. It costs its carrier and binds nobody.
 *
 * @throws VerificationError with `bad-input`, `chain-unreachable` or `chain-answer`; HoldfastError with `forked` where
 *   the chain has another head in its place, with `anchor-rejected`, `sign-in-needed`, `throttled`, `server-error` or
 *   `unreachable` of the relay; whatever `send` throws; the signal's reason when the caller aborts
 */
export async function anchorHead(options: AnchorHeadOptions): Promise<AnchorHeadResult> {
  checkObject(options)
  const { chain, timeoutMs } = checkChain(options.chain, options.timeoutMs)
  const limits = { timeoutMs, signal: options.signal }
  const carried = await checked(options)
  const { head, groups } = carried
  if ('relay' in options ? !isHttpUrl(options.relay?.url) : typeof options.send !== 'function')
    refuse('relay', '{ url } with an http(s) URL, or send a function')

  const newest = await readRegistered(chain, head.name, await newestBlock(chain, limits), limits)
  if (newest && isBeyond(newest))
    throw new HoldfastError('forked', `On the chain ${head.name} has more entries than any log.`)
  if (newest && newest.size >= head.size) {
    if (newest.size === head.size && (newest.root !== head.root || newest.page !== head.page))
      throw new HoldfastError(
        'forked',
        `The chain has another head of ${head.name} with ${head.size} entries.`,
      )
    return { kind: 'anchored', size: newest.size, blockNumber: newest.blockNumber }
  }
  if (newest?.end)
    throw new HoldfastError('forked', `On the chain ${head.name} has ended with ${newest.size} entries.`)
  const answer =
    'relay' in options
      ? await handTo(options.relay, carried, limits)
      : await options.send({ to: chain.registry, data: encodeAnchorCall(head, groups) })
  return { kind: 'handed-over', answer }
}

/** What is needed of it, and no more: relays refuse what they do not know. */
export const portable = (
  { name, size, root, page, previous, groups, end, publicKey, signature }: SignedHead,
  members: PortableHead['groups'],
): PortableHead => ({
  head: { name, size, root, page, previous, groups, end, publicKey, signature },
  groups: members.map(({ id, tag }) => ({ id, tag })),
})

async function checked({ head, groups }: PortableHead): Promise<PortableHead> {
  const isSigned = async () => verifyHead(head, head.publicKey, head.signature)
  // What is no hex, or no head at all, holds as little.
  if (!(await isSigned().catch(() => false))) refuse('head', 'one that the session’s key has signed')
  const digest = async () => groupsDigest(groups)
  if ((await digest().catch(() => undefined)) !== head.groups) refuse('groups', 'those that the head names')
  return portable(head, groups)
}

async function handTo(
  { url, headers }: { readonly url: string; readonly headers?: Readonly<Record<string, string>> },
  { head, groups }: PortableHead,
  limits: Limits,
): Promise<unknown> {
  const failure = (code: ErrorCode, what: string, cause?: unknown) =>
    // The host alone: the rest may hold a key.
    new HoldfastError(code, `The relay at ${new URL(url).host} ${what}`, { cause })
  const init = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'idempotency-key': `${head.name}/${head.size}/${head.root}`,
      ...headers,
    },
    body: JSON.stringify({ ...head, members: groups }),
  }
  const answer = await request(url, init, { ...limits, maxBytes: MAX_ANSWER_BYTES })
  switch (answer.kind) {
    case 'failed':
      throw failure('unreachable', `does not answer: ${answer.reason}`, answer.cause)
    case 'too-long':
      throw failure('bad-answer', `sent over ${MAX_ANSWER_BYTES} bytes.`)
    case 'status':
      throw failure(codeOf(answer.status), `answered HTTP ${answer.status}.`)
    case 'ok': {
      const text = new TextDecoder().decode(answer.body)
      const said = parseJsonObject(text)
      if (said === undefined) throw failure('bad-answer', 'answered something that is no JSON object.')
      // Some tell under 200 that they did nothing.
      if (said['error'] || said['success'] === false)
        // As it came: it may be nested deeper than can be written.
        throw failure('anchor-rejected', `refuses: ${text.slice(0, 200)}`)
      return said
    }
  }
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'sign-in-needed'
  if (status === 408 || status === 425 || status === 429) return 'throttled'
  return status >= 500 || status === 423 ? 'server-error' : 'anchor-rejected'
}

function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
