import type { Labels } from '../../../src/protocol/labels.ts'
import { httpError, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, Transport, Upload } from '../../ports/transport.ts'
import { callsOf, isGone, locationIn } from './named-by-server.ts'
import { isOurs, mismatch } from './read-back.ts'
import { counted, markOf, mayBeSent, refused, unmarked } from './two-copies.ts'
import type { Authorize } from '../../http/with-auth.ts'

export interface ResumableOptions {
  /** Where uploads are created, by POST. */
  readonly endpoint: string
  /** Headers are given to the endpoint's own origin alone. */
  readonly authorize?: Authorize
  /** Most bytes of a part, and so the most that a death can cost; default 4 MiB. Slow links get smaller parts. */
  readonly partBytes?: number
  /**
   * Where a finished upload can be read, such as at a gateway under its content address. For a server that tells no
   * digests; it also finds the copy whose upload the server has forgotten. Default: the upload's own URL, of which the
   * protocol does not say that it can be read.
   */
  readonly readUrl?: (upload: Upload) => string
  /**
   * The queries of upload URLs are secrets, such as signatures, so none is kept: after a death an upload is found again
   * only where its URL works without. Default false: a query is part of the name, and is kept with the session.
   */
  readonly secretQuery?: boolean
  /**
   * Header fields of the creation that tell the server the session's labels, each value in ASCII: the protocol has no
   * metadata of its own. CORS has to allow their names. Default: nothing is told.
   */
  readonly labelHeaders?: (labels: Labels) => Readonly<Record<string, string>>
  /** Default `resumable`. */
  readonly name?: string
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number
}

const DEFAULT_PART_BYTES = 4 * 1024 * 1024
/** So often an attempt halves a part that something on the way takes for too large (413). */
const HALVINGS = 3
/** A limit that cuts an upload into more parts is not kept. */
const MAX_PARTS = 10_000
/** Memo: the copy is not ours, or the server could not use it, so it does not count as there. */
const CORRUPT = '#'

