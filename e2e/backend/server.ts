import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { answerWithFault, type Ending } from './answer-with-fault.ts'
import { BodyCutOff, collect, ConnectionLost } from './exchange.ts'
import type { Bytes, Exchange, Reply, Service } from './exchange.ts'
import type { FaultBoard } from './faults.ts'
import type { LedgerRecord, RequestLedger } from './ledger.ts'
import { listen, type PortUse } from './ports.ts'

export interface ServerOptions {
  readonly ledger: RequestLedger
  readonly faults: FaultBoard
  /** The service behind a path, if any. */
  route(path: string): Service | undefined
  /** Everything else: neither in the ledger nor subject to faults. */
  control(request: IncomingMessage, url: URL): Promise<Reply>
  /** Whether a connection serves one request after another; default false. */
  readonly keepAlive?: boolean
  readonly log: (line: string) => void
}

/** The one port. */
export interface BackendServer {
  /** Listen, on the same port as before if there was one. Returns the port. */
  open(): Promise<number>
  /** Refuse connections, and cut those that are open; resolves once nothing has an effect any more. */
  shut(): Promise<void>
}

export function backendServer(use: PortUse, options: ServerOptions): BackendServer {
  const sockets = new Set<Socket>()
  let { port } = use
  const underWay = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const answered = answer(request, response, options).catch((error: unknown) => {
      options.log(`Unexpected: ${error instanceof Error ? error.stack : String(error)}`)
      request.socket.destroy()
    })
    underWay.add(answered)
    void answered.finally(() => underWay.delete(answered))
  })
  server.requestTimeout = 0
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    async open() {
      if (!server.listening) port = await listen(server, { ...use, port })
      return port
    },
    async shut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.resetAndDestroy()
      await closed
      await Promise.all(underWay)
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  // A browser silently sends a request again, POST too, when a connection that it had used before is reset.
  // With a connection for each request, what is in the ledger was sent by the code under test.
  response.shouldKeepAlive = options.keepAlive ?? false
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const service = options.route(url.pathname)
  const asksLeave = request.headers['access-control-request-method'] !== undefined
  if (request.method === 'OPTIONS' && (asksLeave || service?.answersOptions !== true))
    return preflight(request, response, service !== undefined)
  if (service === undefined) {
    const reply = await options.control(request, url)
    request.resume()
    return send(response, request.method, reply)
  }

  for (const [name, value] of Object.entries(OPEN)) response.setHeader(name, value)
  const record = options.ledger.begin({
    service: service.name,
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.search,
  })
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    const ending = await perform(service, exchangeOf(request, url, record, gone.signal), options.faults)
    await finish(request, response, record, ending)
  } catch (error) {
    const expected = error instanceof BodyCutOff || error instanceof ConnectionLost || gone.signal.aborted
    if (!expected)
      options.log(`${service.name} failed: ${error instanceof Error ? error.stack : String(error)}`)
    record.close('aborted')
    request.socket.destroy()
  }
}

async function perform(service: Service, received: Exchange, faults: FaultBoard): Promise<Ending> {
  const prepared = (await service.prepare?.(received)) ?? received
  const { begins, exchange } = faults.readsBodies(service.name)
    ? await peeked(prepared)
    : { begins: '', exchange: prepared }
  const { record, path } = exchange
  const target = `${path}${record.entry.query} ${record.entry.key ?? ''}`.trimEnd()
  const fault = faults.take({ service: service.name, method: exchange.method, target, content: begins })
  if (fault !== undefined) record.update({ fault: fault.rule.kind })
  return answerWithFault(service, exchange, fault)
}

const PEEKED_BYTES = 4096

/** How a body begins, and the exchange with all of it still to be read. */
async function peeked(exchange: Exchange): Promise<{ begins: string; exchange: Exchange }> {
  const rest = exchange.body[Symbol.asyncIterator]()
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  while (sizeBytes < PEEKED_BYTES) {
    const next = await rest.next()
    if (next.done === true) break
    pieces.push(next.value)
    sizeBytes += next.value.byteLength
  }
  async function* whole(): Bytes {
    yield* pieces
    yield* { [Symbol.asyncIterator]: () => rest }
  }
  const begins = Buffer.concat(pieces).subarray(0, PEEKED_BYTES).toString('latin1')
  return { begins, exchange: { ...exchange, body: whole() } }
}

