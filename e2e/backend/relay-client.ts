import { randomUUID } from 'node:crypto'
import type { Backend } from './index.ts'

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
