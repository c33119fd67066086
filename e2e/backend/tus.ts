import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { FileConfigstore, FileStore } from '@tus/file-store'
import { Server, type Upload } from '@tus/server'
import { collect, drain, streamOf, type Bytes, type Exchange, type Reply, type Service } from './exchange.ts'
import { flipped } from './flipped.ts'
import { received } from './resent.ts'
import { MODERN_CID, parseCid, type UnixfsStore } from './unixfs-store.ts'

export interface TusOptions {
  readonly folder: string
  /** Path of the endpoint. */
  readonly mount: string
  /** A server with no extension but creation, which names uploads as it likes. */
  readonly plain: boolean
  /** Finished uploads go here too, so that the gateway has them. */
  readonly store: UnixfsStore
}

/** What time does to uploads. */
export interface TusControl {
  /** From now on an unfinished upload is gone (410) after so long; 0: never. */
  expireAfter(ms: number): void
  /** The unfinished or finished upload of this content is gone: 404 as if never heard of, 410 as expired. */
  vanish(cid: string, status: 404 | 410): Promise<void>
}

const CHECKSUMS = ['sha1', 'sha256']

/** A real tus 1.0 server (@tus/server with files), and in front of it the checksum extension, which it lacks. */
export async function tusService({ folder, mount, plain, store }: TusOptions) {
  const configs = new FileConfigstore(folder)
  const files = plain ? new CreationOnly({ directory: folder }) : new FileStore({ directory: folder })
  const fileOf = ({ id }: Pick<Upload, 'id'>) => join(folder, id)
  const server = new Server({
    path: mount,
    datastore: files,
    relativeLocation: true,
    // As hosts do whose upload URLs are signed; none of it is checked here.
    ...(plain && {
      generateUrl: (_request: Request, { path, id }: { path: string; id: string }) =>
        `${path}/${id}?signature=secret`,
    }),
    ...(!plain && {
      namingFunction: (_request: Request, metadata?: Record<string, string | null>) =>
        nameIn(metadata) ?? crypto.randomUUID(),
      // Creating twice under one name would truncate what is there.
      onUploadCreate: async (_request: Request, { id }: Upload) => {
        if (await files.getUpload(id).catch(() => undefined))
          throw { status_code: 409, body: 'This upload exists\n' }
        return {}
      },
    }),
    onUploadFinish: async (_request, upload) => {
      await store.add(createReadStream(fileOf(upload)), MODERN_CID)
      return {}
    },
  })

  /** Content of each upload: by its id, the name that its creator gave. */
  const contentOf = new Map<string, string>()
  const finished = new Set<string>()
  for (const id of (await configs.list?.()) ?? []) {
    const upload = await files.getUpload(id).catch(() => undefined)
    const cid = nameIn(upload?.metadata)
    if (cid === undefined) continue
    contentOf.set(id, cid)
    if (upload?.offset === upload?.size) finished.add(cid)
  }
  const arrived = received()
  const idOf = (path: string) => decodeURIComponent(path.slice(mount.length + 1).replace(/\?.*$/, ''))

  async function forward(exchange: Exchange): Promise<Reply> {
    const { method, path, headers, record } = exchange
    const checksum = plain ? undefined : headers['upload-checksum']
    let body = exchange.body
    if (method === 'PATCH' && typeof checksum === 'string') {
      const [algorithm = '', digest = ''] = checksum.split(' ')
      const part = await collect(body)
      if (!CHECKSUMS.includes(algorithm)) return { status: 400, headers: TUS, body: 'Unknown algorithm\n' }
      if (createHash(algorithm).update(part).digest('base64') !== digest)
        return { status: 460, headers: TUS, body: 'Checksum Mismatch\n' }
      body = streamOf(part)
    }
    const hasBody = method === 'PATCH' || method === 'POST'
    if (!hasBody) await drain(body)
    const request = new Request(`http://127.0.0.1${path}`, {
      method,
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(hasBody && { body: webStreamOf(body), duplex: 'half' }),
    })
    const response = await server.handleWeb(request)
    const answered: Record<string, string> = {}
    for (const [name, value] of response.headers)
      if (!name.startsWith('access-control-')) answered[name] = value
    if (method === 'OPTIONS' && !plain) {
      answered['tus-extension'] = `${answered['tus-extension']},checksum`
      answered['tus-checksum-algorithm'] = CHECKSUMS.join(',')
    }

    if (method === 'POST' && response.status === 201) {
      const id = idOf(answered['location'] ?? '')
      contentOf.set(id, record.entry.key ?? id)
    }
    if (method === 'PATCH' && response.status === 204) {
      const upload = await files.getUpload(idOf(path))
      if (upload.offset === upload.size) {
        const cid = record.entry.key ?? ''
        record.update({ changed: !finished.has(cid), duplicate: finished.has(cid) })
        finished.add(cid)
      }
    }
    const content: Bytes | null = response.body
    return { status: response.status, headers: answered, ...(content && { body: content }) }
  }

  const service: Service = {
    name: 'tus',
    answersOptions: true,
    async prepare(exchange) {
      const { method, path, headers, record } = exchange
      const key = method === 'POST' ? nameInHeader(headers['upload-metadata']) : contentOf.get(idOf(path))
      record.update({ key: key ?? (plain ? undefined : parseCid(idOf(path))?.toString()) })
      if (method !== 'PATCH') return exchange
      return arrived.count(exchange, record.entry.key ?? path, Number(headers['upload-offset']))
    },
    handle: forward,
    async lie(exchange) {
      const { method, headers } = exchange
      if (method === 'GET') {
        const reply = await forward(exchange)
        return typeof reply.body === 'object'
          ? { ...reply, body: flipped(streamOf(await all(reply.body))) }
          : reply
      }
      if (method !== 'PATCH') return forward(exchange)
      const { byteLength } = await collect(exchange.body)
      const offset = Number(headers['upload-offset']) + byteLength
      return { status: 204, headers: { ...TUS, 'upload-offset': String(offset) } }
    },
  }
  const control: TusControl = {
    expireAfter: (ms) => {
      files.expirationPeriodInMilliseconds = ms
    },
    async vanish(cid, status) {
      for (const [id, content] of contentOf) {
        if (content !== cid) continue
        await rm(join(folder, id), { force: true })
        if (status === 404) await configs.delete(id)
        finished.delete(cid)
      }
    },
  }
  return { service, control }
}

const TUS = { 'tus-resumable': '1.0.0' }

/** Files without what the protocol leaves to extensions. */
class CreationOnly extends FileStore {
  override extensions = ['creation']
}

/** The content address that a client gave as its upload's name. */
function nameIn(metadata: Record<string, string | null> | undefined): string | undefined {
  const name = metadata?.['filename'] ?? undefined
  return name === undefined ? undefined : parseCid(name)?.toString()
}

function nameInHeader(header: string | string[] | undefined): string | undefined {
  const encoded = /(?:^|,)filename ([^,]+)/.exec(String(header))?.[1]
  return encoded === undefined ? undefined : nameIn({ filename: Buffer.from(encoded, 'base64').toString() })
}

/** Ends with an error where the connection was cut off, so that the server keeps what came before. */
function webStreamOf(body: Bytes): ReadableStream<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
    async cancel() {
      await pieces.return?.()
    },
  })
}

const all = async (body: Bytes | Uint8Array): Promise<Uint8Array> =>
  body instanceof Uint8Array ? body : collect(body)
