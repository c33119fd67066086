import { fromHex, toBase64, utf8 } from '../../../src/evidence/bytes.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Labels } from '../../../src/protocol/labels.ts'
import { codeOf, httpError, isGone, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { DEFAULT_PART_BYTES, HALVINGS, SMALLEST_BYTES } from '../../http/http-limits.ts'
import { nextPartBytes } from '../../http/next-part.ts'
import { callsOf, locationIn } from './named-by-server.ts'
import { hasCopy, isOurs, isOursAtLast, mismatch } from './read-back.ts'
import { algorithmIn, badAnswer, offsetIn, reachedIn, REJECTED } from './tus-answers.ts'
import { namedTarget, targetOf, tokenOf, type Target } from './tus-target.ts'
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

/** An upload and how far it is. */
interface Position {
  readonly target: Target
  readonly offset: number
}

/** What the metadata say of a session's head besides; nothing of another object. */
const headIn = ({ head }: Upload) => head && { head: `${head.session}/${head.size}` }

/** Whether an upload of this size is there, that far. */
const isThere = (offset: number | undefined): offset is number => (offset as number) >= 0

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

  const named = ({ cid }: Upload) => namedTarget(endpoint, cid)
  const targetFor = (upload: Upload, { resumeToken }: Attempt) => targetOf(resumeToken) ?? named(upload)
  const isProof = ({ checked }: Target) => trustLength || checked !== ''
  /** The checksum algorithm to use; empty without the extension. Known once it was answered, in a worker's life. */
  let algorithm: string | undefined
  /** Where the endpoint is, after redirects, which may make a GET of a POST. Known then, too. */
  let base = endpoint
  async function knownAlgorithm(attempt: Attempt): Promise<string> {
    if (algorithm === undefined) {
      const answer = await call('OPTIONS', endpoint, attempt)
      algorithm = algorithmIn(answer)
      base = answer.url || endpoint
    }
    return algorithm
  }

  /** How far an upload is; undefined if it is not there, NaN if it is one of another size. */
  const offsetOf = async ({ url }: Target, { sizeBytes }: Upload, attempt: Attempt) =>
    offsetIn(await call('HEAD', url, attempt, TUS), sizeBytes)

  /** Creates the upload, or takes up the one of that name. */
  async function create(upload: Upload, attempt: Attempt, checksum: string): Promise<Position> {
    const answer = await call('POST', base, attempt, {
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

  const sendAll = async (
    upload: Upload,
    bytes: Uint8Array<ArrayBuffer> | Blob,
    held: RemoteState | undefined,
    attempt: Attempt,
  ): Promise<'proved' | 'sent'> => {
    const { progress } = attempt
    const { sizeBytes } = upload
    const checksum = await knownAlgorithm(attempt)
    const at: Position =
      held?.kind === 'part'
        ? { target: targetFor(upload, attempt), offset: held.offsetBytes }
        : await create(upload, attempt, checksum)
    const { target } = at
    let { offset } = at
    await attempt.saveResumeToken(tokenOf(target, secretQuery))
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
        // It goes in parts, read, the next time; or once the wait is over that it asks for.
        if (isWhole || answer.headers.has('retry-after')) throw badAnswer(answer, '')
        continue
      }
      offset = reachedIn(answer, offset, end)
      progress(offset)
    }
    // The server's word for each part is not taken alone: something between us may have answered for it.
    const confirmed = await offsetOf(target, upload, attempt)
    // Some servers move an upload away once it is whole, and forget it.
    if (isProof(target) && (confirmed ?? offset) === offset) return 'proved'
    if (confirmed === offset) return 'sent'
    throw mismatch(upload, confirmed === undefined ? 'nothing' : 'another offset or length', CONFIGURE)
  }

  async function readBack(target: Target, upload: Upload, attempt: Attempt): Promise<Answer> {
    const limits = { signal: attempt.signal, maxBytes: upload.sizeBytes }
    const answer = await call('GET', target.url, limits, TUS).catch(async (error: HoldfastError) => {
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
    return answer
  }

  return {
    name,

    async probe(upload, attempt) {
      const target = targetFor(upload, attempt)
      const offsetBytes = await offsetOf(target, upload, attempt)
      if (!isThere(offsetBytes)) return { kind: 'nothing' }
      attempt.progress(offsetBytes)
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
      const target = targetFor(upload, attempt)
      /** Best effort: without the termination extension a server that names uploads keeps the copy. */
      const discard = async () => {
        await call('DELETE', target.url, attempt, TUS)
        await attempt.saveResumeToken('')
      }
      const isProved = await isOursAtLast(async () => {
        const answer = await readBack(target, upload, attempt)
        // Sent when its checksums were not known of: sent again with them, it is proved. Any other answer may pass, and says
        // nothing of the copy.
        if (answer.status === 405 && (await knownAlgorithm(attempt)) !== '') await discard()
        return isOurs(upload, bytesIn(answer))
      })
      if (isProved) return
      await discard()
      throw mismatch(upload, 'other bytes')
    },
  }
}

/** The copy, by an answer to GET. */
function bytesIn(answer: Answer): Uint8Array<ArrayBuffer> {
  if (hasCopy(answer)) return answer.bytes
  const code = codeOf(answer)
  throw httpError(
    answer,
    ` when the upload was read back.${CONFIGURE}`,
    code === REJECTED ? 'bad-answer' : code,
  )
}

/** What the server is to check a part by. Of a Blob, which nobody has read, no part goes through but all of it. */
async function digestOf(part: Uint8Array<ArrayBuffer> | Blob, checksum: string, { sha256 }: Upload) {
  if (!checksum) return undefined
  // WebCrypto's name of it.
  const name = checksum.replace('sha', 'SHA-')
  const digest = part instanceof Blob ? fromHex(sha256) : await crypto.subtle.digest(name, part)
  return `${checksum} ${toBase64(new Uint8Array(digest))}`
}

/** Names, each with its text in Base64 (tus 1.0, Upload-Metadata). */
const metadataOf = (labels: Labels) =>
  Object.entries(labels)
    .map(([name, text]) => `${name} ${toBase64(utf8(text))}`)
    .join()

const TUS = { 'Tus-Resumable': '1.0.0' } as const

/** What a person can do where nothing proves a copy. */
const CONFIGURE = ' Enable checksums, let uploads be read, or set trustLength.'
