import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../backend/ports.ts'

/** A store that takes nothing from whoever does not send this header. */
export interface GatedStore {
  readonly url: string
  /** How many uploads it refused. */
  readonly refused: () => number
  close(): Promise<void>
}

/**
 * Puts a door before a store, on an origin of its own.
 *
 * @param authorization what it opens to
 */
export async function gated(store: string, authorization: string): Promise<GatedStore> {
  let refused = 0
  const server = createServer(async (request, response) => {
    const received = await buffer(request)
    const { method = '', headers, url = '' } = request
    const isAllowed = method === 'OPTIONS' || headers.authorization === authorization
    if (!isAllowed) {
      refused++
      return void response.writeHead(401, { 'access-control-allow-origin': '*' }).end()
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...sent } = headers
    const body = received.length > 0 ? { body: received } : {}
    const answer = await fetch(store + url, { method, headers: sent as Record<string, string>, ...body })
    const { 'content-encoding': _coded, ...told } = Object.fromEntries(answer.headers)
    response.writeHead(answer.status, told).end(Buffer.from(await answer.arrayBuffer()))
  })
  const port = await listen(server, { port: 0, wantedBy: 'the door', option: '' })
  return {
    url: `http://127.0.0.1:${port}`,
    refused: () => refused,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
