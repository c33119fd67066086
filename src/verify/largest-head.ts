import type { SignedHead } from '../evidence/head.ts'
import { VerificationError } from './error.ts'
import type { HeadReport } from './head-report.ts'
import type { Pages } from './pages.ts'
import { pauses } from './pauses.ts'
import type { VerifiedSession } from './verified-session.ts'
import { rootsIn, viewOf } from './view.ts'

/**
 * The session by the largest of these heads that opens: who has the key can sign one for pages that nobody has. Those that
 * do not open are told beside it.
 *
 * @param heads at least one, the largest first
 * @param open gets one, and those that are no larger
 * @throws VerificationError of the largest, where none opens; whatever else `open` throws
 */
export async function openLargest(
  heads: readonly SignedHead[],
  open: (head: SignedHead, smaller: readonly SignedHead[]) => Promise<VerifiedSession>,
): Promise<VerifiedSession> {
  const closed: { readonly head: SignedHead; readonly error: VerificationError }[] = []
  for (const [at, head] of heads.entries()) {
    try {
      const session = await open(head, heads.slice(at + 1))
      const reports = closed.map(({ head, error }) => reportOf(head, 'not-followed', error.message))
      return closed.length > 0 ? { ...session, heads: [...session.heads, ...reports] } : session
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error
      closed.push({ head, error })
    }
  }
  throw closed[0]!.error
}

/** Those of smaller heads that this one does not go on from, as far as its pages tell. */
export async function branchesBeside(
  head: SignedHead,
  pages: Pages,
  smaller: readonly SignedHead[],
): Promise<readonly HeadReport[]> {
  const rising = [...smaller].reverse()
  const sizes = rising.map(({ size }) => size)
  const roots = await rootsIn(viewOf(head, pages).pages, sizes, pauses())
  return rising
    .filter(({ root }, at) => (roots[at] ?? root) !== root)
    .map((one) =>
      reportOf(
        one,
        'forked',
        'somebody has it as the newest, and the one that is read does not go on from it',
      ),
    )
}

const reportOf = ({ size, root }: SignedHead, verdict: HeadReport['verdict'], why: string): HeadReport => ({
  size,
  root,
  blockNumber: undefined,
  timeMs: undefined,
  verdict,
  why,
})
