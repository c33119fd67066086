import { request } from './request.ts'
import type { ObjectSource } from './source.ts'

/**
 * An IPFS HTTP gateway, which serves `<url>/ipfs/<cid>`.
 *
 * @param timeoutMs longest silence: until its answer starts, then between any two pieces of it
 */
export const gateway = (url: string, timeoutMs: number): ObjectSource => ({
  name: url,
  async get(cid, { maxBytes, sizeBytes, signal }) {
    const bounds = { timeoutMs, signal, maxBytes, sizeBytes }
    const answer = await request(url.replace(/\/*$/, `/ipfs/${cid}`), {}, bounds)
    switch (answer.kind) {
      case 'ok':
        return { kind: 'bytes', bytes: answer.body }
      case 'status': {
        const reason = `the gateway answered HTTP ${answer.status}`
        const isGone = answer.status === 404 || answer.status === 410
        return isGone
          ? { kind: 'none', reason: `the gateway has no such content (HTTP ${answer.status})` }
          : { kind: 'silent', reason }
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
  },
})
