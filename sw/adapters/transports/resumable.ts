import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import { httpError, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Transport, Upload } from '../../ports/transport.ts'
import { callsOf, isGone, urlIn } from './named-by-server.ts'
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

/** How far an upload is. */
interface State {
  readonly offset: number
  readonly complete: boolean
  /** SHA-256 of what the server has, in Base64; undefined if it tells none. */
  readonly digest: string | undefined
}

const DEFAULT_PART_BYTES = 4 * 1024 * 1024
/** Setbacks that one attempt takes before it leaves the matter to a later one. */
const MAX_SETBACKS = 3
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

  /** `bad-answer` may be another the next time; `rejected-by-store` only a person can change, who sets the server up. */
  const failure = (what: string, code: ErrorCode = 'rejected-by-store') =>
    new HoldfastError(code, `${new URL(endpoint).origin} ${what}.`)

  async function ask(
    method: string,
    url: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<Answer> {
    const answer = await call(
      method,
      url,
      { signal, bodyBytes: body?.byteLength ?? 0 },
      { ...headers, 'Upload-Draft-Interop-Version': '8' },
      body,
    )
    const told = answer.headers.get('upload-limit')
    if (told !== null && !VOID.test(told)) limits = told
    return answer
  }

  const limit = (key: string, absent: number) =>
    Number(new RegExp(`(?:^|,)\\s*${key}=(\\d+)`).exec(limits)?.[1] ?? absent)

  /** How far an upload is; undefined if it is gone, or is no upload of this size. */
  async function stateOf(
    { url }: Target,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<State | undefined> {
    if (url === '') return undefined
    const answer = await ask('HEAD', url, signal, WANT)
    if (isGone(answer)) return undefined
    if (!answer.ok) throw httpError(answer)
    const told = STATE.map((header) => answer.headers.get(header)).join(' ')
    const [, at = '', completeness, length] = /^(\d+) \?([01]) (\d+)$/.exec(told) ?? []
    if (at === '') throw failure(`answered no ${STATE.join(', ')}, or CORS hides one`)
    if (Number(length) !== sizeBytes) return undefined
    const offset = Number(at)
    const complete = completeness === '1'
    if (offset > sizeBytes || (complete && offset < sizeBytes))
      throw failure(`answered the offset ${at} of ${length}${complete ? ' as complete' : ''}`, 'bad-answer')
    // It has no time left in which to go on.
    if (!complete && limit('max-age', 1) === 0) return undefined
    return { offset, complete, digest: digestIn(answer) }
  }

  /** Creates an empty upload. */
  async function create(upload: Upload, signal: AbortSignal): Promise<string> {
    const { cid, sizeBytes } = upload
    const answer = await ask('POST', endpoint, signal, {
      ...WANT,
      'Repr-Digest': `sha-256=:${base64(upload)}:`,
      'Content-Disposition': `inline; filename="${cid}"`,
      'Upload-Length': String(sizeBytes),
      'Upload-Complete': INCOMPLETE,
    })
    const location = answer.headers.get('location')
    const [least, most] = [limit('min-size', 0), limit('max-size', Infinity)]
    if (sizeBytes > most || (sizeBytes < least && location === null))
      throw failure(`takes ${least} to ${most} bytes (Upload-Limit), not ${sizeBytes}`)
    if (!answer.ok) throw httpError(answer)
    if (location === null) throw failure('answered no Location, or CORS hides it')
    return urlIn(answer, location, (what) => failure(`answered ${what}`)).replace(/#.*/, '')
  }

  return {
    name,

    async probe(upload, { signal, resumeToken, progress }) {
      const state = await stateOf(targetOf(resumeToken), upload.sizeBytes, signal)
      let digest = state?.digest
      if (state === undefined) {
        if (readUrl === undefined || resumeToken === SPOILT) return { kind: 'nothing' }
        const answer = await call('HEAD', readUrl(upload), { signal })
        // Buckets say 403 instead of 404 to whoever may not list them.
        if (isGone(answer) || answer.status === 403) return { kind: 'nothing' }
        if (!answer.ok) throw httpError(answer)
        digest = digestIn(answer)
      }
      const { offset, complete } = state ?? { offset: upload.sizeBytes, complete: true }
      progress(offset)
      return complete
        ? { kind: 'all', proved: digest === base64(upload) }
        : { kind: 'part', offsetBytes: offset }
    },

    async send(upload, bytes, held, { signal, resumeToken, saveResumeToken, progress }) {
      const { sizeBytes } = upload
      const keep = async (to: Target) => {
        target = to
        await saveResumeToken(`${secretQuery ? to.url.replace(/\?.*/, '') : to.url}#${to.stage}`)
      }
      const done = (digest: string | undefined) => {
        progress(sizeBytes)
        return digest === base64(upload) ? 'proved' : 'sent'
      }
      let setbacks = 0
      let target = targetOf(resumeToken)
      let offset = held.kind === 'part' ? held.offsetBytes : undefined
      for (;;) {
        if (offset === undefined) {
          if (target.stage === 3) {
            // Who has it sent nevertheless begins anew.
            await saveResumeToken('')
            throw failure(`forgot two uploads once they were whole. ${CONFIGURE}`)
          }
          offset = 0
          await keep({ url: await create(upload, signal), stage: target.stage && 2 })
        }
        progress(offset)
        const room = Math.max(limit('min-append-size', 0), http.partBytes(mostBytes))
        const part = bytes.subarray(offset, offset + Math.min(room, limit('max-append-size', room)))
        const end = offset + part.byteLength
        const completes = end < sizeBytes ? INCOMPLETE : COMPLETE
        if (end === sizeBytes) await keep({ ...target, stage: target.stage | 1 })
        const headers = {
          'Content-Type': 'application/partial-upload',
          'Upload-Offset': String(offset),
          'Upload-Complete': completes,
        }
        const answer = await ask('PATCH', target.url, signal, headers, part)
        const error = httpError(answer)
        const said = answer.headers.get('upload-complete')
        if (answer.ok && said === completes) {
          if (said === COMPLETE) return done(digestIn(answer))
          offset = end
          continue
        }
        if (said === COMPLETE && !answer.ok) {
          // The server had all it wanted, and could not use it: nothing is left to go on with.
          await saveResumeToken(SPOILT)
          throw answer.text.includes('#digest-mism') ? mismatch(upload, 'received other bytes') : error
        }
        if (answer.status === 413) mostBytes = Math.ceil(part.byteLength / 2)
        else if (error.code !== 'bad-answer' && !answer.ok && !PROBLEM.test(answer.text)) throw error
        const state = await stateOf(target, sizeBytes, signal)
        if (state?.complete) return done(state.digest)
        if (!answer.ok || (state?.offset ?? 0) <= offset) setbacks += 1
        if (setbacks > MAX_SETBACKS) throw error
        offset = state?.offset
      }
    },

    async verify(upload, { signal, resumeToken, saveResumeToken }) {
      const target = targetOf(resumeToken)
      const state = await stateOf(target, upload.sizeBytes, signal)
      if (state?.complete === false) throw failure(`has only ${state.offset} bytes`, 'bad-answer')
      if (state?.digest === base64(upload)) return
      if (state?.digest === undefined) {
        const answer = await call('GET', readUrl?.(upload) ?? target.url, {
          signal,
          maxBytes: upload.sizeBytes,
        })
        if (!answer.ok) throw httpError(answer, ` ${CONFIGURE}`)
        // The protocol gives GET of an upload no content.
        if (answer.bytes.byteLength === 0) throw failure(`tells no digest. ${CONFIGURE}`)
        if (await isOurs(upload, answer.bytes)) return
      }
      await saveResumeToken(SPOILT)
      throw mismatch(upload, 'other bytes')
    },
  }
}

const COMPLETE = '?1'
const INCOMPLETE = '?0'
const STATE = ['Upload-Offset', 'Upload-Complete', 'Upload-Length']

/** Asks for the digest of what the server has (RFC 9530 §4). */
const WANT = { 'Want-Repr-Digest': 'sha-256=10' } as const

/** What a person can do where nothing proves a copy. */
const CONFIGURE = 'Let it answer Repr-Digest, or set readUrl'

/** Problems after which the upload is looked at again: mismatching offset, inconsistent length, completed (to draft 11). */
const PROBLEM = /#(mismatching|inconsistent|completed)-upload/

/** A limit that we know, but no Integer: then none of them counts. */
const VOID = /(^|,)\s*m(ax-age|(ax|in)-(append-)?size)(?!=\d+\s*([,;]|$))/

const base64 = ({ sha256 }: Upload) =>
  btoa(sha256.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))))

const digestIn = ({ headers }: Answer) => /\bsha-256=:([^:]*):/.exec(headers.get('repr-digest') ?? '')?.[1]

/** A resume token is the URL, and the stage in the fragment, where no server sees it. */
function targetOf(resumeToken = ''): Target {
  const [url = '', stage] = resumeToken.split('#')
  // What is no URL is of another transport, by which the session began.
  return { url: url.startsWith('http') ? url : '', stage: Number(stage) || 0 }
}
