import { request } from './request.ts'
import type { Asked, Found, ObjectSource } from './source.ts'

/**
 * An IPFS HTTP gateway, which serves `<url>/ipfs/<cid>`; one that stands before a store in which the app names objects may
 * serve the newest head of a session too, at `<url>/heads/<name>`.
 *
 * @param timeoutMs longest silence: until its answer starts, then between any two pieces of it
 */
export const gateway = (url: string, timeoutMs: number): ObjectSource => ({
  name: url,
  get: (cid, asked) => found(url, `/ipfs/${cid}`, timeoutMs, asked),
  newestHead: (name, asked) => found(url, `/heads/${name}`, timeoutMs, asked),
})

async function found(url: string, path: string, timeoutMs: number, asked: Asked): Promise<Found> {
  const place = new URL(url)
  // A query, such as a gateway's token, stays behind it.
  place.pathname = place.pathname.replace(/\/*$/, path)
  const answer = await request(place.href, {}, { timeoutMs, ...asked })
  switch (answer.kind) {
    case 'ok':
      return { kind: 'bytes', bytes: answer.body }
    case 'status': {
      const reason = `the gateway answered HTTP ${answer.status}`
      const isGone = answer.status === 404 || answer.status === 410
      return isGone
        ? { kind: 'none', reason: `the gateway has no such content (HTTP ${answer.status})` }
        : { kind: 'silent', reason, retryAfterMs: answer.retryAfterMs }
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
