import { collect, ConnectionLost, streamOf, type Service } from './exchange.ts'

/**
 * The chain's RPC behind the backend's port, so that it is in the ledger and goes down with the rest.
 *
 * While the chain is stopped the connection is cut, as a client of the node itself would see it.
 */
export function chainProxy(url: string): Service {
  return {
    name: 'chain',
    async prepare(exchange) {
      const body = await collect(exchange.body)
      exchange.record.update({ key: methodsOf(body) })
      return { ...exchange, body: streamOf(body) }
    },
    async handle(exchange) {
      if (exchange.method !== 'POST') {
        return { status: 405, headers: { allow: 'POST' }, body: 'Method Not Allowed\n' }
      }
      const body = await collect(exchange.body)
      const submits = exchange.record.entry.key?.includes('eth_sendRawTransaction') === true
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': exchange.headers['content-type'] ?? 'application/json' },
          body: new Uint8Array(body),
          signal: AbortSignal.timeout(30_000),
        })
        const answer = Buffer.from(await response.arrayBuffer())
        if (submits && !answer.includes('"error"')) exchange.record.update({ changed: true })
        return {
          status: response.status,
          headers: { 'content-type': response.headers.get('content-type') ?? 'application/json' },
          body: answer,
        }
      } catch (cause) {
        throw new ConnectionLost('The chain does not answer', { cause })
      }
    },
  }
}

/** The RPC methods of a call or a batch, joined by commas. */
function methodsOf(body: Buffer): string | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    const methods = (Array.isArray(parsed) ? parsed : [parsed]).map((call: unknown) =>
      typeof call === 'object' && call !== null && 'method' in call ? String(call.method) : '?',
    )
    return methods.join(',')
  } catch {
    return undefined
  }
}
