import { sha256Hex } from '../../src/evidence/digest.ts'
import { groupsDigest, serialiseSignedHead } from '../../src/evidence/head.ts'
import { pageCid } from '../../src/evidence/page.ts'
import type { SessionRecord } from '../core/record.ts'
import { isRecent } from '../core/retry-policy.ts'
import { change } from './change.ts'
import { nowOf, type Context } from './context.ts'
import { deliverFor, type Delivery } from './deliver.ts'
import { headAt } from './listing.ts'

/**
 * Where there is no anchor: brings the newest head of a session to its store, as an object like any other. Once the
 * store was proved to have it, what it lists is confirmed, as it is by a chain.
 */
export async function publishHead(
  context: Context,
  session: SessionRecord,
  signal: AbortSignal,
): Promise<void> {
  const { id, name, publicKey, access, listed, witnessing, anchored } = session
  const head = await headAt(context, id, listed.tree.size)
  const { size, root, page } = head
  const groups = await groupsDigest(access)
  const bytes = serialiseSignedHead({ ...head, name, publicKey, groups })
  const sha256 = await sha256Hex(bytes)
  const address = pageCid(sha256)
  const isHeld = anchored?.address === address
  // What is proved after its entry was listed finds the head there already.
  if (!isHeld || !isRecent(anchored.confirmedAtMs, nowOf(context.clock))) {
    const sent = witnessing.sent || witnessing.submitted === size
    const delivery: Delivery = {
      sent,
      // Of a copy that was proved long ago nothing is known.
      resumeToken: sent && !isHeld ? witnessing.resumeToken : undefined,
      bytes: async () => bytes,
      record: (event) => change(context, id, { type: 'witness', event: { ...event, size } }),
    }
    const object = { cid: address, sha256, sizeBytes: bytes.length, head: { session: name, size } }
    if (!(await deliverFor(context, session, object, delivery, signal))) return
  }
  const confirmed = { size, root, page, address, confirmedAtMs: context.clock.now() }
  await change(context, id, { type: 'anchor-confirmed', anchored: confirmed })
}
