import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Cid, Sha256Hex } from '../../../src/protocol/ids.ts'
import type { Labels } from '../../../src/protocol/labels.ts'
import { parseJsonObject, httpError, isGone, requestUrl, under, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Transport } from '../../ports/transport.ts'
import { hasCopy, isOurs, isOursAtLast, mismatch } from './read-back.ts'
import { withAuth, type AuthReason, type Authorize } from '../../http/with-auth.ts'

/** What the app's server asks Pinata to sign (`POST /v3/files/sign`). */
export interface SignedUploadRequest {
  readonly cid: Cid
  readonly sha256: Sha256Hex
  readonly sizeBytes: number
  /** What the app tells the stores of the session, for `keyvalues` of what is signed. */
  readonly labels?: Labels | undefined
  readonly reason: AuthReason
}

export interface PinataOptions {
  /** Gives `Authorization: Bearer <JWT>`, for uploads and for questions. */
  readonly authorize?: Authorize | undefined
  /** Gives a signed upload URL, so that no JWT has to reach the browser; preferred over `authorize` for uploads. */
  readonly signUpload?: ((request: SignedUploadRequest) => Promise<string>) | undefined
  /**
   * Base of a gateway, such as `https://<yours>.mypinata.cloud`; reads back what Pinata keeps under an address that is
   * not ours, and without `authorize` also answers whether something is there. Must answer 404 at once: a dedicated
   * one does.
   */
  readonly gateway?: string | undefined
  /** Default `https://uploads.pinata.cloud`. */
  readonly uploads?: string | undefined
  /** Default `https://api.pinata.cloud`. */
  readonly api?: string | undefined
  /** Default `public`: readers find the content by its address alone. */
  readonly network?: 'public' | 'private' | undefined
  /** Default `pinata`. */
  readonly name?: string | undefined
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number | undefined
}

interface PinataFile {
  readonly cid: string
  readonly name: string
  readonly size: number | string
}

/** Memo: a copy under our name was read back and is not ours, so that name proves nothing any more. */
const CORRUPT = 'spoilt'

/**
 * Uploads to Pinata by its v3 files API (docs.pinata.cloud/api-reference). A copy under our content address is proved;
 * one under another address, as Pinata chooses the leaf size, is read back and hashed.
 *
 * @throws HoldfastError `bad-input` where one of its addresses is no URL; or with neither `authorize` nor, for public files,
 *   `gateway`: then nobody can be asked what is there, and what a lost answer left open would be sent twice
 */
