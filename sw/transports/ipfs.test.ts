import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'vitest'
import { contentAddress } from '../../src/evidence/cid.ts'
import { ipfs } from './ipfs.ts'
import {
  TRANSPORT_CASES,
  type HarnessOptions,
  type ServerFault,
  type TransportHarness,
} from './transport.contract.ts'

/** The bytes of the one file in a multipart body (RFC 7578). */
function fileIn(body: Buffer, contentType: string): Buffer {
  const boundary = /boundary=(.+)$/.exec(contentType)?.[1] ?? ''
  const start = body.indexOf('\r\n\r\n') + 4
  return body.subarray(start, body.indexOf(`\r\n--${boundary}--`, start))
}

/** As much of Kubo's RPC as the transport speaks, on a port of its own. */
async function kubo({ authorize }: HarnessOptions = {}): Promise<TransportHarness> {
  const stored = new Map<string, number>()
  const authorizations: (string | undefined)[] = []
  let fault: ServerFault = { kind: 'none' }

  async function add(url: URL, request: IncomingMessage, body: Buffer): Promise<string> {
    for (const [name, value] of [
      ['cid-version', '1'],
      ['raw-leaves', 'true'],
      ['pin', 'true'],
    ])
      if (url.searchParams.get(name ?? '') !== value) throw new Error(`Kubo was asked without ${name}`)
    const file = fileIn(body, request.headers['content-type'] ?? '')
    const cid = await contentAddress(new Uint8Array(file))
    stored.set(cid, (stored.get(cid) ?? 0) + 1)
    const told = fault.kind === 'wrong-address' ? `b${'a'.repeat(58)}` : cid
    return `${JSON.stringify({ Name: cid, Hash: told, Size: String(file.length) })}\n`
  }

  function list(url: URL, response: ServerResponse): string {
    const cid = url.searchParams.get('arg') ?? ''
    if (stored.has(cid)) return JSON.stringify({ Keys: { [cid]: { Type: 'recursive' } } })
    response.statusCode = 500
    return JSON.stringify({ Message: `path '${cid}' is not pinned`, Code: 0, Type: 'error' })
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    authorizations.push(request.headers.authorization)
    if (fault.kind === 'reset' && fault.when === 'request') return void request.socket.destroy()
    const body: Buffer[] = []
    for await (const part of request) body.push(part as Buffer)
    if (fault.kind === 'status') {
      const { status, retryAfter } = fault
      return void response.writeHead(status, retryAfter ? { 'retry-after': retryAfter } : {}).end('Because.')
    }
    if (fault.kind === 'body') return void response.end(fault.body)
    if (fault.kind === 'stall') {
      if (fault.when === 'body') response.write('{')
      return
    }
    const url = new URL(request.url ?? '', 'http://kubo')
    const said = url.pathname.endsWith('/add')
      ? await add(url, request, Buffer.concat(body))
      : list(url, response)
    if (fault.kind === 'lost-answer') return void request.socket.destroy()
    if (fault.kind === 'reset') {
      response.writeHead(200, { 'content-length': said.length })
      response.write(said.slice(0, 10), () => request.socket.destroy())
      return
    }
    response.end(said)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(599).end(String(error)))
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      server.listen(port, '127.0.0.1', resolve)
    })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  const { port } = server.address() as AddressInfo
  return {
    transport: ipfs({ endpoint: `http://127.0.0.1:${port}`, ...(authorize && { authorize }) }),
    storedTimes: (cid) => stored.get(cid) ?? 0,
    authorizations: () => authorizations,
    fault: async (next) => {
      if (next.kind === 'refuse') await close()
      else if (!server.listening) await listen(port)
      fault = next
    },
    close,
  }
}

describe('ipfs', () => {
  it.each(TRANSPORT_CASES)('$title', ({ run }) => run(kubo))
})
