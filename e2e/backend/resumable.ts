import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from './atomic-file.ts'
import { collect, ConnectionLost, drain, json } from './exchange.ts'
import type { Bytes, Exchange, Reply, Service } from './exchange.ts'
import { received } from './resent.ts'
import { MODERN_CID, parseCid, type UnixfsStore } from './unixfs-store.ts'

export interface ResumableServerOptions {
  readonly folder: string
  /** Path of the endpoint; uploads are below it. */
  readonly mount: string
  /** It tells no digests, forgets an upload once it is complete, and signs the URLs of uploads. */
  readonly mute: boolean
  /** Finished uploads go here, so that the gateway has them. */
  readonly store: UnixfsStore
}

/** What becomes of uploads. */
export interface ResumableControl {
  /** The unfinished or finished upload of this content is gone: 404 as if never heard of, 410 as expired. */
  vanish(cid: string, status: 404 | 410): Promise<void>
}

/** What is on disk of an upload, beside its bytes. */
interface Kept {
  readonly cid: string | undefined
  readonly length: number | undefined
  /** What the client says that the digest of all bytes is, in Base64. */
  readonly digest: string | undefined
  readonly wantsDigest: boolean
  readonly complete: boolean
}

interface Upload {
  readonly id: string
  kept: Kept
  offset: number
  /** Ends the request that appends now; resolves once it has. */
  interrupt(): Promise<void>
}

/** More than the first part that a client sends, and less than those that it could send. */
const MAX_APPEND_BYTES = 180_000
const MIN_APPEND_BYTES = 1000
const LIMITS = `max-size=1000000000, min-size=0, max-append-size=${MAX_APPEND_BYTES}, min-append-size=${MIN_APPEND_BYTES}, max-age=86400`

/**
 * A strict server of draft-ietf-httpbis-resumable-upload, by the editors' text of 2026-07-01 (interop version 8). It
 * sends no interim answers, which are optional; what no client of that version may send, it refuses.
 */
