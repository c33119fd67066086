import type { Cid } from '../protocol/ids.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { request, type Limits } from './request.ts'

/** An HTTP gateway that serves `<gateway>/ipfs/<cid>`; it is not trusted with anything. */
export interface Gateway extends Limits {
  readonly url: string
}

/** What is fetched, and how its absence is told. */
export interface Wanted {
  readonly cid: Cid
  readonly what: string
  readonly maxBytes: number
  readonly step: VerificationStep
  /** When the gateway says that it has no such content. */
  readonly missing: 'page-missing' | 'chunk-missing'
  /** When it sends more than `maxBytes`, which no content worth checking has. */
  readonly tooLong: 'page-address' | 'chunk-address'
  readonly index?: number
}

/**
 * Whatever bytes the gateway serves under this address; the caller recomputes the address.
 *
 * @throws VerificationError with `gateway-unreachable`, or the codes that `wanted` gives
 */
export async function fetchContent(gateway: Gateway, wanted: Wanted): Promise<Uint8Array<ArrayBuffer>> {
  const url = gateway.url.replace(/\/*$/, `/ipfs/${wanted.cid}`)
  const { maxBytes, index } = wanted
  const failure = (code: VerificationError['code'], what: string, cause?: unknown) =>
    new VerificationError(code, wanted.step, `${wanted.what}: ${what}, asked for ${url}`, {
      cause,
      ...(index === undefined ? {} : { index }),
    })
  const answer = await request(url, {}, { ...gateway, maxBytes })
  switch (answer.kind) {
    case 'ok':
      return answer.body
    case 'status':
      if (answer.status === 404 || answer.status === 410) {
        throw failure(wanted.missing, `the gateway has no such content (HTTP ${answer.status})`)
      }
      throw failure('gateway-unreachable', `the gateway answered HTTP ${answer.status}`)
    case 'too-long':
      throw failure(wanted.tooLong, `the gateway sent more than ${maxBytes} bytes, the most there can be`)
    case 'failed':
      throw failure('gateway-unreachable', `the gateway is unreachable (${answer.reason})`, answer.cause)
  }
}
