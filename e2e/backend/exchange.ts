import type { IncomingHttpHeaders } from 'node:http'
import type { LedgerRecord } from './ledger.ts'
import type { ServiceName } from './service-name.ts'

export type Bytes = AsyncIterable<Uint8Array>

/** One request on its way through a service. */
export interface Exchange {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Address that it came from. */
  readonly client: string
  /** Throws `BodyCutOff` if the connection ends before the body does. Read it once. */
  readonly body: Bytes
  readonly record: LedgerRecord
  /** Aborts when the connection is gone. */
  readonly gone: AbortSignal
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Bytes
}

/** A service behind the one port. */
export interface Service {
  readonly name: ServiceName
  /** It has answers of its own to `OPTIONS`, beside those that browsers ask before they send. */
  readonly answersOptions?: boolean
  /** Learn the request's key before a fault may act on it. */
  prepare?(exchange: Exchange): Promise<Exchange>
  handle(exchange: Exchange): Promise<Reply>
  /** A wrong answer without effect. */
  lie?(exchange: Exchange): Promise<Reply>
}

/** The connection ended before the request's body did. */
export class BodyCutOff extends Error {
  override readonly name = 'BodyCutOff'
}

/** A service cannot answer because something behind it is gone: the connection is cut. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: `${JSON.stringify(value)}\n`,
})

/** The whole of a stream; for bodies that are known to be small, or that a test holds back. */
export async function collect(bytes: Bytes): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Read to the end and forget. */
export async function drain(bytes: Bytes): Promise<void> {
  for await (const piece of bytes) void piece
}

/** A stream of what was collected before. */
export async function* streamOf(...pieces: Uint8Array[]): Bytes {
  yield* pieces
}
