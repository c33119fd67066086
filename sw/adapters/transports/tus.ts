import { fromHex, toBase64, utf8 } from '../../../src/evidence/bytes.ts'
import { HoldfastError, type ErrorCode } from '../../../src/protocol/errors.ts'
import type { Labels } from '../../../src/protocol/labels.ts'
import { codeOf, httpError, isGone, requestUrl, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { DEFAULT_PART_BYTES, HALVINGS, SMALLEST_BYTES } from '../../http/http-limits.ts'
import { nextPartBytes } from '../../http/next-part.ts'
import { callsOf, locationIn } from './named-by-server.ts'
import { hasCopy, isOurs, isOursAtLast, mismatch } from './read-back.ts'
import type { Authorize } from '../../http/with-auth.ts'

export interface TusOptions {
  /** Where uploads are created. */
  readonly endpoint: string
  /** Headers are given to the endpoint's own origin alone. */
  readonly authorize?: Authorize | undefined
  /** Most bytes of a part, and so the most that a death can cost; default 4 MiB. Slow links get smaller parts. */
  readonly partBytes?: number | undefined
  /**
   * Takes the server's word that it has as many bytes as were sent. For a server that neither knows the checksum
   * extension nor lets uploads be read; it then proves nothing of what the bytes are. Default false.
   */
  readonly trustLength?: boolean | undefined
  /**
   * The queries of upload URLs are secrets, such as signatures, so none is kept: after a death an upload is found again
   * only where its URL works without. Default false: a query is part of the name, and is kept with the session.
   */
  readonly secretQuery?: boolean | undefined
  /** Default `tus`. */
  readonly name?: string | undefined
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number | undefined
}

/** An upload on the server. */
interface Target {
  readonly url: string
  /** Algorithm under which the server checked each part that it took; empty if it checked none. */
  readonly checked: string
}

/** An upload and how far it is. */
interface Position {
  readonly target: Target
  readonly offset: number
}

/** Names of the checksum extension; the best first. The protocol demands `sha1` of all. */
const ALGORITHMS = ['sha256', 'sha1']

/** What the metadata say of a session's head besides; nothing of another object. */
const headIn = ({ head }: Upload) => head && { head: `${head.session}/${head.size}` }

/** Whether an upload of this size is there, that far. */
const isThere = (offset: number | undefined): offset is number => (offset as number) >= 0

/**
 * `HEAD` may say it by 403 too (tus 1.0, HEAD), as does a hook that lets nobody in; without the protocol's header it is
 * somebody else's refusal.
 */
const isAbsent = (answer: Answer) =>
  isGone(answer) || (answer.status === 403 && answer.headers.has('tus-resumable'))

/**
 * Uploads by tus 1.0 (tus.io/protocols/resumable-upload), resuming at the byte after any death. Where the server has
 * the checksum extension, each part is proved as it arrives; elsewhere the upload is read back.
 *
 * The upload is created with its content address as `filename`: a server that names uploads by it can be asked for
 * one whose URL never reached us. A head is told by `head`, too: its session's name, a slash, and its size.
 *
 * @throws HoldfastError `bad-input` where `endpoint` is no URL
 */
export function tus({
  endpoint,
  authorize,
  partBytes = DEFAULT_PART_BYTES,
  trustLength = false,
  secretQuery = false,
  name = 'tus',
  timeoutMs,
}: TusOptions): Transport {
  const http = adaptiveTimeout(timeoutMs)
  const call = callsOf(http, endpoint, authorize)
  /** Less than `partBytes` once something on the way took a part for too large (413). */
  let mostBytes = partBytes

  function named({ cid }: Upload): Target {
    const url = requestUrl(endpoint)
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${cid}`
    return { url: url.href, checked: '' }
  }
  const isProof = ({ checked }: Target) => trustLength || checked !== ''
  /** Keeps a target: its URL; what we know of it stands in the fragment, where no server sees it. */
  const remember = ({ saveResumeToken }: Attempt, { url, checked }: Target) => {
    const token = new URL(url)
    if (secretQuery) token.search = ''
    token.hash = checked
    return saveResumeToken(token.href)
  }

  /** The checksum algorithm to use; empty without the extension. Known once it was answered, in a worker's life. */
  let algorithm: string | undefined
  async function knownAlgorithm(attempt: Attempt): Promise<string> {
    if (algorithm !== undefined) return algorithm
    const answer = await call('OPTIONS', endpoint, attempt)
    if (!answer.ok) throw httpError(answer)
    const { headers } = answer
    if (!OPTIONS_HEADERS.some((header) => headers.has(header))) throw hidden(answer, 'Tus-Version')
    const offered = new Set(headers.get('tus-checksum-algorithm')?.split(/\s*,\s*/))
    return (algorithm = ALGORITHMS.find((known) => offered.has(known)) ?? '')
  }

  /** How far an upload is; undefined if it is not there, NaN if it is one of another size. */
  async function offsetOf({ url }: Target, { sizeBytes }: Upload, attempt: Attempt) {
    const answer = await call('HEAD', url, attempt, TUS)
    if (isAbsent(answer)) return undefined
    if (!answer.ok) throw httpError(answer)
    const offset = integerIn(answer, 'Upload-Offset')
    if (integerIn(answer, 'Upload-Length', REJECTED) !== sizeBytes) return NaN
    if (offset > sizeBytes) throw badAnswer(answer, ' with an offset beyond the length.')
    return offset
  }

  /** Creates the upload, or takes up the one of that name. */
  async function create(upload: Upload, attempt: Attempt, checksum: string): Promise<Position> {
    const answer = await call('POST', endpoint, attempt, {
      ...TUS,
      'Upload-Length': `${upload.sizeBytes}`,
      'Upload-Metadata': metadataOf({ ...upload.labels, filename: upload.cid, ...headIn(upload) }),
    })
    // It speaks other versions (tus 1.0, Tus-Resumable).
    if (answer.status === 412)
      throw httpError(answer, ` Tus-Version: ${answer.headers.get('Tus-Version')}`.slice(0, 99), REJECTED)
    if (answer.ok) {
      const url = await locationIn(answer, (found) => call('HEAD', found, attempt, TUS))
      const known = targetOf(attempt.resumeToken)
      if (known) {
        // Given up only where the server shows what is there for sure, and that still not: it may have let nobody in.
        const shown = await call('HEAD', url, attempt, TUS)
        if (shown.status === 403) throw httpError(shown)
        const offset = await offsetOf(known, upload, attempt)
        if (isThere(offset)) return { target: known, offset }
      }
      return { target: { url, checked: checksum }, offset: 0 }
    }
    // 409: created before, by a worker that died before it could remember; or its bytes are there after all.
    const target = named(upload)
    const offset = answer.status === 409 ? await offsetOf(target, upload, attempt) : undefined
    if (!isThere(offset)) throw httpError(answer)
    return { target: offset === 0 ? { ...target, checked: checksum } : target, offset }
  }

  /** What the server is to check a part by. Of a Blob, which nobody has read, no part goes through but all of it. */
  async function digestOf(part: Uint8Array<ArrayBuffer> | Blob, checksum: string, { sha256 }: Upload) {
    if (!checksum) return undefined
    // WebCrypto's name of it.
    const name = checksum.replace('sha', 'SHA-')
    const digest = part instanceof Blob ? fromHex(sha256) : await crypto.subtle.digest(name, part)
    return `${checksum} ${toBase64(new Uint8Array(digest))}`
  }

  const sendAll = async (
    upload: Upload,
    bytes: Uint8Array<ArrayBuffer> | Blob,
    held: RemoteState | undefined,
    attempt: Attempt,
  ): Promise<'proved' | 'sent'> => {
    const { resumeToken, progress } = attempt
    const { sizeBytes } = upload
    const checksum = await knownAlgorithm(attempt)
    const at: Position =
      held?.kind === 'part'
        ? { target: targetOf(resumeToken) ?? named(upload), offset: held.offsetBytes }
        : await create(upload, attempt, checksum)
    const { target } = at
    let { offset } = at
    await remember(attempt, target)
    progress(offset)
    for (let halvings = 0; offset < sizeBytes;) {
      // What is unread goes whole: its checksum is that of all of it.
      const isWhole = bytes instanceof Blob
      const end = isWhole ? sizeBytes : Math.min(sizeBytes, offset + nextPartBytes(http, mostBytes))
      const part = end - offset < sizeBytes ? bytes.slice(offset, end) : bytes
      const digest = await digestOf(part, checksum, upload)
      const headers = {
        ...TUS,
        'Content-Type': 'application/offset+octet-stream',
        'Upload-Offset': `${offset}`,
        ...(digest && { 'Upload-Checksum': digest }),
      }
      const answer = await call('PATCH', target.url, attempt, headers, part)
      if (answer.status === 460) throw mismatch(upload, 'received damaged bytes')
      // A smaller one would be refused for something else, such as a quota.
      if (answer.status === 413 && end - offset > SMALLEST_BYTES && halvings++ < HALVINGS) {
        mostBytes = Math.ceil(Math.min(mostBytes, end - offset) / 2)
        // It goes in parts, read, the next time.
        if (isWhole) throw badAnswer(answer, '')
        continue
      }
      if (!answer.ok) throw httpError(answer)
      const reached = integerIn(answer, 'Upload-Offset', 'bad-answer')
      // Where it has not moved the same bytes again would be taken no better.
      if (reached <= offset || reached > end)
        throw badAnswer(
          answer,
          ` and offset ${reached} for a part from ${offset} to ${end}: it takes none, or miscounts.`,
        )
      offset = reached
      progress(offset)
    }
    // The server's word for each part is not taken alone: something between us may have answered for it.
    const confirmed = await offsetOf(target, upload, attempt)
    // Some servers move an upload away once it is whole, and forget it.
    if (isProof(target) && (confirmed ?? offset) === offset) return 'proved'
    if (confirmed === offset) return 'sent'
    throw mismatch(upload, confirmed === undefined ? 'nothing' : 'another offset or length', CONFIGURE)
  }

  return {
    name,

    async probe(upload, attempt) {
      const { resumeToken, progress } = attempt
      const target = targetOf(resumeToken) ?? named(upload)
      const offsetBytes = await offsetOf(target, upload, attempt)
      if (!isThere(offsetBytes)) return { kind: 'nothing' }
      progress(offsetBytes)
      if (offsetBytes === upload.sizeBytes) return { kind: 'all', proved: isProof(target) }
      return { kind: 'part', offsetBytes }
    },

    send: sendAll,

    async sendUnread(upload, blob, attempt) {
      const checksum = await knownAlgorithm(attempt)
      // By the digest of all of it, in one part; or read back, unless too much was sent so before.
      const isOnePart = upload.sizeBytes <= nextPartBytes(http, mostBytes)
      const isProving = checksum
        ? checksum === 'sha256' && isOnePart
        : !trustLength && (isOnePart || mostBytes === partBytes)
      return isProving ? sendAll(upload, blob, undefined, attempt) : undefined
    },

    async verify(upload, attempt) {
      const { signal, resumeToken, saveResumeToken } = attempt
      const target = targetOf(resumeToken) ?? named(upload)
      /** Best effort: without the termination extension a server that names uploads keeps the copy. */
      const discard = async () => {
        await call('DELETE', target.url, attempt, TUS)
        await saveResumeToken('')
      }
      const isProved = await isOursAtLast(async () => {
        const reading = call('GET', target.url, { signal, maxBytes: upload.sizeBytes }, TUS)
        const answer = await reading.catch(async (error: HoldfastError) => {
          // A browser does not tell what CORS blocks from what is not there; HEAD, which was let through before, does. The stock
          // Node.js server by its defaults: every answer but that to GET has the header.
          if (error.code === 'unreachable' && (await offsetOf(target, upload, attempt)))
            throw new HoldfastError(
              'bad-answer',
              `CORS hides the upload: GET lacks Access-Control-Allow-Origin.${CONFIGURE}`,
            )
          throw error
        })
        if (isGone(answer)) throw mismatch(upload, 'nothing', CONFIGURE)
        if (!hasCopy(answer)) {
          // Sent when its checksums were not known of: sent again with them, it is proved. Any other answer may pass, and says
          // nothing of the copy.
          if (answer.status === 405 && (await knownAlgorithm(attempt)) !== '') await discard()
          const code = codeOf(answer)
          throw httpError(
            answer,
            ` when the upload was read back.${CONFIGURE}`,
            code === REJECTED ? 'bad-answer' : code,
          )
        }
        return isOurs(upload, answer.bytes)
      })
      if (isProved) return
      await discard()
      throw mismatch(upload, 'other bytes')
    },
  }
}

/** Names, each with its text in Base64 (tus 1.0, Upload-Metadata). */
const metadataOf = (labels: Labels) =>
  Object.entries(labels)
    .map(([name, text]) => `${name} ${toBase64(utf8(text))}`)
    .join()

const REJECTED = 'rejected-by-store'

const TUS = { 'Tus-Resumable': '1.0.0' } as const

/** One of these is in every answer of a tus server to OPTIONS (tus 1.0, OPTIONS). */
const OPTIONS_HEADERS = ['Tus-Version', 'Tus-Resumable', 'Tus-Checksum-Algorithm']

/** What a person can do where nothing proves a copy. */
const CONFIGURE = ' Enable checksums, let uploads be read, or set trustLength.'

const EXPOSE = `Expose Location, Upload-Offset, Upload-Length, ${OPTIONS_HEADERS}.`

function integerIn(answer: Answer, name: string, code?: ErrorCode): number {
  const header = answer.headers.get(name) ?? ''
  if (!/^\d+$/.test(header)) throw hidden(answer, name, code)
  return Number(header)
}

const badAnswer = (answer: Answer, what: string) => httpError(answer, what, 'bad-answer')
/**
 * @param code by default as of a server that is away: what has no header of the protocol's may be a network's sign-in page;
 *   `rejected-by-store` only a person can change, who sets the server up
 */
const hidden = (answer: Answer, header: string, code: ErrorCode = 'server-error') =>
  httpError(answer, ` without ${header}, or CORS hides it. ${EXPOSE}`, code)

/** The target that a resume token keeps. */
function targetOf(resumeToken: string | undefined): Target | undefined {
  // What is no URL is of another transport, by which the session began.
  if (!resumeToken?.startsWith('http')) return undefined
  const url = new URL(resumeToken)
  const checked = url.hash.slice(1)
  url.hash = ''
  return { url: url.href, checked }
}
