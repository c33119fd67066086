import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { pathToFileURL } from 'node:url'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transformWithOxc } from 'vite'
import type { Granted, GrantRequest } from '../../../sw/adapters/transports/put.ts'
import type { LedgerEntry } from '../../backend/ledger.ts'
import { listen } from '../../backend/ports.ts'
import { presign as signAgain, type Account } from '../../s3/presign.ts'
import { filesOf } from '../app.ts'

/** An object that the bucket was asked to make. Times are ms of one clock. */
export interface Made {
  readonly key: string
  readonly status: number
  /** When its request came, and when it was answered. */
  readonly fromMs: number
  readonly toMs: number
}

/** Somebody was told that an object is not there. */
export interface Missed {
  readonly key: string
  readonly atMs: number
}

/** A bucket like S3's that takes only what was signed, and makes nothing anew that is there; and the app's server, which signs. */
export interface Bucket {
  readonly url: string
  /** Every PUT that was answered, oldest first. */
  readonly made: readonly Made[]
  readonly missed: readonly Missed[]
  close(): Promise<void>
}

const ACCOUNT: Account = { keyId: 'the-app', secret: 'its secret' }
const CHECKSUM = 'x-amz-checksum-sha256'

/**
 * Whether an object was sent again since nobody could know that it would be there: who asked was told that it is not,
 * while the bucket still read what a dead browser had sent; and the bucket refused the second.
 */
export function wasOvertaken({ made, missed }: Pick<Bucket, 'made' | 'missed'>, key: string): boolean {
  const [first, second, ...more] = made.filter((one) => one.key === key)
  if (first?.status !== 200 || second?.status !== 412 || more.length > 0) return false
  return missed.some(
    ({ key: asked, atMs }) =>
      asked === key && atMs > first.fromMs && atMs < first.toMs && atMs < second.fromMs,
  )
}

/** The same of a store of the backend: what it stored counts as a 200, what it had already as a 412. */
export function requestsOf(
  ledger: readonly LedgerEntry[],
  store: Pick<LedgerEntry, 'service' | 'method'>,
): Pick<Bucket, 'made' | 'missed'> {
  const of = ledger.filter(({ service }) => service === store.service)
  return {
    made: of
      .filter(({ method, changed, duplicate }) => method === store.method && (changed || duplicate))
      .map(({ key = '', changed, at, durationMs = Infinity }) => ({
        key,
        status: changed ? 200 : 412,
        fromMs: at,
        toMs: at + durationMs,
      })),
    missed: of
      .filter(({ status = 0, changed, duplicate }) => status >= 400 && !changed && !duplicate)
      .map(({ key = '', at }) => ({ key, atMs: at })),
  }
}

/**
 * The app's server signs by the guide's own lines, of `src/signer.ts`; the bucket checks that by another signer.
 *
 * @param folder where the signer is compiled
 * @param bytesPerSec how fast each request's body is read
 * @param onPut what each PUT waits for before it is read
 */