export function pinata({
  authorize,
  signUpload,
  gateway,
  uploads = 'https://uploads.pinata.cloud',
  api = 'https://api.pinata.cloud',
  network = 'public',
  name = 'pinata',
  timeoutMs,
}: PinataOptions): Transport {
  if (authorize === undefined && (gateway === undefined || network === 'private'))
    throw new HoldfastError(
      'bad-input',
      'After a lost answer nobody could say whether Pinata has the file: add authorize, or gateway for public files.',
    )
  for (const url of [uploads, api, gateway ?? api]) requestUrl(url)
  const http = adaptiveTimeout(timeoutMs)

  async function list(filter: 'cid' | 'name', value: string, signal: AbortSignal): Promise<PinataFile[]> {
    const query = new URLSearchParams({ [filter]: value, limit: '10' })
    const answer = await withAuth(
      authorize,
      (headers) =>
        http.request(under(api, `v3/files/${network}?${query}`), { headers: headers ?? {} }, { signal }),
      signal,
    )
    if (!answer.ok) throw httpError(answer)
    const files = dataOf(answer)['files']
    // `null` where there is none; what is no list does not say that.
    if (files === null) return []
    if (!Array.isArray(files)) throw httpError(answer, ' and no files')
    return files.filter(isFile)
  }

  const read = (cid: string, method: 'GET' | 'HEAD', signal: AbortSignal, sizeBytes: number) =>
    http.request(under(`${gateway}`, `ipfs/${cid}`), { method }, { signal, maxBytes: sizeBytes })

  return {
    name,

    async probe(upload, { signal, resumeToken, saveResumeToken, progress }) {
      const { cid, sizeBytes } = upload
      const token = resumeToken
      const held = (proved: boolean) => {
        progress(sizeBytes)
        return { kind: 'all', proved } as const
      }
      if (authorize !== undefined) {
        const sameSize = ({ size }: PinataFile) => Number(size) === sizeBytes
        const ours = await list('cid', cid, signal)
        if (ours.some((file) => file.cid === cid && sameSize(file))) return held(true)
        if (token === CORRUPT) return { kind: 'nothing' }
        // Under another address it still bears the name that we gave it; or an older one, where Pinata had it before.
        const files = token ? await list('cid', token, signal) : await list('name', cid, signal)
        const other = files.find(
          (file) => (token ? file.cid === token : file.name === cid && file.cid !== cid) && sameSize(file),
        )
        if (other === undefined) return { kind: 'nothing' }
        await saveResumeToken(other.cid)
        return held(false)
      }
      if (token === CORRUPT) return { kind: 'nothing' }
      const answer = await read(token || cid, 'HEAD', signal, sizeBytes)
      // A dedicated gateway says 403 of what is not pinned.
      if (isGone(answer) || answer.status === 403) return { kind: 'nothing' }
      if (!answer.ok) throw httpError(answer)
      return held(false)
    },

    async send(upload, bytes, _held, { signal, saveResumeToken, progress }) {
      progress(0)
      const { cid, sha256, sizeBytes, labels } = upload
      const form = new FormData()
      form.append('network', network)
      form.append('name', cid)
      // A signed URL has its own.
      if (labels && signUpload === undefined) form.append('keyvalues', JSON.stringify(labels))
      form.append('file', new Blob([bytes]), cid)
      const answer = await withAuth(
        async ({ reason }) =>
          signUpload === undefined
            ? { url: under(uploads, 'v3/files'), headers: await authorize?.({ reason }) }
            : { url: await signUpload({ cid, sha256, sizeBytes, labels, reason }), headers: undefined },
        async ({ url, headers }) => {
          if (!url) throw new HoldfastError('sign-in-needed', 'No upload was signed.')
          const init = { method: 'POST', body: form, headers: headers ?? {} }
          return http.request(url, init, { signal, bodyBytes: sizeBytes })
        },
        signal,
      )
      if (!answer.ok) throw httpError(answer)
      const address = dataOf(answer)['cid']
      if (!isAddress(address)) throw httpError(answer, ' and no CID')
      if (address !== cid) await saveResumeToken(address)
      progress(sizeBytes)
      return address === cid ? 'proved' : 'sent'
    },

    async verify(upload, { signal, resumeToken, saveResumeToken }) {
      if (gateway === undefined)
        throw new HoldfastError(
          'bad-answer',
          `Pinata keeps ${upload.cid} under another address, so only reading it back proves it: add gateway.`,
        )
      const isProved = await isOursAtLast(async () => {
        const answer = await read(resumeToken || upload.cid, 'GET', signal, upload.sizeBytes)
        if (isGone(answer)) throw mismatch(upload, 'nothing')
        if (!hasCopy(answer)) throw httpError(answer, ' when the copy was read back.')
        return isOurs(upload, answer.bytes)
      })
      if (isProved) return
      await saveResumeToken(CORRUPT)
      throw mismatch(upload, 'other bytes')
    },
  }
}

function dataOf(answer: Answer): Readonly<Record<string, unknown>> {
  // What is no object has no member that is asked for.
  return Object(parseJsonObject(answer)['data']) as Readonly<Record<string, unknown>>
}

/** It becomes part of a URL, and of what is kept. */
const isAddress = (value: unknown): value is string => typeof value === 'string' && /^\w+$/.test(value)

const isFile = (value: PinataFile | null) => isAddress(value?.cid)
