import { UNIXFS_V1_2025 } from '../../src/evidence/cid.ts'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Transport, Upload } from '../ports.ts'
import { request, statusError, textOf } from './http.ts'

export interface IpfsOptions {
  /** Origin of a Kubo RPC API: `<endpoint>/api/v0/add`. */
  readonly endpoint: string
  /** Headers for each request, such as a sign-in; asked for at send time, never stored. */
  readonly authorize?: () => Promise<Readonly<Record<string, string>>>
}

/** Time for a question, ms. */
const ASK_MS = 30_000
/** Slowest link that an upload is given time for, bytes per ms. */
const SLOWEST_BYTES_PER_MS = 16
/** Kubo's words for a CID that it does not hold (`pin/ls` answers 500 then). */
const NOT_PINNED = /is not pinned/

/** Uploads to an IPFS node by Kubo's RPC; counts as stored only under the content address that we computed. */
export function ipfs({ endpoint, authorize }: IpfsOptions): Transport {
  const rpc = async (path: string, limits: { signal: AbortSignal; timeoutMs: number }, body?: FormData) => {
    const headers = (await authorize?.()) ?? {}
    const init = { method: 'POST', headers, ...(body && { body }) }
    return request(new URL(path, endpoint).href, init, limits)
  }

  return {
    name: 'ipfs',

    async probe({ cid }, signal) {
      const response = await rpc(`/api/v0/pin/ls?arg=${cid}&type=recursive`, { signal, timeoutMs: ASK_MS })
      const body = await textOf(response, signal)
      if (response.ok) return cid in keysOf(body) ? 'stored' : 'missing'
      if (response.status === 500 && NOT_PINNED.test(body)) return 'missing'
      throw statusError(response, body)
    },

    async send(upload, bytes, signal) {
      const form = new FormData()
      form.append('file', new Blob([bytes]), upload.cid)
      const timeoutMs = ASK_MS + Math.ceil(upload.sizeBytes / SLOWEST_BYTES_PER_MS)
      const response = await rpc(`/api/v0/add?${ADD_OPTIONS}`, { signal, timeoutMs }, form)
      const body = await textOf(response, signal)
      if (!response.ok) throw statusError(response, body)
      checkAddress(upload, body)
    },
  }
}

/** The parameters under which Kubo computes the address that we computed. */
const ADD_OPTIONS = new URLSearchParams({
  'cid-version': '1',
  'raw-leaves': 'true',
  hash: 'sha2-256',
  chunker: `size-${UNIXFS_V1_2025.leafBytes}`,
  'max-file-links': String(UNIXFS_V1_2025.maxLinks),
  pin: 'true',
  progress: 'false',
}).toString()

function keysOf(body: string): object {
  const answer = parseLine(body)
  return typeof answer['Keys'] === 'object' && answer['Keys'] !== null ? answer['Keys'] : {}
}

/** `add` answers a line of JSON for each object; the last is the file itself. */
function checkAddress({ cid }: Upload, body: string): void {
  const answered = parseLine(body.trim().split('\n').at(-1) ?? '')['Hash']
  if (answered !== cid)
    throw new HoldfastError('address-mismatch', `The store answered ${String(answered)} for ${cid}.`)
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Said below.
  }
  throw new HoldfastError(
    'bad-answer',
    `The store's answer is not what Kubo's RPC defines: ${line.slice(0, 100)}`,
  )
}