export async function resumableService({ folder, mount, mute, store }: ResumableServerOptions) {
  const uploads = new Map<string, Upload>()
  const expired = new Set<string>()
  const finished = new Set<string>()
  const arrived = received()
  const fileOf = (id: string) => join(folder, id)
  const stateOf = (id: string) => join(folder, `${id}.json`)
  const idle = async () => undefined

  for (const name of await readdir(folder)) {
    const id = /^(.+)\.json$/.exec(name)?.[1]
    if (id === undefined) continue
    const kept = JSON.parse(await readFile(stateOf(id), 'utf8')) as Kept
    const { size } = await stat(fileOf(id))
    uploads.set(id, { id, kept, offset: size, interrupt: idle })
    if (kept.complete && kept.cid !== undefined) finished.add(kept.cid)
  }

  async function keep(upload: Upload, change: Partial<Kept> = {}): Promise<void> {
    upload.kept = { ...upload.kept, ...change }
    await writeAtomically(stateOf(upload.id), JSON.stringify(upload.kept))
  }

  async function forget({ id }: Upload): Promise<void> {
    uploads.delete(id)
    await rm(stateOf(id), { force: true })
    await rm(fileOf(id), { force: true })
  }

  /** Appends what comes, for as long as nothing ends it; throws where it did not come to its end. */
  async function append(upload: Upload, body: Bytes): Promise<void> {
    const stop = new AbortController()
    const ended = new Promise<undefined>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve(undefined))
    })
    const appending = (async () => {
      const file = await open(fileOf(upload.id), 'a')
      try {
        const pieces = body[Symbol.asyncIterator]()
        for (;;) {
          const step = await Promise.race([pieces.next(), ended])
          if (step === undefined) throw new ConnectionLost('A later request for the same upload came')
          if (step.done === true) return
          await file.write(step.value)
          upload.offset += step.value.byteLength
          const { length } = upload.kept
          if (length === undefined || upload.offset <= length) continue
          await forget(upload)
          throw new ConnectionLost('More came than the upload has')
        }
      } finally {
        await file.close()
        upload.interrupt = idle
      }
    })()
    upload.interrupt = async () => {
      stop.abort()
      await appending.catch(() => undefined)
    }
    return appending
  }

  /** The answer of the resource to which the upload was meant. */
  async function complete(upload: Upload, { record }: Exchange): Promise<Reply> {
    const { id, kept } = upload
    const digest = createHash('sha256')
      .update(await readFile(fileOf(id)))
      .digest('base64')
    if (kept.digest !== undefined && kept.digest !== digest && !mute) {
      await forget(upload)
      return problem(400, 'digest-mismatching-values', { 'upload-complete': '?1' })
    }
    await store.add(createReadStream(fileOf(id)), MODERN_CID)
    await keep(upload, { complete: true, length: upload.offset })
    const cid = kept.cid ?? id
    record.update({ changed: !finished.has(cid), duplicate: finished.has(cid) })
    finished.add(cid)
    if (mute) await forget(upload)
    return finalAnswer(upload, digest)
  }

  const finalAnswer = ({ kept }: Upload, digest: string) =>
    json(
      200,
      { cid: kept.cid },
      { 'upload-complete': '?1', ...(!mute && kept.wantsDigest && { 'repr-digest': `sha-256=:${digest}:` }) },
    )

  async function create(exchange: Exchange): Promise<Reply> {
    const { headers, body } = exchange
    const completes = booleanIn(headers['upload-complete'])
    if (completes === undefined) return refused(exchange, 'This takes resumable uploads alone')
    const content = integerIn(headers['content-length'])
    const length = integerIn(headers['upload-length'])
    if (completes && length !== undefined && content !== undefined && length !== content)
      return problem(400, 'inconsistent-upload-length', { 'upload-complete': '?0' })
    if (content !== undefined && content > MAX_APPEND_BYTES) return tooLarge(exchange)
    const id = crypto.randomUUID()
    const upload: Upload = {
      id,
      kept: {
        cid: exchange.record.entry.key,
        length: length ?? (completes ? content : undefined),
        digest: digestIn(headers['repr-digest']),
        wantsDigest: wantsDigest(headers['want-repr-digest']),
        complete: false,
      },
      offset: 0,
      interrupt: idle,
    }
    uploads.set(id, upload)
    await writeFile(fileOf(id), '')
    await keep(upload)
    await append(upload, body)
    if (completes) return complete(upload, exchange)
    const location = mute ? `${mount.slice(1)}/${id}?signature=secret` : `${mount}/${id}`
    return { status: 201, headers: { location, 'upload-complete': '?0', 'upload-limit': LIMITS } }
  }

  async function appendTo(upload: Upload, exchange: Exchange): Promise<Reply> {
    const { headers } = exchange
    if (headers['content-type'] !== 'application/partial-upload')
      return refused(exchange, 'An append is application/partial-upload', 415)
    const offset = integerIn(headers['upload-offset'])
    const completes = booleanIn(headers['upload-complete'])
    if (offset === undefined || completes === undefined)
      return refused(exchange, 'An append has Upload-Offset and Upload-Complete')
    const content = integerIn(headers['content-length'])
    if (content !== undefined && content > MAX_APPEND_BYTES) return tooLarge(exchange)
    if (content !== undefined && content < MIN_APPEND_BYTES && !completes)
      return refused(exchange, 'This is less than min-append-size')
    await upload.interrupt()
    if (offset !== upload.offset) {
      await drain(exchange.body)
      const at = { 'upload-complete': '?0', 'upload-offset': String(upload.offset) }
      const members = { 'expected-offset': upload.offset, 'provided-offset': offset }
      return problem(409, 'mismatching-upload-offset', at, members)
    }
    const { kept } = upload
    const lengths = [
      kept.length,
      integerIn(headers['upload-length']),
      completes && content !== undefined ? offset + content : undefined,
    ].filter((length) => length !== undefined)
    if (new Set(lengths).size > 1) {
      await drain(exchange.body)
      return problem(400, 'inconsistent-upload-length', { 'upload-complete': '?0' })
    }
    if (kept.complete) {
      // Its final answer was lost: told again to whoever completes it again with nothing.
      if (!completes || (content ?? 0) > 0) return refused(exchange, 'The upload is complete')
      return finalAnswer(upload, await digestOf(upload))
    }
    if (kept.length === undefined && lengths[0] !== undefined) await keep(upload, { length: lengths[0] })
    await append(upload, exchange.body)
    return completes ? complete(upload, exchange) : { status: 204, headers: { 'upload-complete': '?0' } }
  }

  const digestOf = async ({ id }: Upload) =>
    createHash('sha256')
      .update(await readFile(fileOf(id)))
      .digest('base64')

  async function retrieve(upload: Upload, { headers }: Exchange): Promise<Reply> {
    await upload.interrupt()
    const { complete, length } = upload.kept
    const tells = !mute && complete && wantsDigest(headers['want-repr-digest'])
    return {
      status: 204,
      headers: {
        'upload-offset': String(upload.offset),
        'upload-complete': complete ? '?1' : '?0',
        ...(length !== undefined && { 'upload-length': String(length) }),
        'upload-limit': LIMITS,
        'cache-control': 'no-store',
        ...(tells && { 'repr-digest': `sha-256=:${await digestOf(upload)}:` }),
      },
    }
  }

  const idIn = (path: string) => path.slice(mount.length + 1)

  async function handle(exchange: Exchange): Promise<Reply> {
    const { method, path, headers } = exchange
    if (headers['upload-draft-interop-version'] !== '8')
      return refused(exchange, 'This speaks interop version 8')
    const id = idIn(path)
    if (id === '') {
      if (method === 'POST') return create(exchange)
      await drain(exchange.body)
      return method === 'OPTIONS'
        ? { status: 204, headers: { 'upload-limit': LIMITS } }
        : { status: 405, body: 'Method Not Allowed\n' }
    }
    const upload = uploads.get(id)
    if (upload === undefined) {
      await drain(exchange.body)
      return { status: expired.has(id) ? 410 : 404, body: 'No such upload\n' }
    }
    if (method === 'PATCH') return appendTo(upload, exchange)
    await drain(exchange.body)
    if (method === 'HEAD' || method === 'GET') return retrieve(upload, exchange)
    if (method !== 'DELETE') return { status: 405, body: 'Method Not Allowed\n' }
    await upload.interrupt()
    await forget(upload)
    return { status: 204 }
  }

  /** Also of uploads that are gone, for the ledger. */
  const contentOf = new Map([...uploads].map(([id, { kept }]) => [id, kept.cid]))

  const service: Service = {
    name: 'resumable',
    answersOptions: true,
    async prepare(exchange) {
      const { method, path, headers, record } = exchange
      const key = method === 'POST' ? nameIn(headers['content-disposition']) : contentOf.get(idIn(path))
      record.update({ key })
      if (method !== 'PATCH') return exchange
      return arrived.count(exchange, key ?? path, Number(headers['upload-offset']))
    },
    async handle(exchange) {
      const reply = await handle(exchange)
      if (exchange.method === 'POST' && reply.status === 201) {
        const id = reply.headers?.['location']?.replace(/^.*\/|\?.*$/g, '') ?? ''
        contentOf.set(id, exchange.record.entry.key)
      }
      return reply
    },
    async lie(exchange) {
      if (exchange.method !== 'PATCH') return handle(exchange)
      await collect(exchange.body)
      return { status: 204, headers: { 'upload-complete': String(exchange.headers['upload-complete']) } }
    },
  }
  const control: ResumableControl = {
    async vanish(cid, status) {
      for (const upload of [...uploads.values()].filter(({ kept }) => kept.cid === cid)) {
        await forget(upload)
        if (status === 410) expired.add(upload.id)
      }
      finished.delete(cid)
    },
  }
  return { service, control }
}

