import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Labels } from '../../../src/protocol/labels.ts'
import { httpError, isGone, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { DEFAULT_PART_BYTES, HALVINGS, MAX_PARTS, SMALLEST_BYTES } from '../../http/http-limits.ts'
import { nextPartBytes } from '../../http/next-part.ts'
import { callsOf, locationIn } from './named-by-server.ts'
import { digestOf, hasCopy, isOurs, isOursAtLast, mismatch } from './read-back.ts'
import type { Authorize } from '../../http/with-auth.ts'

export interface ResumableOptions {
  /** Where uploads are created, by POST. */
  readonly endpoint: string
  /** Headers are given to the endpoint's own origin alone. */
  readonly authorize?: Authorize | undefined
  /** Most bytes of a part, and so the most that a death can cost; default 4 MiB. Slow links get smaller parts. */
  readonly partBytes?: number | undefined
  /**
   * Where a finished upload can be read, such as at a gateway under its content address. For a server that tells no
   * digests; it also finds the copy whose upload the server has forgotten. Default: the upload's own URL, of which the
   * protocol does not say that it can be read.
   */
  readonly readUrl?: ((upload: Upload) => string) | undefined
  /**
   * The queries of upload URLs are secrets, such as signatures, so none is kept: after a death an upload is found again
   * only where its URL works without. Default false: a query is part of the name, and is kept with the session.
   */
  readonly secretQuery?: boolean | undefined
  /**
   * Header fields of the creation that tell the server the session's labels, each value in ASCII: the protocol has no
   * metadata of its own. CORS has to allow their names. Default: nothing is told.
   */
  readonly labelHeaders?: ((labels: Labels) => Readonly<Record<string, string>>) | undefined
  /** Default `resumable`. */
  readonly name?: string | undefined
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number | undefined
}

/** `isOurs`: what the digest says that the server tells of it; absent where it tells none. */
type State = RemoteState & { readonly isOurs?: boolean | undefined }

/** Memo: the copy is not ours, or the server could not use it, so it does not count as there. */
const CORRUPT = '#'

const COMPLETE = '?1'
const INCOMPLETE = '?0'
const STATE = ['Upload-Offset', 'Upload-Complete', 'Upload-Length']

/** What a person can do where nothing proves a copy. */
const CONFIGURE = ' Enable Repr-Digest, or set readUrl.'

const REJECTED = 'rejected-by-store'
const NOTHING: State = { kind: 'nothing' }

/**
 * Uploads by the IETF's protocol (draft-ietf-httpbis-resumable-upload, the editors' text of 2026-07-01 after draft 11,
 * interop version 8), resuming at the byte after any death. Proved by a digest of what the server has (RFC 9530); if it
 * tells none, by reading back.
 *
 * An upload is created empty: `fetch` shows no interim answer (104), so the final one has to tell its URL.
 *
 * @throws HoldfastError `bad-input` where `endpoint` is no URL
 */
export function resumable({
  endpoint,
  authorize,
  partBytes = DEFAULT_PART_BYTES,
  readUrl,
  secretQuery = false,
  labelHeaders,
  name = 'resumable',
  timeoutMs,
}: ResumableOptions): Transport {
  const http = adaptiveTimeout(timeoutMs)
  const call = callsOf(http, endpoint, authorize)
  /** `Upload-Limit` as told last, by any answer of the server. */
  let limits = ''
  /** Less than `partBytes` once something on the way took a part for too large (413). */
  let mostBytes = partBytes

  async function ask(
    method: string,
    url: string,
    attempt: Attempt,
    headers?: Readonly<Record<string, string>>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Answer> {
    const all = {
      ...headers,
      'Upload-Draft-Interop-Version': '8',
      // To be told a digest of what the server has (RFC 9530 §4).
      'Want-Repr-Digest': 'sha-256=10',
    }
    const answer = await call(method, url, attempt, all, body)
    // What another server on the way once said holds for no new upload.
    limits = answer.headers.get('upload-limit')?.slice(0, 500) ?? (url === endpoint ? '' : limits)
    return answer
  }

  /** Where a member that we know is no Integer, none of them counts. */
  const limit = (key: string, absent: number) =>
    Number(
      (!/(^|[,\s])(max|min)-(append-)?size(?!=\d+($|[,;\s]))/.test(limits) &&
        limits.match(`(^|[,\\s])${key}=(\\d+)`)?.[2]) ||
        absent,
    )

  /** How far an upload is; nothing, too, where it is gone, of another size, or beyond its own: then another is begun. */
  async function stateOf(upload: Upload, attempt: Attempt): Promise<State> {
    const url = urlOf(attempt)
    if (!url) return NOTHING
    const answer = await ask('HEAD', url, attempt)
    if (isGone(answer)) return NOTHING
    if (!answer.ok) throw httpError(answer)
    const told = STATE.map((header) => answer.headers.get(header)).join(' ')
    if (!/^\d+ \?[01] \d+$/.test(told))
      // Without any of them it may be a network's sign-in page, which passes.
      throw httpError(answer, ` without ${STATE}, or CORS hides it`, told.trim() ? REJECTED : 'server-error')
    const [at, complete, length] = told.split(' ')
    const { sizeBytes } = upload
    const offsetBytes = Number(at)
    if (offsetBytes > sizeBytes || Number(length) !== sizeBytes) return NOTHING
    if (complete === COMPLETE) return whole(answer, upload, attempt)
    attempt.progress(offsetBytes)
    return { kind: 'part', offsetBytes }
  }

  return {
    name,

    async probe(upload, attempt) {
      const state = await stateOf(upload, attempt)
      if (state !== NOTHING || !readUrl || attempt.resumeToken === CORRUPT) return state
      const answer = await call('HEAD', readUrl(upload), attempt)
      // Buckets say 403 instead of 404 to whoever may not list them.
      if (isGone(answer) || answer.status === 403) return NOTHING
      if (!answer.ok) throw httpError(answer)
      return whole(answer, upload, attempt)
    },

    async send(upload, bytes, found, attempt) {
      const { cid, sizeBytes, labels } = upload
      let offset = 0
      let url = urlOf(attempt)
      if (found.kind === 'part') offset = found.offsetBytes
      else {
        // Empty: no byte of it leaves before its URL is remembered.
        const answer = await ask('POST', endpoint, attempt, {
          ...(labels && labelHeaders?.(labels)),
          'Repr-Digest': `sha-256=:${digestOf(upload)}:`,
          'Content-Disposition': `inline; filename="${cid}"`,
          'Upload-Length': `${sizeBytes}`,
          'Upload-Complete': INCOMPLETE,
        })
        if (!answer.ok) throw httpError(answer, ` for ${sizeBytes} bytes. Upload-Limit: ${limits}`)
        url = await locationIn(answer, (known) => ask('HEAD', known, attempt))
        await attempt.saveResumeToken(secretQuery ? url.replace(/\?.*/, '') : url)
      }
      for (let halvings = 0; ;) {
        attempt.progress(offset)
        const most = limit('max-append-size', sizeBytes)
        if (sizeBytes > Math.min(limit('max-size', sizeBytes), most * MAX_PARTS))
          throw new HoldfastError(REJECTED, `No room for ${sizeBytes} bytes. Upload-Limit: ${limits}`)
        const wanted = Math.max(limit('min-append-size', 0), nextPartBytes(http, mostBytes))
        const end = Math.min(sizeBytes, offset + Math.min(wanted, most))
        const completes = end < sizeBytes ? INCOMPLETE : COMPLETE
        const answer = await ask(
          'PATCH',
          url,
          attempt,
          {
            'Content-Type': 'application/partial-upload',
            'Upload-Offset': `${offset}`,
            'Upload-Complete': completes,
          },
          bytes.subarray(offset, end),
        )
        const said = answer.headers.get('upload-complete')
        if (answer.ok && said === completes) {
          // Another digest may be that of what the answer itself has (RFC 9530 §3): the upload's is asked for.
          if (end === sizeBytes) return whole(answer, upload, attempt).proved ? 'proved' : 'sent'
          offset = end
        } else if (answer.status === 413 && end - offset > SMALLEST_BYTES && halvings++ < HALVINGS) {
          // A smaller one would be refused for something else, such as a quota.
          mostBytes = Math.ceil((end - offset) / 2)
          // Once the wait is over that it asks for.
          if (answer.headers.has('retry-after')) throw httpError(answer, '', 'bad-answer')
        } else {
          // The server had all it wanted, and could not use it: nothing is left to go on with.
          if (said === COMPLETE) await attempt.saveResumeToken(CORRUPT)
          // A refusal that tells it is of the upload: its offset, its length, its digest. That is looked at again.
          throw httpError(answer, '', said && answer.status === 400 ? 'bad-answer' : undefined)
        }
      }
    },

    async verify(upload, attempt) {
      const isProved = await isOursAtLast(async () => {
        const state = await stateOf(upload, attempt)
        if (state.kind === 'part') throw mismatch(upload, `only ${state.offsetBytes} bytes`)
        if (state.isOurs !== undefined) return state.isOurs
        const answer = await call('GET', readUrl?.(upload) ?? urlOf(attempt), {
          signal: attempt.signal,
          maxBytes: upload.sizeBytes,
        })
        // Some servers forget an upload once it is whole.
        if (isGone(answer)) throw mismatch(upload, 'nothing', CONFIGURE)
        // The protocol gives GET of an upload no content.
        if (!hasCopy(answer) || !answer.bytes.length)
          throw httpError(answer, CONFIGURE, answer.ok ? REJECTED : undefined)
        return isOurs(upload, answer.bytes)
      })
      if (isProved) return
      await attempt.saveResumeToken(CORRUPT)
      throw mismatch(upload, 'other bytes')
    },
  }
}

/** An upload that the server calls complete. */
function whole({ headers }: Answer, upload: Upload, attempt: Attempt): State & { readonly kind: 'all' } {
  attempt.progress(upload.sizeBytes)
  const told = headers.get('repr-digest') ?? ''
  const proved = told.includes(`sha-256=:${digestOf(upload)}:`)
  // What is no byte sequence says nothing.
  return { kind: 'all', proved, isOurs: told.includes('sha-256=:') ? proved : undefined }
}

/** A resume token is the URL; empty where there is none. */
const urlOf = ({ resumeToken }: Attempt) =>
  // What is no URL is of another transport, by which the session began.
  resumeToken?.startsWith('http') ? resumeToken : ''