async function finish(
  request: IncomingMessage,
  response: ServerResponse,
  record: LedgerRecord,
  ending: Ending,
): Promise<void> {
  if (ending.kind === 'cut') {
    record.close(ending.honest ? 'aborted' : 'refused-by-fault')
    request.socket.resetAndDestroy()
    return
  }
  // An answer before the request's end would reset the connection under a client that still sends.
  request.resume()
  if (!request.readableEnded && !request.destroyed) {
    await new Promise<void>((resolve) => {
      request.once('end', resolve)
      request.once('close', resolve)
    })
  }
  record.update({ status: ending.reply.status })
  if (ending.cutShort === true) {
    record.close('aborted')
    return sendHalf(response, ending.reply)
  }
  await send(response, request.method, ending.reply, () =>
    record.close(ending.honest ? 'answered' : 'refused-by-fault'),
  )
  // No effect if it was sent: the client had left before its answer.
  record.close('aborted')
}

function exchangeOf(request: IncomingMessage, url: URL, record: LedgerRecord, gone: AbortSignal): Exchange {
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    client: request.socket.remoteAddress ?? '',
    body: bodyOf(request, record),
    record,
    gone,
  }
}

async function* bodyOf(request: IncomingMessage, record: LedgerRecord): Bytes {
  let received = 0
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      const bytes = piece as Buffer
      received += bytes.byteLength
      record.update({ bytesReceived: received })
      yield bytes
    }
  } catch (cause) {
    throw new BodyCutOff('The connection ended before the body did', { cause })
  }
}

/** @param sent called when the last byte is on its way */
async function send(
  response: ServerResponse,
  method: string | undefined,
  reply: Reply,
  sent: () => void = () => undefined,
): Promise<void> {
  if (response.destroyed) return
  const { body = '' } = reply
  if (typeof body === 'string' || body instanceof Uint8Array) {
    response.writeHead(reply.status, { 'content-length': Buffer.byteLength(body), ...reply.headers })
    sent()
    response.end(method === 'HEAD' ? undefined : body)
    return
  }
  response.writeHead(reply.status, reply.headers)
  if (method !== 'HEAD') {
    for await (const piece of body) {
      if (response.destroyed) return
      if (!response.write(piece)) await drained(response)
    }
  }
  sent()
  response.end()
}

const drained = (response: ServerResponse) =>
  new Promise<void>((resolve) => {
    const over = () => {
      response.off('drain', over)
      response.off('close', over)
      resolve()
    }
    response.on('drain', over)
    response.on('close', over)
  })

/**
 * The head and half of what it promises, then the end of the connection.
 *
 * Always with a Content-Length: some clients take the end of a connection for the end of a chunked body.
 */
async function sendHalf(response: ServerResponse, reply: Reply): Promise<void> {
  const { body = '' } = reply
  const whole =
    typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : await collect(body)
  response.writeHead(reply.status, { 'content-length': Math.max(1, whole.byteLength), ...reply.headers })
  const half = whole.subarray(0, Math.floor(whole.byteLength / 2))
  response.flushHeaders()
  await new Promise<void>((resolve) => response.write(half, () => resolve()))
  response.socket?.destroy()
}

const OPEN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': '*, Retry-After, Content-Length, Content-Range, ETag',
  'cross-origin-resource-policy': 'cross-origin',
} as const

/** The services are open to every origin; the control paths to none, as their preflight gets no leave. */
function preflight(request: IncomingMessage, response: ServerResponse, open: boolean): void {
  const headers = open
    ? {
        ...OPEN,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
        'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
        'access-control-allow-private-network': 'true',
        'access-control-max-age': '600',
      }
    : {}
  request.resume()
  response.writeHead(204, headers).end()
}

/** The answer to a path that is no service's. */
