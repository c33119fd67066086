import { toBase64 } from '../../../src/evidence/bytes.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import { httpError, type Answer } from '../../http/request.ts'
import { adaptiveTimeout, type TimedRequest } from '../../http/adaptive-timeout.ts'
import type { Attempt, Transport, Upload } from '../../ports/transport.ts'
import { isOurs, mismatch } from './read-back.ts'
import { withAuth, type Authorize } from '../../http/with-auth.ts'

export interface TusOptions {
  /** Where uploads are created. */
  readonly endpoint: string
  /** Headers are given to the endpoint's own origin alone. */
  readonly authorize?: Authorize
  /** Most bytes of a part, and so the most that a death can cost; default 4 MiB. Slow links get smaller parts. */
  readonly partBytes?: number
  /**
   * Takes the server's word that it has as many bytes as were sent. For a server that neither knows the checksum
   * extension nor lets uploads be read; it then proves nothing of what the bytes are. Default false.
   */
  readonly trustLength?: boolean
  /** Default `tus`. */
  readonly name?: string
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number
}

/** An upload on the server. */
interface Target {
  readonly url: string
  /** Algorithm under which the server checked each part that it took; empty if it checked none. */
  readonly checked: string
}

const DEFAULT_PART_BYTES = 4 * 1024 * 1024
/** Setbacks that one attempt takes before it leaves the matter to a later one; progress may be a lie, so all count. */
const MAX_SETBACKS = 3

/** Names of the checksum extension, with WebCrypto's; the best first. The protocol demands `sha1` of all. */
const ALGORITHMS: readonly (readonly [string, string])[] = [
  ['sha256', 'SHA-256'],
  ['sha512', 'SHA-512'],
  ['sha1', 'SHA-1'],
]

/** Statuses of an upload that is not there, or no more (tus 1.0, HEAD and expiration). */
const isGone = ({ status }: Answer) => status === 404 || status === 410 || status === 403

/**
 * Uploads by tus 1.0 (tus.io/protocols/resumable-upload), resuming at the byte after any death. Where the server has
 * the checksum extension, each part is proved as it arrives; elsewhere the upload is read back.
 *
 * The upload is created with its content address as `filename`: a server that names uploads by it can be asked for
 * one whose URL never reached us.
 */
