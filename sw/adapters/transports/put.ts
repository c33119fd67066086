import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { Cid, Sha256Hex } from '../../../src/protocol/ids.ts'
import type { Labels } from '../../../src/protocol/labels.ts'
import { isGone, type Answer } from '../../http/request.ts'
import { adaptiveTimeout } from '../../http/adaptive-timeout.ts'
import type { Attempt, HeadHint, Transport, Upload } from '../../ports/transport.ts'
import { digestOf, hasCopy, isOurs, isOursAtLast, mismatch } from './read-back.ts'
import { isThere, storeCode, storeError } from './s3-errors.ts'
import { withAuth, type AuthReason } from '../../http/with-auth.ts'

/** What the app is asked to sign. */
export interface GrantRequest {
  /** A presigned URL is good for one method. `HEAD` asks whether the object is there, `GET` reads it back. */
  readonly method: 'PUT' | 'HEAD' | 'GET'
  /** The object's name; a key derived from it is the same for each attempt. */
  readonly cid: Cid
  readonly sha256: Sha256Hex
  readonly sizeBytes: number
  /**
   * Present where the object is a head, the way to all the rest of a session, and no chain leads there: a key such as
   * `<session>/heads/<size>` lets a reader find it.
   */
  readonly head?: HeadHint | undefined
  /** The session's labels: what the app said in `startSession({ labels })`, such as where its objects belong. */
  readonly labels?: Labels | undefined
  /** For `PUT`: what the checksum header is to say; by default the SHA-256 in Base64. */
  readonly checksum?: string | undefined
  /** `rejected`: the last URL was refused; it has expired, or was signed for something else. */
  readonly reason: AuthReason
}