export async function startBucket(
  folder: string,
  bytesPerSec: () => number,
  onPut: () => Promise<void> = async () => undefined,
): Promise<Bucket> {
  const { 'src/signer.ts': source = '' } = await filesOf('guide.md')
  const file = join(folder, 'signer.js')
  await writeFile(file, (await transformWithOxc(source, 'signer.ts')).code)
  const { presign } = (await import(pathToFileURL(file).href)) as {
    presign: (bucket: unknown, wanted: GrantRequest) => Granted
  }
  const objects = new Map<string, Buffer>()
  const made: Made[] = []
  const missed: Missed[] = []
  /** By a session's name: the address of its head of each size. */
  const heads = new Map<string, Map<number, string>>()

  async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of request as AsyncIterable<Buffer>) {
        pieces.push(piece)
        await new Promise((go) => setTimeout(go, (piece.length / bytesPerSec()) * 1_000))
      }
      // Whoever is gone while the body is read has sent nothing: else a death leaves what nobody could ask for yet.
      await new Promise((go) => setTimeout(go, 20))
      return request.complete && !request.socket.destroyed ? Buffer.concat(pieces) : undefined
    } catch {
      return undefined
    }
  }

  function isSigned({ method = '', url = '', headers }: IncomingMessage, origin: string): boolean {
    const { pathname, searchParams } = new URL(url, origin)
    const date = searchParams.get('X-Amz-Date') ?? ''
    const atMs = Date.parse(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
    const names = (searchParams.get('X-Amz-SignedHeaders') ?? '').split(';').filter((name) => name !== 'host')
    const sent = Object.fromEntries(names.map((name) => [name, String(headers[name])]))
    const again = signAgain(ACCOUNT, { method, url: `${origin}${pathname}`, headers: sent, atMs }, 900)
    return new URL(again.url).searchParams.get('X-Amz-Signature') === searchParams.get('X-Amz-Signature')
  }

  async function answer(request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', origin)
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-methods', 'GET, HEAD, PUT, POST')
    response.setHeader('access-control-allow-headers', `if-none-match, x-amz-checksum-mode, ${CHECKSUM}`)
    response.setHeader('access-control-expose-headers', CHECKSUM)
    const { method } = request
    if (method === 'OPTIONS') return void response.end()
    if (pathname === '/presign') {
      const wanted = JSON.parse(String(await bodyOf(request))) as GrantRequest
      const { head, cid } = wanted
      if (head) heads.set(head.session, (heads.get(head.session) ?? new Map()).set(head.size, cid))
      const granted = presign({ url: origin, region: 'us-east-1', ...ACCOUNT }, wanted)
      return void response.end(JSON.stringify(granted))
    }
    // For readers, as a gateway in front of it would have it.
    if (pathname.startsWith('/ipfs/')) {
      const bytes = objects.get(pathname.slice(6))
      // A connection that is kept may be closed just when it is used again.
      response.setHeader('connection', 'close')
      return void response.writeHead(bytes ? 200 : 404).end(bytes)
    }
    if (pathname.startsWith('/heads/')) {
      const bySize = [...(heads.get(pathname.slice(7)) ?? [])].sort(([a], [b]) => b - a)
      const bytes = bySize.map(([, cid]) => objects.get(cid)).find((one) => one !== undefined)
      response.setHeader('connection', 'close')
      return void response.writeHead(bytes ? 200 : 404).end(bytes)
    }
    const key = pathname.slice(1)
    if (!isSigned(request, origin))
      return void response.writeHead(403).end('<Code>SignatureDoesNotMatch</Code>')
    if (method === 'PUT') {
      const fromMs = performance.now()
      await onPut()
      const bytes = await bodyOf(request)
      if (bytes === undefined) return
      const digest = createHash('sha256').update(bytes).digest('base64')
      const isThere = request.headers['if-none-match'] === '*' && objects.has(key)
      const status = isThere ? 412 : digest === request.headers[CHECKSUM] ? 200 : 400
      made.push({ key, status, fromMs, toMs: performance.now() })
      if (status === 200) objects.set(key, bytes)
      return void response.writeHead(status, status === 200 ? { [CHECKSUM]: digest } : {}).end()
    }
    const bytes = objects.get(key)
    if (bytes === undefined) {
      missed.push({ key, atMs: performance.now() })
      return void response.writeHead(404).end()
    }
    const digest = createHash('sha256').update(bytes).digest('base64')
    response.writeHead(200, { 'content-length': bytes.length, [CHECKSUM]: digest })
    response.end(method === 'GET' ? bytes : undefined)
  }

  let url = ''
  const server = createServer((request, response) => {
    answer(request, response, url).catch(() => response.destroy())
  })
  url = `http://127.0.0.1:${await listen(server, { port: 0, wantedBy: 'the bucket', option: '' })}`
  return {
    url,
    made,
    missed,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
