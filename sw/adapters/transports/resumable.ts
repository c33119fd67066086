import { HoldfastError } from '../../../src/protocol/errors.ts'
import { httpError, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { callsOf, isGone, locationIn } from './named-by-server.ts'
import { isOurs, mismatch } from './read-back.ts'
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
  /** Default `resumable`. */
  readonly name?: string
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number
}

/** An upload on the server. */
interface Target {
  /** Empty where there is none. */
  readonly url: string
  /**
   * How often a whole copy may have been lost: 0; 1 once the last part may have left, as the server may have taken it
   * and forgotten it; 2 for a second copy, in place of such a one; 3 once the last part of that may have left.
   */
  readonly stage: number
}

const DEFAULT_PART_BYTES = 4 * 1024 * 1024
/** Setbacks that one attempt takes before it leaves the matter to a later one; progress may be a lie, so all count. */
const MAX_SETBACKS = 3
/** By smaller parts than this share of what is left nothing is sent: it would take for ever. */
const MOST_PARTS = 10_000
/** Memo: the copy is not ours, or the server could not use it, so it does not count as there. */
const SPOILT = '#'

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
    signal: AbortSignal,
    headers?: Readonly<Record<string, string>>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Answer> {
    const answer = await call(method, url, { signal }, { ...headers, ...ALWAYS }, body)
    // What another server on the way once said holds for no new upload.
    const told = answer.headers.get('upload-limit') ?? (url === endpoint ? '' : limits)
    if (!VOID.test(told)) limits = told
    return answer
  }

  const limit = (key: string, absent: number) =>
    Number(new RegExp(`(?:^|,)\\s*${key}=(\\d+)`).exec(limits)?.[1] ?? absent)

  /** How far an upload is; undefined if it is gone, or is no upload of this size. */
  async function stateOf(upload: Upload, url: string, attempt: Attempt) {
    if (url === '') return undefined
    const answer = await ask('HEAD', url, attempt.signal)
    if (isGone(answer)) return undefined
    if (!answer.ok) throw httpError(answer)
    const told = STATE.map((header) => answer.headers.get(header)).join(' ')
    const [, at, complete, length] = /^(\d+) \?([01]) (\d+)$/.exec(told) ?? []
    if (at === undefined) throw httpError(answer, ` without ${STATE}, or CORS hides one`, REJECTED)
    const { sizeBytes } = upload
    if (Number(length) !== sizeBytes) return undefined
    const offsetBytes = Number(at)
    const isWhole = complete === '1'
    if (isWhole ? offsetBytes !== sizeBytes : offsetBytes > sizeBytes)
      throw httpError(answer, ` with the offset ${at} of ${length}`)
    if (isWhole) return whole(answer, upload, attempt)
    attempt.progress(offsetBytes)
    // It may have no time left in which to go on.
    return limit('max-age', 1) > 0 ? ({ kind: 'part', offsetBytes } as const) : undefined
  }

  /** Creates an empty upload. */
  async function create(upload: Upload, signal: AbortSignal): Promise<string> {
    const { cid, sizeBytes } = upload
    const answer = await ask('POST', endpoint, signal, {
      'Repr-Digest': digestOf(upload),
      'Content-Disposition': `inline; filename="${cid}"`,
      'Upload-Length': String(sizeBytes),
      'Upload-Complete': INCOMPLETE,
    })
    const [least, most] = [limit('min-size', 0), limit('max-size', Infinity)]
    if (sizeBytes > most || (sizeBytes < least && !answer.headers.has('location')))
      throw httpError(
        answer,
        `. It takes ${least} to ${most} bytes (Upload-Limit), not ${sizeBytes}`,
        REJECTED,
      )
    if (!answer.ok) throw httpError(answer)
    return locationIn(answer).replace(/#.*/, '')
  }

  return {
    name,

    async probe(upload, attempt) {
      const state = await stateOf(upload, targetOf(attempt).url, attempt)
      if (state !== undefined) return state
      if (readUrl === undefined || attempt.resumeToken === SPOILT) return { kind: 'nothing' }
      const answer = await call('HEAD', readUrl(upload), attempt)
      // Buckets say 403 instead of 404 to whoever may not list them.
      if (isGone(answer) || answer.status === 403) return { kind: 'nothing' }
      if (!answer.ok) throw httpError(answer)
      return whole(answer, upload, attempt)
    },

    async send(upload, bytes, found, attempt) {
      const { signal, saveResumeToken, progress } = attempt
      const { sizeBytes } = upload
      let { url, stage } = targetOf(attempt)
      const remember = () => saveResumeToken(`${secretQuery ? url.replace(/\?.*/, '') : url}#${stage}`)
      let state: RemoteState | undefined = found
      for (let setbacks = 0; ;) {
        if (state?.kind === 'all') return state.proved ? 'proved' : 'sent'
        if (state?.kind !== 'part') {
          if (stage === 3) {
            // Who has it sent nevertheless begins anew.
            await saveResumeToken('')
            throw new HoldfastError(
              REJECTED,
              `The store forgot two uploads once they were whole. ${CONFIGURE}`,
            )
          }
          url = await create(upload, signal)
          stage &&= 2
          state = { kind: 'part', offsetBytes: 0 }
          await remember()
        }
        const offsetBytes: number = state.offsetBytes
        progress(offsetBytes)
        const room = Math.max(limit('min-append-size', 0), http.partBytes(mostBytes))
        const part = bytes.subarray(offsetBytes, offsetBytes + Math.min(room, limit('max-append-size', room)))
        const end = offsetBytes + part.byteLength
        if (part.byteLength * MOST_PARTS < sizeBytes - offsetBytes) {
          limits = ''
          throw new HoldfastError(
            REJECTED,
            `The store takes parts of ${part.byteLength} bytes (Upload-Limit).`,
          )
        }
        const completes = end < sizeBytes ? INCOMPLETE : COMPLETE
        if (completes === COMPLETE) {
          stage |= 1
          await remember()
        }
        const headers = {
          'Content-Type': 'application/partial-upload',
          'Upload-Offset': `${offsetBytes}`,
          'Upload-Complete': completes,
        }
        const answer = await ask('PATCH', url, signal, headers, part)
        const said = answer.headers.get('upload-complete')
        if (answer.ok && said === completes) {
          state =
            said === COMPLETE ? await whole(answer, upload, attempt) : { kind: 'part', offsetBytes: end }
          continue
        }
        const error = httpError(answer)
        if (said === COMPLETE && !answer.ok) {
          // The server had all it wanted, and could not use it: nothing is left to go on with.
          await saveResumeToken(SPOILT)
          throw answer.text.includes('#digest-mism') ? mismatch(upload, 'received other bytes') : error
        }
        if (answer.status === 413) mostBytes = Math.ceil(part.byteLength / 2)
        else if (error.code !== 'bad-answer' && !PROBLEM.test(answer.text)) throw error
        setbacks += 1
        if (setbacks > MAX_SETBACKS) throw error
        state = await stateOf(upload, url, attempt)
      }
    },

    async verify(upload, attempt) {
      const { url } = targetOf(attempt)
      const state = await stateOf(upload, url, attempt)
      if (state?.kind === 'part')
        throw new HoldfastError('bad-answer', `The store has only ${state.offsetBytes} bytes.`)
      if (state?.proved) return
      const request = { signal: attempt.signal, maxBytes: upload.sizeBytes }
      const answer = await call('GET', readUrl?.(upload) ?? url, request)
      if (!answer.ok) throw httpError(answer, CONFIGURE)
      // The protocol gives GET of an upload no content.
      if (answer.bytes.byteLength === 0) throw httpError(answer, CONFIGURE, REJECTED)
      if (!(await isOurs(upload, answer.bytes))) await spoil(upload, attempt)
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

/** A limit that we know, but no Integer: then none of them counts. */
const VOID = /(^|,)\s*m(ax-age|(ax|in)-(append-)?size)(?!=\d+\s*([,;]|$))/

const digestOf = ({ sha256 }: Upload) =>
  `sha-256=:${btoa(sha256.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))))}:`

/** An upload that the server calls complete; its digest, where it is told, is ours. */
async function whole({ headers }: Answer, upload: Upload, attempt: Attempt) {
  attempt.progress(upload.sizeBytes)
  const told = headers.get('repr-digest') ?? ''
  const proved = told.includes(digestOf(upload))
  if (!proved && told.includes('sha-256=')) await spoil(upload, attempt)
  return { kind: 'all', proved } as const
}

async function spoil(upload: Upload, { saveResumeToken }: Attempt): Promise<never> {
  await saveResumeToken(SPOILT)
  throw mismatch(upload, 'other bytes')
}

/** A resume token is the URL, and the stage in the fragment, where no server sees it. */
function targetOf({ resumeToken = '' }: Attempt): Target {
  const [url = '', stage] = resumeToken.split('#')
  // What is no URL is of another transport, by which the session began.
  return { url: url.startsWith('http') ? url : '', stage: Number(stage) || 0 }
}
