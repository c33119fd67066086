/** The node answered, and refused. `data` holds the revert where a contract refused. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: unknown

  constructor(method: string, code: number, message: string, data: unknown) {
    super(`${method}: ${message}`)
    this.code = code
    this.data = data
  }
}

/** The node did not answer. */
export class ChainUnreachable extends Error {
  override readonly name = 'ChainUnreachable'
}

export type Rpc = (method: string, params?: readonly unknown[]) => Promise<unknown>

let lastId = 0

/** JSON-RPC over HTTP; throws `RpcError` or `ChainUnreachable`. */
export function rpcClient(url: string, timeoutMs = 60_000): Rpc {
  return async (method, params = []) => {
    let answer: unknown
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: (lastId += 1), method, params }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      answer = await response.json()
    } catch (cause) {
      throw new ChainUnreachable(`${method}: the chain does not answer`, { cause })
    }
    if (typeof answer !== 'object' || answer === null) {
      throw new ChainUnreachable(`${method}: the chain's answer is not JSON-RPC`)
    }
    if ('error' in answer && typeof answer.error === 'object' && answer.error !== null) {
      const { error } = answer
      const code = 'code' in error && typeof error.code === 'number' ? error.code : 0
      const message = 'message' in error ? String(error.message) : 'unknown error'
      throw new RpcError(method, code, message, 'data' in error ? error.data : undefined)
    }
    return 'result' in answer ? answer.result : undefined
  }
}

/** The result as hex text, the form of most answers. */
export function asHex(value: unknown): `0x${string}` {
  if (typeof value === 'string' && /^0x[0-9a-f]*$/i.test(value)) return `0x${value.slice(2)}`
  throw new TypeError(`Expected hex from the chain, got ${JSON.stringify(value)}`)
}