async function refused({ body }: Exchange, why: string, status = 400): Promise<Reply> {
  await drain(body)
  return { status, headers: { 'upload-complete': '?0' }, body: `${why}\n` }
}

async function tooLarge({ body }: Exchange): Promise<Reply> {
  await drain(body)
  return { status: 413, headers: { 'upload-complete': '?0', 'upload-limit': LIMITS } }
}

const problem = (
  status: number,
  type: string,
  headers: Record<string, string>,
  members: Record<string, unknown> = {},
): Reply =>
  json(
    status,
    { type: `https://iana.org/assignments/http-problem-types#${type}`, title: type, ...members },
    { 'content-type': 'application/problem+json', ...headers },
  )

/** A header of another form counts as absent. */
const integerIn = (header: string | string[] | undefined) =>
  /^\d{1,15}$/.test(String(header)) ? Number(header) : undefined
const booleanIn = (header: string | string[] | undefined) =>
  header === '?1' ? true : header === '?0' ? false : undefined

const digestIn = (header: string | string[] | undefined) =>
  /(?:^|,\s*)sha-256=:([\w+/]+=*):/.exec(String(header))?.[1]
const wantsDigest = (header: string | string[] | undefined) => /(?:^|,\s*)sha-256=[1-9]/.test(String(header))

/** The content address that a client gave as the file's name. */
const nameIn = (header: string | string[] | undefined) => {
  const name = /^inline; filename="([^"]+)"$/.exec(String(header))?.[1]
  return name === undefined ? undefined : parseCid(name)?.toString()
}
