import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { collect } from './exchange.ts'
import { serverOfTest } from './server-of-test.ts'

/** How the server misbehaves; each is from a public report of a tus server or of the proxy before it. */
export interface Rudeness {
  checksums?: boolean
  /** What OPTIONS is answered; `bare`: 204 without any tus header, as a proxy answers for the server. */
  options?: number | 'bare'
  /** What is not there is answered so, by the server itself; default 404, without the protocol's header. */
  readonly goneStatus?: number
  /** HEAD tells no Upload-Length, or CORS hides it. */
  readonly hidesLength?: boolean
  /** How HEAD writes the length. */
  readonly lengthAs?: (sizeBytes: number) => string
  /** How each answer writes the offset. */
  readonly offsetAs?: (offset: number) => string
  /** An upload is forgotten once it is whole, as by a hook that moves it. */
  forgetsWhole?: boolean
  readonly readable?: boolean
  /** GET of an upload is answered so, without content. */
  getStatus?: number | undefined
  /** Larger parts are refused by something on the way (413). */
  readonly mostBytes?: number
  /** With that `Retry-After`, s. */
  readonly retryAfter?: number
  /** Location of an upload; `/files/{id}` if absent. */
  readonly location?: (id: string) => string
  /** An upload is there under this query alone. */
  readonly query?: string
  /** POST is redirected (307) to this folder. */
  readonly redirect?: string
  /** The endpoint, and all below it, is led to this folder instead, by this status. */
  readonly moved?: { readonly to: string; readonly status: number }
  readonly headStatus?: number
  /** So many of the next requests to uploads, POST not among them, are denied with 403, as by an authentication hook; Infinity: all. */
  denied?: number
  /** POST is answered so, without effect. */
  readonly createStatus?: number
  /** The part that would make an upload whole is answered with 500, and the upload is forgotten. */
  readonly refusesLast?: boolean
  /** Each PATCH is answered so, without effect; 204: with the offset that there was. */
  readonly patchStatus?: 204 | 409
  /** HEAD tells so many bytes more than there are. */
  readonly beyond?: number
  /** The versions that it speaks, where 1.0.0 is none of them. */
  readonly versions?: string
  /** What OPTIONS tells of algorithms; default `sha1,sha256` where it has `checksums`. */
  readonly algorithms?: string
  /** HEAD tells that so many bytes more are to come than the creation said. */
  readonly longer?: number
}

interface Stored {
  readonly sizeBytes: number
  content: Buffer
}

/** In each answer of the server itself (tus 1.0, Tus-Resumable), its hooks' among them. */
const RESUMABLE = { 'Tus-Resumable': '1.0.0' }

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A tus server that answers like the worst of the public reports. */
export async function rudeTus(rudeness: Rudeness) {
  const uploads = new Map<string, Stored>()
  const seen: Seen[] = []
  let received = 0
  let created = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await collect(request)
    const { method = '', headers, url: path = '/' } = request
    seen.push({ method, path, body, headers })
    const url = new URL(path, 'http://rude')
    const end = (status: number, headers: Record<string, string> = {}, content?: Buffer) =>
      void response.writeHead(status, headers).end(content)

    const { moved } = rudeness
    if (moved && !path.startsWith(moved.to))
      return end(moved.status, { Location: path.replace(/^\/files\/?/, moved.to) })
    if (request.method === 'OPTIONS') {
      const { options = 204, checksums } = rudeness
      if (options === 'bare') return end(204)
      const { algorithms = 'sha1,sha256' } = rudeness
      const offered = checksums ? { 'Tus-Checksum-Algorithm': algorithms } : undefined
      return end(options, options < 300 ? { 'Tus-Version': '1.0.0', ...offered } : {})
    }
    const { versions } = rudeness
    if (versions !== undefined) return end(412, { 'Tus-Version': versions })
    if (request.method === 'POST') {
      const { redirect } = rudeness
      if (redirect !== undefined && url.pathname !== redirect) return end(307, { Location: redirect })
      if (rudeness.createStatus !== undefined) return end(rudeness.createStatus)
      const id = `u${(created += 1)}`
      uploads.set(id, { sizeBytes: Number(request.headers['upload-length']), content: Buffer.alloc(0) })
      return end(201, { Location: rudeness.location?.(id) ?? `${moved?.to ?? '/files/'}${id}` })
    }

    const folder = rudeness.redirect ?? moved?.to ?? '/files/'
    const upload = uploads.get(url.pathname.slice(folder.length))
    const isThere = url.pathname.startsWith(folder) && url.search === (rudeness.query ?? '')
    if (rudeness.denied) {
      rudeness.denied -= 1
      return end(403, RESUMABLE)
    }
    const { goneStatus } = rudeness
    const gone = () => (goneStatus === undefined ? end(404) : end(goneStatus, RESUMABLE))
    if (upload === undefined || !isThere) return gone()
    const { sizeBytes } = upload
    if (rudeness.forgetsWhole && upload.content.length === sizeBytes) return gone()
    const { offsetAs = String } = rudeness
    const offset = () => ({ 'Upload-Offset': offsetAs(upload.content.length + (rudeness.beyond ?? 0)) })
    switch (request.method) {
      case 'HEAD':
        return end(rudeness.headStatus ?? 200, {
          ...offset(),
          ...(!rudeness.hidesLength && {
            'Upload-Length': rudeness.lengthAs?.(sizeBytes) ?? String(sizeBytes + (rudeness.longer ?? 0)),
          }),
        })
      case 'PATCH': {
        if (rudeness.patchStatus !== undefined) {
          received += body.length
          return end(rudeness.patchStatus, offset())
        }
        if (body.length > (rudeness.mostBytes ?? Infinity)) {
          const { retryAfter } = rudeness
          return end(413, retryAfter === undefined ? {} : { 'Retry-After': `${retryAfter}` })
        }
        if (Number(request.headers['upload-offset']) !== upload.content.length) return end(409)
        const [algorithm, digest] = String(request.headers['upload-checksum'] ?? '').split(' ')
        if (algorithm && createHash(algorithm).update(body).digest('base64') !== digest) return end(460)
        upload.content = Buffer.concat([upload.content, body])
        received += body.length
        if (rudeness.refusesLast && upload.content.length === sizeBytes) {
          uploads.delete(url.pathname.slice(folder.length))
          return end(500)
        }
        return end(204, { 'Upload-Offset': offsetAs(upload.content.length) })
      }
      case 'GET':
        if (rudeness.getStatus !== undefined) return end(rudeness.getStatus)
        return rudeness.readable ? end(200, {}, upload.content) : end(405)
      case 'DELETE':
        uploads.delete(url.pathname.slice(folder.length))
        return end(204)
      default:
        return end(405)
    }
  }

  const origin = await serverOfTest(answer)
  return {
    endpoint: `${origin}/files`,
    /** Bytes of content that were taken, of all uploads. */
    received: () => received,
    seen: (method: string) => seen.filter((one) => one.method === method),
  }
}
