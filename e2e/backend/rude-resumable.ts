import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { collect } from './exchange.ts'
import { serverOfTest } from './server-of-test.ts'

/** How the server misbehaves, or what it lacks. */
export interface Rudeness {
  /** Whether it tells the digest of what it has; default true. */
  digests?: boolean
  /** Answers to appends have content of their own, and its digest with it (RFC 9530, B.7). */
  readonly repliesDigest?: boolean
  /** It stores another byte than it was sent, and calls the upload complete. */
  damages?: boolean
  /** An upload is forgotten once it is complete. */
  readonly forgetsWhole?: boolean
  /** GET of an upload gives its content; default: 204 without, as the draft has it. */
  readonly readable?: boolean
  /** Location of an upload; `/files/{id}` if absent. */
  readonly location?: (id: string) => string
  /** An upload is there under this query alone. */
  readonly query?: string
  /** POST is redirected (307) to this folder. */
  readonly redirect?: string
  /** `Upload-Limit` of each answer. */
  limits?: string
  /** Creations are refused with this status. */
  refusesCreation?: number
  /** Interim answers (104) come before the final one. */
  readonly interim?: boolean
  /** Headers that CORS hides, or that the server does not send; in lower case. */
  readonly hides?: readonly string[]
  /** What HEAD tells instead of what is so. */
  readonly answers?: { readonly offset?: string; readonly complete?: string; readonly length?: string }
  /** HEAD tells so many bytes more than there are. */
  readonly beyond?: number
  /** Answers to the next appends, without effect, in place of the server's own. */
  readonly appends?: {
    readonly status: number
    readonly headers?: Record<string, string>
    readonly body?: string
  }[]
  /** Appends of more bytes are refused by something on the way (413). */
  readonly mostBytes?: number
  /** With that `Retry-After`, s. */
  readonly retryAfter?: number
  /** The answer to the append that completes an upload is lost, so many times. */
  losesLast?: number
}

interface Stored {
  readonly length: number
  content: Buffer
  complete: boolean
}

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly bytes: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** A server of resumable uploads that answers as badly as it is told to. Under `/read/` it has its newest upload. */
export async function rudeResumable(rudeness: Rudeness) {
  const uploads = new Map<string, Stored>()
  const seen: Seen[] = []
  let created = 0
  let newest: Buffer = Buffer.alloc(0)

  const digestOf = (content: Buffer) => ({
    ...((rudeness.digests ?? true) && {
      'Repr-Digest': `sha-256=:${createHash('sha256').update(content).digest('base64')}:`,
    }),
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers, url: path = '/' } = request
    const body = await collect(request)
    const url = new URL(path, 'http://rude')
    seen.push({ method, path, bytes: body.length, headers })
    const { redirect, limits, hides = [] } = rudeness
    const folder = redirect ?? '/files/'
    const end = (status: number, told: Record<string, string> = {}, content: Buffer | string = '') => {
      const shown = Object.entries({ ...(limits && { 'Upload-Limit': limits }), ...told })
      if (rudeness.interim === true)
        response.socket?.write('HTTP/1.1 104 Upload Resumption Supported\r\nUpload-Offset: 1\r\n\r\n')
      response
        .writeHead(status, Object.fromEntries(shown.filter(([name]) => !hides.includes(name.toLowerCase()))))
        .end(content)
    }

    if (url.pathname.startsWith('/read/')) return newest.length > 0 ? end(200, {}, newest) : end(404)
    if (method === 'POST') {
      if (redirect !== undefined && url.pathname !== redirect) return end(307, { Location: redirect })
      if (rudeness.refusesCreation !== undefined) return end(rudeness.refusesCreation)
      const id = `u${(created += 1)}`
      uploads.set(id, { length: Number(headers['upload-length']), content: body, complete: false })
      return end(201, { Location: rudeness.location?.(id) ?? `/files/${id}`, 'Upload-Complete': '?0' })
    }

    const id = url.pathname.slice(folder.length)
    const upload = url.search === (rudeness.query ?? '') ? uploads.get(id) : undefined
    if (upload === undefined || !url.pathname.startsWith(folder)) return end(404)
    if (method === 'PATCH') {
      const scripted = rudeness.appends?.shift()
      if (scripted !== undefined) return end(scripted.status, scripted.headers, scripted.body)
      const { mostBytes = Infinity, retryAfter } = rudeness
      if (body.length > mostBytes)
        return end(413, retryAfter === undefined ? {} : { 'Retry-After': `${retryAfter}` })
      if (Number(headers['upload-offset']) !== upload.content.length)
        return end(409, { 'Upload-Complete': '?0', 'Upload-Offset': String(upload.content.length) })
      const stored = Buffer.from(body)
      if (rudeness.damages === true && stored.length > 0) stored[0] = (stored[0] ?? 0) ^ 0xff
      upload.content = Buffer.concat([upload.content, stored])
      if (headers['upload-complete'] !== '?1') return end(204, { 'Upload-Complete': '?0' })
      upload.complete = true
      newest = upload.content
      if (rudeness.forgetsWhole === true) uploads.delete(id)
      if ((rudeness.losesLast ?? 0) > 0) {
        rudeness.losesLast = (rudeness.losesLast ?? 0) - 1
        return void response.destroy()
      }
      const reply = rudeness.repliesDigest === true ? '{"ok":true}' : ''
      return end(
        200,
        { 'Upload-Complete': '?1', ...digestOf(reply ? Buffer.from(reply) : upload.content) },
        reply,
      )
    }
    if (method === 'HEAD' || method === 'GET') {
      const { content, length, complete } = upload
      const { answers = {} } = rudeness
      const told = {
        'Upload-Offset': answers.offset ?? String(content.length + (rudeness.beyond ?? 0)),
        'Upload-Length': answers.length ?? String(length),
        'Upload-Complete': answers.complete ?? (complete ? '?1' : '?0'),
        ...(complete && digestOf(content)),
      }
      return rudeness.readable === true ? end(200, told, content) : end(204, told)
    }
    return end(405)
  }

  const origin = await serverOfTest(answer)
  return {
    endpoint: `${origin}/files`,
    readUrl: () => `${origin}/read/it`,
    seen: (method: string) => seen.filter((one) => one.method === method),
  }
}
