import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from './atomic-file.ts'
import { collect, drain, json, streamOf, type Exchange, type Reply, type Service } from './exchange.ts'
import { flipped } from './flipped.ts'
import { received } from './resent.ts'
import type { Tokens } from './tokens.ts'
import { MODERN_CID, parseCid, type UnixfsStore } from './unixfs-store.ts'

export interface PutOptions {
  readonly folder: string
  readonly tokens: Tokens
  /** What is stored goes here too, so that the gateway has it. */
  readonly store: UnixfsStore
}

/** What the app's own server is asked for; its token in the header. */
interface GrantBody {
  readonly method: string
  readonly cid: string
  /** Signed as `x-amz-checksum-sha256`; without it the store keeps no checksum. */
  readonly checksum?: string
  /** Default 900; 0 or less makes a URL that has expired. */
  readonly expiresSec?: number
}

const CHECKSUM = 'x-amz-checksum-sha256'
const MODE = 'x-amz-checksum-mode'

/**
 * An object store as S3 is (docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html) under `/put/objects/KEY`, for
 * presigned requests alone; and the app's server that signs them: `POST /put/token?ttlMs=`, `POST /put/grant`, and for
 * whoever tries the quick start, without a token, `POST /put/presign`, whose PUT writes over nothing.
 * The signature is not AWS's (it takes the same parts), the rest follows its documentation.
 */