export function tus({
  endpoint,
  authorize,
  partBytes = DEFAULT_PART_BYTES,
  trustLength = false,
  name = 'tus',
  timeoutMs,
}: TusOptions): Transport {
  const http = adaptiveTimeout(timeoutMs)
  const named = ({ cid }: Upload): Target => ({ url: `${endpoint.replace(/\/$/, '')}/${cid}`, checked: '' })

  function call(
    method: string,
    url: string,
    request: TimedRequest,
    headers: Readonly<Record<string, string>> = {},
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Answer> {
    const mayKnow = new URL(url).origin === new URL(endpoint).origin
    return withAuth(
      async (reason) => (mayKnow ? authorize?.({ reason }) : undefined),
      (authorization) =>
        http.request(
          url,
          { method, headers: { ...headers, ...authorization }, ...(body && { body }) },
          request,
        ),
      request.signal,
    )
  }

  /** The checksum algorithm to use; empty without the extension. Asked once in a worker's life. */
  let algorithm: Promise<string> | undefined
  const knownAlgorithm = (signal: AbortSignal) =>
    (algorithm ??= call('OPTIONS', endpoint, { signal }).then(
      ({ headers }) => {
        const offered = new Set(headers.get('tus-checksum-algorithm')?.split(/,\s*/))
        return ALGORITHMS.find(([known]) => offered.has(known))?.[0] ?? ''
      },
      (error: unknown) => {
        algorithm = undefined
        throw error
      },
    ))

  /** How far an upload is; undefined if it is not there, or is no upload of this size. */
  async function offsetOf({ url }: Target, { sizeBytes }: Upload, signal: AbortSignal) {
    const answer = await call('HEAD', url, { signal }, TUS)
    if (isGone(answer)) return undefined
    if (!answer.ok) throw httpError(answer)
    const offset = offsetIn(answer)
    return answer.headers.get('upload-length') === String(sizeBytes) && offset <= sizeBytes
      ? offset
      : undefined
  }

  /** Creates the upload, or takes up the one of that name, and remembers where it is. */
  async function create(upload: Upload, { signal, saveResumeToken }: Attempt, checksum: string) {
    const answer = await call(
      'POST',
      endpoint,
      { signal },
      {
        ...TUS,
        'Upload-Length': String(upload.sizeBytes),
        'Upload-Metadata': `filename ${btoa(upload.cid)}`,
      },
    )
    let target = named(upload)
    let offset: number | undefined
    if (answer.status === 409) {
      // Created before, by a worker that died before it could remember; or its bytes are there after all.
      offset = await offsetOf(target, upload, signal)
      if (offset === undefined) throw httpError(answer)
    } else {
      const location = answer.headers.get('location')
      if (!answer.ok) throw httpError(answer)
      if (location === null) throw badAnswer(answer, 'no Location, or hides it from us')
      target = { ...target, url: new URL(location, endpoint).href }
      offset = 0
    }
    if (offset === 0) target = { ...target, checked: checksum }
    await saveResumeToken(memoOf(target))
    return { target, offset }
  }

  async function patch(
    { url }: Target,
    offset: number,
    part: Uint8Array<ArrayBuffer>,
    checksum: string,
    signal: AbortSignal,
  ) {
    const digest = ALGORITHMS.find(([known]) => known === checksum)?.[1]
    const headers = {
      ...TUS,
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': String(offset),
      ...(digest && {
        'Upload-Checksum': `${checksum} ${toBase64(new Uint8Array(await crypto.subtle.digest(digest, part)))}`,
      }),
    }
    return call('PATCH', url, { signal, bodyBytes: part.byteLength }, headers, part)
  }

  return {
    name,

    async probe(upload, { signal, resumeToken, progress }) {
      const target = targetOf(resumeToken) ?? named(upload)
      const offsetBytes = await offsetOf(target, upload, signal)
      if (offsetBytes === undefined) return { kind: 'nothing' }
      progress(offsetBytes)
      if (offsetBytes === upload.sizeBytes)
        return { kind: 'all', proved: trustLength || target.checked !== '' }
      return { kind: 'part', offsetBytes }
    },

    async send(upload, bytes, held, attempt) {
      const { signal, progress } = attempt
      const checksum = await knownAlgorithm(signal)
      let at = held.kind === 'part' ? await resumed(held.offsetBytes) : undefined
      let setbacks = 0
      const setBack = (error: HoldfastError) => {
        setbacks += 1
        if (setbacks > MAX_SETBACKS) throw error
      }

      async function resumed(offset: number) {
        const target = targetOf(attempt.resumeToken)
        if (target !== undefined) return { target, offset }
        await attempt.saveResumeToken(memoOf(named(upload)))
        return { target: named(upload), offset }
      }

      for (;;) {
        at ??= await create(upload, attempt, checksum)
        const { target, offset } = at
        progress(offset)
        if (offset === upload.sizeBytes) {
          // The server's word for each part is not taken alone: something between us may have answered for it.
          const reached = await offsetOf(target, upload, signal)
          if (reached === offset) return trustLength || (checksum && target.checked) ? 'proved' : 'sent'
          setBack(new HoldfastError('bad-answer', `The server has ${reached ?? 'lost'} of ${offset} bytes.`))
          at = reached === undefined ? undefined : { target, offset: reached }
          continue
        }

        const end = Math.min(upload.sizeBytes, offset + http.partBytes(partBytes))
        const answer = await patch(target, offset, bytes.subarray(offset, end), checksum, signal)
        if (answer.ok) {
          const reached = offsetIn(answer)
          if (reached < offset || reached > end) throw badAnswer(answer, 'an offset that cannot be')
          if (reached === offset) setBack(badAnswer(answer, 'no progress'))
          at = { target, offset: reached }
        } else if (answer.status === 409) {
          setBack(httpError(answer))
          const reached = await offsetOf(target, upload, signal)
          at = reached === undefined ? undefined : { target, offset: reached }
        } else if (answer.status === 460) {
          setBack(mismatch(upload, 'received damaged bytes'))
        } else if (isGone(answer)) {
          setBack(httpError(answer))
          at = undefined
        } else {
          throw httpError(answer)
        }
      }
    },

    async verify(upload, { signal, resumeToken, saveResumeToken }) {
      const { url } = targetOf(resumeToken) ?? named(upload)
      const answer = await call('GET', url, { signal, maxBytes: upload.sizeBytes }, TUS)
      if (answer.status === 401 || answer.status === 429 || answer.status >= 500) throw httpError(answer)
      if (!answer.ok)
        throw new HoldfastError(
          'bad-answer',
          `${answer.origin} answered ${answer.status} when the upload was read back, and its length alone proves ` +
            'nothing. Switch the checksum extension on, let uploads be read, or set trustLength.',
        )
      if (await isOurs(upload, answer.bytes)) return
      // Best effort: without the termination extension a server that names uploads keeps the bad copy.
      await call('DELETE', url, { signal }, TUS)
      await saveResumeToken('')
      throw mismatch(upload, 'other bytes')
    },
  }
}

const TUS = { 'Tus-Resumable': '1.0.0' } as const

function offsetIn(answer: Answer): number {
  const header = answer.headers.get('upload-offset') ?? ''
  if (!/^\d+$/.test(header)) throw badAnswer(answer, 'no Upload-Offset, or hides it from us')
  return Number(header)
}

const badAnswer = ({ origin }: Answer, what: string) =>
  new HoldfastError('bad-answer', `${origin} is no tus server as we know it: it answered ${what}.`)

/** The upload's URL without its query, which may hold a signature; the algorithm stands where no server sees it. */
function memoOf({ url, checked }: Target): string {
  const resumeToken = new URL(url)
  resumeToken.search = ''
  resumeToken.hash = checked
  return resumeToken.href
}

function targetOf(resumeToken: string | undefined): Target | undefined {
  // What is no URL is of another transport, by which the session began.
  if (!resumeToken?.startsWith('http')) return undefined
  const url = new URL(resumeToken)
  const checked = url.hash.slice(1)
  url.hash = ''
  return { url: url.href, checked }
}
