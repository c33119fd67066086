import { request, type Bounds } from './request.ts'
import type { Found, ObjectSource } from './source.ts'

/** When one that is busy (429) is asked again, where CORS hides when it wants to be, as it does of public ones; ms. */
const BUSY_MS = 5_000

/**
 * An IPFS HTTP gateway, which serves `<url>/ipfs/<cid>`; one that stands before a store in which the app names objects may
 * serve the newest head of a session too, at `<url>/heads/<name>`.
 *
 * @param timeoutMs longest silence: until its answer starts, then between any two pieces of it
 */
export const gateway = (url: string, timeoutMs: number): ObjectSource => ({
  name: nameOf(url),
  get: (cid, asked) => found(url, `/ipfs/${cid}`, {}, { timeoutMs, ...asked }),
  // An address never means other content; which head is the newest is asked each time, past any cache.
  newestHead: (name, asked) => found(url, `/heads/${name}`, { cache: 'no-cache' }, { timeoutMs, ...asked }),
})

/** Without its query, which may be a token: a name is shown, and logged. */
function nameOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname.replace(/\/*$/, '')
}

async function found(url: string, path: string, init: RequestInit, bounds: Bounds): Promise<Found> {
  const place = new URL(url)
  // A query, such as a gateway's token, stays behind it.
  place.pathname = place.pathname.replace(/\/*$/, path)
  const answer = await request(place.href, init, bounds)
  switch (answer.kind) {
    case 'ok':
      // Under any other status it is a part of it (206), or a challenge or a promise in its place (202).
      return answer.status === 200 || answer.status === 203
        ? { kind: 'bytes', bytes: answer.body }
        : silentBy(answer)
    case 'status': {
      const isGone = answer.status === 404 || answer.status === 410
      return isGone
        ? { kind: 'none', reason: `the gateway has no such content (HTTP ${answer.status})` }
        : silentBy(answer)
    }
    case 'too-long':
      return answer
    case 'failed':
      return {
        kind: 'silent',
        reason: `the gateway is unreachable (${answer.reason})`,
        cause: answer.cause,
      }
  }
}

const silentBy = ({
  status,
  retryAfterMs = status === 429 ? BUSY_MS : undefined,
}: {
  readonly status: number
  readonly retryAfterMs?: number
}): Found => ({ kind: 'silent', reason: `the gateway answered HTTP ${status}`, retryAfterMs })