export function putService({ folder, tokens, store }: PutOptions): Service {
  const objects = new ObjectFiles(folder)
  const arrived = received()

  async function perform(exchange: Exchange, honest: boolean): Promise<Reply> {
    const { method, path, query } = exchange
    if (path === '/put/token' && method === 'POST') {
      await drain(exchange.body)
      return json(200, { token: tokens.mint(Number(query.get('ttlMs') ?? 3_600_000)) })
    }
    if (path === '/put/grant' && method === 'POST')
      return tokens.accepts(exchange.headers.authorization)
        ? grant(exchange)
        : refuse(exchange, json(401, { error: 'Sign in again' }))
    if (path === '/put/presign' && method === 'POST') return grant(exchange, { 'if-none-match': '*' })
    const key = /^\/put\/objects\/([\w-]+)$/.exec(path)?.[1]
    if (key === undefined) return xmlError(404, 'NoSuchKey', 'Nothing here')
    const refused = refusalOf(exchange, key)
    if (refused !== undefined) return refuse(exchange, refused)
    switch (method) {
      case 'PUT':
        return honest ? put(exchange, key) : lieAboutPut(exchange)
      case 'HEAD':
      case 'GET':
        return get(exchange, key, honest)
      default:
        return xmlError(405, 'MethodNotAllowed', 'The specified method is not allowed')
    }
  }

  async function refuse({ body }: Exchange, reply: Reply): Promise<Reply> {
    await drain(body)
    return reply
  }

  /** @param onPut headers that a PUT has besides */
  async function grant({ headers, body }: Exchange, onPut: Record<string, string> = {}): Promise<Reply> {
    const wish = JSON.parse((await collect(body)).toString('utf8')) as GrantBody
    const { method, cid, checksum, expiresSec = 900 } = wish
    const given: Record<string, string> =
      method === 'HEAD'
        ? { [MODE]: 'ENABLED' }
        : { ...(method === 'PUT' && onPut), ...(checksum !== undefined && { [CHECKSUM]: checksum }) }
    const signed = Object.keys(given).toSorted()
    const query = new URLSearchParams({
      'X-Amz-Date': String(Date.now()),
      'X-Amz-Expires': String(expiresSec),
      'X-Amz-SignedHeaders': signed.join(';'),
    })
    query.set(
      'X-Amz-Signature',
      tokens.sign(method, cid, query.toString(), ...signed.map((name) => given[name] ?? '')),
    )
    return json(200, { url: `http://${headers.host}/put/objects/${cid}?${query}`, headers: given })
  }

  function refusalOf({ method, query, headers }: Exchange, key: string): Reply | undefined {
    const parts = new URLSearchParams(query)
    const signature = parts.get('X-Amz-Signature') ?? ''
    parts.delete('X-Amz-Signature')
    const signed = (parts.get('X-Amz-SignedHeaders') ?? '').split(';')
    const stray = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !signed.includes(name))
    if (stray !== undefined)
      return xmlError(403, 'AccessDenied', 'There were headers present in the request which were not signed')
    const values = signed.filter((name) => name !== '').map((name) => String(headers[name] ?? ''))
    if (!tokens.verifies(signature, method, key, parts.toString(), ...values))
      return xmlError(403, 'SignatureDoesNotMatch', `The signature ${signature} does not match`)
    const until = Number(parts.get('X-Amz-Date')) + Number(parts.get('X-Amz-Expires')) * 1000
    return Date.now() < until ? undefined : xmlError(403, 'AccessDenied', 'Request has expired')
  }

  async function put({ headers, body, record }: Exchange, key: string): Promise<Reply> {
    const bytes = await collect(body)
    const claimed = headers[CHECKSUM]
    const checksum = createHash('sha256').update(bytes).digest('base64')
    if (typeof claimed === 'string' && claimed !== checksum)
      return xmlError(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.')
    const before = await objects.read(key)
    const there = before?.bytes.equals(bytes) === true
    if (before !== undefined && headers['if-none-match'] === '*') {
      record.update({ duplicate: there })
      return xmlError(
        412,
        'PreconditionFailed',
        'At least one of the preconditions you specified did not hold.',
      )
    }
    await objects.write(key, { bytes, ...(claimed !== undefined && { checksum }) })
    await store.add(streamOf(bytes), MODERN_CID)
    record.update({ changed: !there, duplicate: there })
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    return { status: 200, headers: { etag, ...(claimed !== undefined && { [CHECKSUM]: checksum }) } }
  }

  async function lieAboutPut({ headers, body }: Exchange): Promise<Reply> {
    const bytes = await collect(body)
    const other = createHash('sha256').update('a lie about ').update(bytes).digest('base64')
    return {
      status: 200,
      headers: { etag: '"0"', ...(headers[CHECKSUM] !== undefined && { [CHECKSUM]: other }) },
    }
  }

  async function get({ headers, body }: Exchange, key: string, honest: boolean): Promise<Reply> {
    await drain(body)
    const object = await objects.read(key)
    if (object === undefined) return xmlError(404, 'NoSuchKey', 'The specified key does not exist.')
    const { bytes, checksum } = object
    return {
      status: 200,
      headers: {
        'content-length': String(bytes.byteLength),
        ...(headers[MODE] === 'ENABLED' && checksum !== undefined && { [CHECKSUM]: checksum }),
      },
      body: honest ? streamOf(bytes) : flipped(streamOf(bytes)),
    }
  }

  return {
    name: 'put',
    async prepare(exchange) {
      const key = /^\/put\/objects\/(.+)$/.exec(exchange.path)?.[1]
      const cid = key === undefined ? undefined : parseCid(key)?.toString()
      exchange.record.update({ key: cid })
      return cid !== undefined && exchange.method === 'PUT' ? arrived.count(exchange, cid, 0) : exchange
    },
    handle: (exchange) => perform(exchange, true),
    lie: (exchange) => perform(exchange, false),
  }
}

interface StoredObject {
  readonly bytes: Buffer
  /** As its sender claimed it; S3 tells no SHA-256 that it was not given. */
  readonly checksum?: string
}

/** Objects as files, each in full or not at all: a line of JSON, then the bytes. */
class ObjectFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read(key: string): Promise<StoredObject | undefined> {
    const file = await readFile(join(this.#folder, key)).catch(() => undefined)
    if (file === undefined) return undefined
    const end = file.indexOf('\n')
    const head = JSON.parse(file.subarray(0, end).toString('utf8')) as { checksum?: string }
    return { ...head, bytes: file.subarray(end + 1) }
  }

  async write(key: string, { bytes, ...head }: StoredObject): Promise<void> {
    await writeAtomically(
      join(this.#folder, key),
      Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes]),
    )
  }
}

const xmlError = (status: number, code: string, message: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
})
