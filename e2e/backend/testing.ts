import { createCipheriv, createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { request, type ClientRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBackend, type Backend, type BackendOptions } from './index.ts'
import { repositoryRoot } from './repository-root.ts'

/** A data folder of its own, and backends on it: for this folder's tests. */
export interface Sandbox {
  readonly dataDir: string
  /** What the backends of this sandbox logged. */
  readonly lines: string[]
  /** Called with each further line. */
  told: (line: string) => void
  start(options?: Partial<BackendOptions>): Promise<Backend>
  /** Stop what still runs, and delete the folder. */
  clear(): Promise<void>
}

/** One place for all, so that the tests compile the contract once. */
export const ARTIFACTS = join(repositoryRoot(), 'dist', 'e2e', 'artifacts')

/** Blocks are mined by the tests: the clock brings one a minute. */
export async function sandbox(): Promise<Sandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'holdfast-backend-'))
  const running: Backend[] = []
  const lines: string[] = []
  const box: Sandbox = {
    dataDir,
    lines,
    told: () => undefined,
    async start(options = {}) {
      const log = (line: string) => {
        lines.push(line)
        box.told(line)
      }
      const backend = await startBackend({
        dataDir,
        artifactDir: ARTIFACTS,
        port: 0,
        chainPort: 0,
        blockTimeSec: 60,
        log,
        ...options,
      })
      running.push(backend)
      return backend
    },
    async clear() {
      for (const backend of running) await backend.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return box
}

/** The vectors' byte stream: SHA-256(label, counter) for counters from 0, cut to size. */
export function bytesOf(label: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes)
  const counter = Buffer.alloc(4)
  for (let at = 0, k = 0; at < sizeBytes; at += 32, k += 1) {
    counter.writeUInt32BE(k)
    const block = createHash('sha256').update(label).update(counter).digest()
    bytes.set(block.subarray(0, Math.min(32, sizeBytes - at)), at)
  }
  return bytes
}

/** Other bytes for each label, in no time. */
export function noise(label: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const key = createHash('sha256').update(label).digest()
  return Uint8Array.from(createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes)))
}

export const MODERN = 'cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024'

export interface Added {
  readonly Name: string
  readonly Hash: string
  readonly Size: string
}

/** Upload a file as a page does. */
export async function addFile(
  backend: Backend,
  bytes: Uint8Array<ArrayBuffer>,
  query = MODERN,
  name = 'blob',
): Promise<Response> {
  const form = new FormData()
  form.append('file', new Blob([bytes]), name)
  return fetch(`${backend.endpoints.ipfs}/api/v0/add?${query}`, { method: 'POST', body: form })
}

/** Upload a file, and its content address. */
export async function added(
  backend: Backend,
  bytes: Uint8Array<ArrayBuffer>,
  query = MODERN,
): Promise<string> {
  const response = await addFile(backend, bytes, query)
  if (!response.ok) throw new Error(`add: ${response.status} ${await response.text()}`)
  return ((await response.json()) as Added).Hash
}

/** Whether the store says that it keeps this content. */
export async function isPinned(backend: Backend, cid: string): Promise<boolean> {
  const url = `${backend.endpoints.ipfs}/api/v0/pin/ls?arg=${cid}&type=recursive`
  const response = await fetch(url, { method: 'POST' })
  return response.ok && cid in ((await response.json()) as { Keys: Record<string, unknown> }).Keys
}

/** Begin an upload of which only the first bytes are sent. */
export function beginAdd(backend: Backend, bytes: Uint8Array, declaredBytes: number): ClientRequest {
  const boundary = 'cut-off-boundary'
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="blob"\r\n\r\n`
  const upload = request(`${backend.endpoints.ipfs}/api/v0/add?${MODERN}`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length':
        Buffer.byteLength(head) + declaredBytes + Buffer.byteLength(`\r\n--${boundary}--\r\n`),
    },
  })
  upload.on('error', () => undefined)
  upload.write(head)
  upload.write(bytes)
  return upload
}

/** What the relay is asked for. */
export interface Call {
  sessionId: string
  merkleRoot: string
  manifestCid: string
  chunkCount: number
  groupIds: string[]
}

export const aCall = (change: Partial<Call> = {}): Call => ({
  sessionId: randomUUID(),
  merkleRoot: 'ab'.repeat(32),
  manifestCid: 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
  chunkCount: 2,
  groupIds: [`0x${'11'.repeat(32)}`],
  ...change,
})

export interface RelayAnswer {
  readonly status: number
  readonly retryAfter: string | null
  readonly transactionHash?: string
  readonly error?: string
  readonly field?: string
}

/** Ask the relay to anchor. */
export async function relay(
  backend: Backend,
  call: unknown,
  key: string = randomUUID(),
): Promise<RelayAnswer> {
  const response = await fetch(backend.endpoints.relayUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(call),
  })
  const answer = (await response.json()) as Omit<RelayAnswer, 'status' | 'retryAfter'>
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...answer }
}

export interface Receipt {
  readonly status: string
  readonly blockNumber: string
}

export async function receiptOf(backend: Backend, hash: string | undefined): Promise<Receipt | null> {
  return (await backend.chain.rpc('eth_getTransactionReceipt', [hash])) as Receipt | null
}
