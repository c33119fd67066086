import { parseSignedHead } from '../evidence/head-parse.ts'
import { verifyHead, type SignedHead } from '../evidence/head.ts'
import { MAX_PAGE_BYTES } from '../evidence/limits.ts'
import { following } from '../protocol/following.ts'
import type { SessionName } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { followersOf } from './followers.ts'
import { inTime } from './in-time.ts'
import { isWebPage } from './objects.ts'
import { isFound, type ObjectSource } from './source.ts'

type Said =
  | { readonly kind: 'head'; readonly head: SignedHead }
  | { readonly kind: 'none' | 'wrong' | 'silent'; readonly reason: string }

/**
 * The signed heads of a session that sources have under its name, the largest first. Sources are not trusted: each can keep
 * a newer one back, and none can make one without the session's key. One that takes far longer than another with a head is
 * not waited for.
 *
 * @throws VerificationError with `gateway-unreachable`, `head-signature` (somebody has something else), `page-missing`;
 *   the signal's reason
 */
export async function newestHeads(
  sources: readonly ObjectSource[],
  name: SessionName,
  signal?: AbortSignal,
): Promise<readonly SignedHead[]> {
  const ending = following(signal)
  const follow = followersOf(ending.signal)
  const asked = sources.map((source) => askFor(source, name, follow().signal))
  const told = await inTime(asked, ({ kind }) => kind === 'head').finally(() => ending.abort())
  const said = told.map((one): Said => one ?? { kind: 'silent', reason: 'it took far longer than another' })
  const heads = said.flatMap((one) => (one.kind === 'head' ? one.head : []))
  const isFirst = (head: SignedHead, at: number) => heads.findIndex((one) => isSame(one, head)) === at
  if (heads.length > 0) return heads.filter(isFirst).sort((one, other) => other.size - one.size)
  const of = (kind: Said['kind']) => said.some((one) => one.kind === kind)
  const code = of('silent') ? 'gateway-unreachable' : of('wrong') ? 'head-signature' : 'page-missing'
  const words = said.map((one, at) => `${'reason' in one ? one.reason : ''}, asked of ${sources[at]!.name}`)
  throw new VerificationError(code, 'fetching the pages', `The newest head of ${name}: ${words.join('; ')}`)
}

const isSame = (one: SignedHead, other: SignedHead) =>
  one.size === other.size && one.root === other.root && one.page === other.page

async function askFor(source: ObjectSource, name: SessionName, signal: AbortSignal): Promise<Said> {
  if (!source.newestHead) return { kind: 'none', reason: 'it knows objects by their addresses alone' }
  let found: unknown
  try {
    // Longer than a head is: what else is answered there is to be told for what it is.
    found = await source.newestHead(name, { maxBytes: MAX_PAGE_BYTES, signal })
    if (!isFound(found)) return { kind: 'silent', reason: 'it gave what is no answer' }
    if (found.kind === 'too-long') return { kind: 'wrong', reason: 'what it has there is no head' }
    if (found.kind !== 'bytes') return { kind: found.kind, reason: found.reason }
  } catch (cause) {
    signal.throwIfAborted()
    return { kind: 'silent', reason: cause instanceof Error ? cause.message : String(cause) }
  }
  signal.throwIfAborted()
  if (isWebPage(found.bytes))
    return { kind: 'silent', reason: 'it answered a web page, as a sign-in of a network does' }
  try {
    const head = parseSignedHead(found.bytes)
    if (head.name === name && (await verifyHead(head, head.publicKey, head.signature)))
      return { kind: 'head', head }
    return { kind: 'wrong', reason: 'what it has there is not signed by the session’s key' }
  } catch (cause) {
    return { kind: 'wrong', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}
