import { sha256Hex } from '../evidence/digest.ts'
import { parseSignedHead } from '../evidence/head-parse.ts'
import type { SignedHead } from '../evidence/head.ts'
import { MAX_PAGE_BYTES } from '../evidence/limits.ts'
import { pageCid } from '../evidence/page.ts'
import type { Cid } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { Objects } from './objects.ts'

/**
 * The signed head at this address; whether it holds is not looked at.
 *
 * @throws VerificationError with `page-missing`, `page-address`, `page-malformed` or `gateway-unreachable`; the signal's reason
 */
export async function fetchHead(
  objects: Objects,
  cid: Cid,
  signal: AbortSignal | undefined,
): Promise<SignedHead> {
  const fetched = await objects.fetch({
    cid,
    kind: 'page',
    what: `Head ${cid}`,
    // Longer than a head is: what else is answered there is to be told for what it is.
    maxBytes: MAX_PAGE_BYTES,
    signal,
    async wrong(bytes) {
      const found = pageCid(await sha256Hex(bytes))
      return found === cid ? undefined : `the address should be ${cid}, found ${found}`
    },
    codes: { missing: 'page-missing', wrong: 'page-address' },
    steps: { fetching: 'fetching the pages', checking: 'checking the log' },
  })
  if (fetched.kind === 'failed') throw fetched.error
  try {
    return parseSignedHead(fetched.bytes)
  } catch (cause) {
    const what = `Head ${cid}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new VerificationError('page-malformed', 'checking the log', what, { cause })
  }
}
