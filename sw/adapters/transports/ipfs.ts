import { UNIXFS_V1_2025 } from '../../../src/evidence/cid.ts'
import { parseJsonObject, httpError, requestUrl, under, type Answer } from '../../http/request.ts'
import { adaptiveTimeout, type TimedRequest } from '../../http/adaptive-timeout.ts'
import type { Transport } from '../../ports/transport.ts'
import { mismatch } from './read-back.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

export interface IpfsOptions {
  /** Base of a Kubo RPC API: `<endpoint>/api/v0/add`; a slash at its end changes nothing. */
  readonly endpoint: string
  readonly authorize?: Authorize | undefined
  /** Default `ipfs`. */
  readonly name?: string | undefined
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number | undefined
}

/** Addresses are told in our base: some versions of Kubo write base58 otherwise. */
const BASE = '&cid-base=base32'

/** The parameters under which Kubo computes the address that we computed. */
const ADD_OPTIONS =
  `cid-version=1&raw-leaves=true&hash=sha2-256&chunker=size-${UNIXFS_V1_2025.leafBytes}` +
  `&max-file-links=${UNIXFS_V1_2025.maxLinks}&pin=true${BASE}`

/**
 * Uploads to an IPFS node by Kubo's RPC (docs.ipfs.tech/reference/kubo/rpc); a copy counts only under the content
 * address that we computed.
 *
 * @throws HoldfastError `bad-input` where `endpoint` is no URL
 */
export function ipfs({ endpoint, authorize, name = 'ipfs', timeoutMs }: IpfsOptions): Transport {
  const http = adaptiveTimeout(timeoutMs)
  requestUrl(endpoint)
  /** An answer that is a success, or says that something is not there. */
  async function rpc(path: string, request: TimedRequest, body?: FormData): Promise<Answer> {
    const url = under(endpoint, `api/v0/${path}`)
    const answer = await withAuth(
      authorize,
      (headers) => http.request(url, { method: 'POST', headers: headers!, body: body ?? null }, request),
      request.signal,
    )
    // Kubo's words for a CID that it does not hold (`pin/ls` answers 500 then, without keys).
    if (answer.ok || answer.text.includes('is not pinned')) return answer
    throw httpError(answer)
  }

  return {
    name,

    async probe({ cid, sizeBytes }, { signal, progress }) {
      const { Keys } = parseJsonObject(await rpc(`pin/ls?arg=${cid}&type=recursive${BASE}`, { signal }))
      if (!(cid in Object(Keys))) return { kind: 'nothing' }
      progress(sizeBytes)
      return { kind: 'all', proved: true }
    },

    async send(upload, bytes, _held, { signal, progress }) {
      progress(0)
      const form = new FormData()
      form.append('file', new Blob([bytes]), upload.cid)
      const answer = await rpc(`add?${ADD_OPTIONS}`, { signal, bodyBytes: upload.sizeBytes }, form)
      // A line of JSON for each object, the last of them the file itself; lines of progress count for nothing. A node that
      // fails after its 200 says so in a trailer, which `fetch` does not show, and in a last line.
      const lines = answer.text.trim().split('\n').reverse()
      const said = { ...answer, text: lines.find((line) => !line.includes('"Bytes"')) ?? '' }
      const { Hash } = parseJsonObject(said)
      if (typeof Hash !== 'string') throw httpError(said, ' and no address', 'server-error')
      if (Hash !== upload.cid) throw mismatch(upload, Hash.slice(0, 99))
      progress(upload.sizeBytes)
      return 'proved'
    },
  }
}