/**
 * Uploads by the IETF's protocol (draft-ietf-httpbis-resumable-upload, the editors' text of 2026-07-01 after draft 11,
 * interop version 8), resuming at the byte after any death. Proved by a digest of what the server has (RFC 9530); if it
 * tells none, by reading back.
 *
 * An upload is created empty: `fetch` shows no interim answer (104), so the final one has to tell its URL.
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
    const answer = await call(method, url, attempt, { ...headers, ...ALWAYS }, body)
    // What another server on the way once said holds for no new upload.
    limits = answer.headers.get('upload-limit') ?? (url === endpoint ? '' : limits)
    return answer
  }

  const limit = (key: string, absent: number) =>
    Number(limits.match(`(?:^|[,\\s])${key}=(\\d+)`)?.[1] ?? absent)

  /** How far an upload is; undefined if it is gone, or is no upload of this size. */
  async function stateOf(upload: Upload, attempt: Attempt) {
    const url = urlOf(attempt)
    if (!url) return undefined
    const answer = await ask('HEAD', url, attempt)
    if (isGone(answer)) return undefined
    if (!answer.ok) throw httpError(answer)
    const told = STATE.map((header) => answer.headers.get(header)).join(' ')
    const [, at, complete, length] = /^(\d+) \?([01]) (\d+)$/.exec(told) ?? []
    if (at === undefined) throw httpError(answer, ` without ${STATE}, or CORS hides one`, REJECTED)
    const { sizeBytes } = upload
    if (Number(length) !== sizeBytes) return undefined
    const offsetBytes = Number(at)
    if (offsetBytes > sizeBytes || (complete === '1' && offsetBytes < sizeBytes))
      throw httpError(answer, ` with the offset ${at} of ${length}`)
    if (complete === '1') return whole(answer, upload, attempt)
    attempt.progress(offsetBytes)
    return { kind: 'part', offsetBytes } as const
  }

  return {
    name,

    async probe(upload, attempt) {
      const state = await stateOf(upload, attempt)
      if (state !== undefined) return state
      if (readUrl === undefined || unmarked(attempt.resumeToken) === CORRUPT) return { kind: 'nothing' }
      const answer = await call('HEAD', readUrl(upload), attempt)
      // Buckets say 403 instead of 404 to whoever may not list them.
      if (isGone(answer) || answer.status === 403) return { kind: 'nothing' }
      if (!answer.ok) throw httpError(answer)
      return whole(answer, upload, attempt)
    },

    async send(upload, bytes, found, attempt) {
      await mayBeSent(attempt)
      const { cid, sizeBytes, labels } = upload
      const { progress } = attempt
      let url = urlOf(attempt)
      let offset = 0
      const remember = (mark: string) =>
        attempt.saveResumeToken((secretQuery ? url.replace(/\?.*/, '') : url) + mark)
      if (found.kind === 'part') offset = found.offsetBytes
      else {
        // Empty: no byte of it leaves before its URL is remembered.
        const answer = await ask('POST', endpoint, attempt, {
          ...(labels && labelHeaders?.(labels)),
          'Repr-Digest': digestOf(upload),
          'Content-Disposition': `inline; filename="${cid}"`,
          'Upload-Length': `${sizeBytes}`,
          'Upload-Complete': INCOMPLETE,
        })
        if (!answer.ok || sizeBytes > limit('max-size', Infinity))
          throw httpError(
            answer,
            ` to ${sizeBytes} bytes. Upload-Limit: ${limits}`,
            answer.ok ? REJECTED : undefined,
          )
        url = await locationIn(answer, (found) => ask('HEAD', found, attempt))
        await remember(markOf(attempt.resumeToken))
      }
      return counted(attempt, async () => {
        for (let halvings = 0; ;) {
          progress(offset)
          const room = Math.max(limit('min-append-size', 0), http.partBytes(mostBytes))
          const most = limit('max-append-size', room)
          // By smaller parts it would take for ever: then the server is asked what it says to larger ones.
          const part = bytes.subarray(
            offset,
            offset + (most * MAX_PARTS < sizeBytes ? room : Math.min(room, most)),
          )
          const end = offset + part.byteLength
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
            part,
          )
          const said = answer.headers.get('upload-complete')
          if (answer.ok && said === completes) {
            if (said === COMPLETE) return (await whole(answer, upload, attempt)).proved ? 'proved' : 'sent'
            offset = end
            // What was refused before has been taken now.
            if (markOf(attempt.resumeToken)) await remember('')
          } else if (answer.status === 413 && halvings++ < HALVINGS)
            mostBytes = Math.ceil(part.byteLength / 2)
          else {
            const reason = answer.text.includes('#digest-mism')
              ? mismatch(upload, 'received other bytes')
              : httpError(answer, '', PROBLEM.test(answer.text) ? 'bad-answer' : undefined)
            // The server had all it wanted, and could not use it: nothing is left to go on with.
            if (said === COMPLETE && !answer.ok)
              await attempt.saveResumeToken(CORRUPT + markOf(attempt.resumeToken))
            throw reason
          }
        }
      })
    },

    async verify(upload, attempt) {
      const state = await stateOf(upload, attempt)
      if (state?.kind === 'part') throw mismatch(upload, `only ${state.offsetBytes} bytes`)
      if (state?.proved) return
      const request = { signal: attempt.signal, maxBytes: upload.sizeBytes }
      const answer = await call('GET', readUrl?.(upload) ?? urlOf(attempt), request)
      // Some servers forget an upload once it is whole.
      if (isGone(answer)) await refused(httpError(answer, CONFIGURE), attempt)
      if (!answer.ok) throw httpError(answer, CONFIGURE)
      // The protocol gives GET of an upload no content.
      if (answer.bytes.byteLength === 0) throw httpError(answer, CONFIGURE, REJECTED)
      if (!(await isOurs(upload, answer.bytes)))
        await refused(mismatch(upload, 'other bytes'), attempt, CORRUPT)
    },
  }
}

const REJECTED = 'rejected-by-store'

const COMPLETE = '?1'
const INCOMPLETE = '?0'
const STATE = ['Upload-Offset', 'Upload-Complete', 'Upload-Length']

/** The draft; and to be told a digest of what the server has (RFC 9530 §4). */
const ALWAYS = { 'Upload-Draft-Interop-Version': '8', 'Want-Repr-Digest': 'sha-256=10' } as const

/** What a person can do where nothing proves a copy. */
const CONFIGURE = ' Let it answer Repr-Digest, or set readUrl.'

/** Problems after which the upload is looked at again: mismatching offset, inconsistent length, completed (to draft 11). */
const PROBLEM = /#(mismatching|inconsistent|completed)-upload/

const digestOf = ({ sha256 }: Upload) =>
  `sha-256=:${btoa(sha256.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))))}:`

/** An upload that the server calls complete; its digest, where it is told, is ours. */
async function whole({ headers }: Answer, upload: Upload, attempt: Attempt) {
  attempt.progress(upload.sizeBytes)
  const told = headers.get('repr-digest') ?? ''
  const proved = told.includes(digestOf(upload))
  if (!proved && told.includes('sha-256=')) {
    await attempt.saveResumeToken(CORRUPT + markOf(attempt.resumeToken))
    throw mismatch(upload, 'other bytes')
  }
  return { kind: 'all', proved } as const
}

/** A resume token is the URL; empty where there is none. */
const urlOf = ({ resumeToken }: Attempt) =>
  // What is no URL is of another transport, by which the session began.
  resumeToken?.startsWith('http') ? unmarked(resumeToken) : ''