/** A presigned request. Its headers are sent as they are, and no others: S3 refuses `x-amz-` headers not signed. */
export interface Granted {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The app's hook, called in the worker at send time; what it gives is never stored. Undefined: it has none. */
export type Grant = (request: GrantRequest) => Promise<Granted | undefined>

/** Proof that the body arrived, in the store's own terms. */
export interface Checksum {
  /** Header of the answer that repeats it, such as `content-md5` (Azure) or `x-goog-hash` (GCS). */
  readonly header: string
  /** What that header, or one of its comma-separated parts, says of these bytes; such as `md5=<Base64>` at GCS. */
  of(bytes: Uint8Array<ArrayBuffer>): string | Promise<string>
}

export interface PresignedPutOptions {
  readonly grant: Grant
  /** Default: `x-amz-checksum-sha256` (S3, R2), which the grant signs and the store's CORS rules must expose. */
  readonly checksum?: Checksum | undefined
  /** Default `put`. */
  readonly name?: string | undefined
  /** How long a silent server is given, ms; default 20,000. */
  readonly timeoutMs?: number | undefined
}

/** Memo: the copy was read back and is not ours, so it does not count as there. */
const CORRUPT = 'spoilt'
/** Memo: the store found another checksum or signature than the grant's. */
const DOUBTED = 'doubted'

/**
 * Uploads with one presigned `PUT` for each object (S3, R2, GCS, Azure Blob). Proved by a checksum that the store
 * computed; without one in its answer, by reading the object back.
 */
export function presignedPut({ grant, checksum, name = 'put', timeoutMs }: PresignedPutOptions): Transport {
  const http = adaptiveTimeout(timeoutMs)
  const header = checksum?.header ?? 'x-amz-checksum-sha256'

  /** Whether an answer's checksum is this one; undefined where it tells none, or one of parts (`…-2`, S3). */
  function isChecked({ headers }: Answer, expected: string): boolean | undefined {
    const found = headers.get(header)
    return found && !/-\d+$/.test(found) ? found.split(/,\s*/).includes(expected) : undefined
  }

  /** Undefined where the app grants no such request. */
  async function perform(
    method: GrantRequest['method'],
    { to: _to, ...object }: Upload,
    signal: AbortSignal,
    body?: Uint8Array<ArrayBuffer> | Blob,
    expected?: string,
  ): Promise<Answer | undefined> {
    return withAuth(
      ({ reason }) => grant({ ...object, method, checksum: expected, reason }),
      async (granted) => {
        if (!granted?.url) return undefined
        const init = { method, headers: { ...granted.headers }, body: body! }
        return http.request(granted.url, init, {
          signal,
          bodyBytes: body && object.sizeBytes,
          // An answer to what is sent is short: neither memory nor time for a copy is kept for it.
          maxBytes: body ? 0 : object.sizeBytes,
        })
      },
      signal,
      (answer) =>
        // HEAD is answered without words, also where its URL has expired.
        (method === 'HEAD' && answer?.status === 400) ||
        (answer?.ok === false && storeError(answer).code === 'sign-in-needed'),
    )
  }

  async function put(
    upload: Upload,
    body: Uint8Array<ArrayBuffer> | Blob,
    expected: string,
    { signal, resumeToken, saveResumeToken, progress }: Attempt,
  ): Promise<'proved' | 'sent'> {
    progress(0)
    // Of what leaves now nothing is known: its answer may be lost.
    if (resumeToken === CORRUPT) await saveResumeToken('')
    const answer = await perform('PUT', upload, signal, body, expected)
    if (!answer) throw new HoldfastError('sign-in-needed', 'No upload was granted.')
    if (answer.ok) {
      const isOurs = isChecked(answer, expected)
      if (isOurs === false) throw mismatch(upload, 'another checksum')
      progress(upload.sizeBytes)
      return isOurs ? 'proved' : 'sent'
    }
    if (isThere(answer)) {
      if (resumeToken !== CORRUPT) return 'sent'
      // What was read may have been of something between us: it is looked at again.
      throw storeError(answer, 'other bytes are there, and the grant overwrites nothing. ')
    }
    const error = storeError(answer)
    if (error.code !== 'address-mismatch' && !/NotMatch$/i.test(storeCode(answer))) throw error
    // Damaged twice on its way, or signed wrongly twice, is no accident.
    if (resumeToken === DOUBTED) throw storeError(answer, 'the grant signs another checksum or header. ')
    await saveResumeToken(DOUBTED)
    throw error
  }

  return {
    name,

    async probe(upload, { signal, resumeToken, progress }) {
      const answer = resumeToken !== CORRUPT && (await perform('HEAD', upload, signal))
      // S3 says 403 instead of 404 to whoever may not list the bucket; whether we may write, `send` will see.
      if (!answer || isGone(answer) || answer.status === 403) return { kind: 'nothing' }
      if (!answer.ok) throw storeError(answer)
      const proved = checksum ? undefined : isChecked(answer, digestOf(upload))
      // Its length says nothing: what packs an answer on its way leaves that out, or tells that of what it packed.
      if (proved === false) return { kind: 'nothing' }
      progress(upload.sizeBytes)
      return { kind: 'all', proved: !!proved }
    },

    async send(upload, bytes, _held, attempt) {
      const expected = checksum ? await checksum.of(bytes) : digestOf(upload)
      return put(upload, bytes, expected, attempt)
    },

    // The answer's checksum, or reading it back, proves all of it. Another checksum than the digest is made of the bytes.
    async sendUnread(upload, blob, attempt) {
      return checksum ? undefined : put(upload, blob, digestOf(upload), attempt)
    },

    async verify(upload, { signal, saveResumeToken }) {
      const isProved = await isOursAtLast(async () => {
        const head = !checksum && (await perform('HEAD', upload, signal))
        if (head && isChecked(head, digestOf(upload))) return true
        const answer = await perform('GET', upload, signal)
        if (!answer)
          throw new HoldfastError(
            'bad-answer',
            `The store tells no ${header}: expose it by CORS, or grant GET.`,
          )
        if (isGone(answer)) throw mismatch(upload, 'nothing')
        if (!hasCopy(answer)) throw storeError(answer)
        return isOurs(upload, answer.bytes)
      })
      if (isProved) return
      await saveResumeToken(CORRUPT)
      throw mismatch(upload, 'other bytes')
    },
  }
}
