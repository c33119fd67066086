import { randomUUID } from 'node:crypto'
import { signedSession } from '../../sw/contracts/signed-session.ts'
import type { AnchorRequest } from '../../sw/ports/anchor.ts'
import type { Backend } from './index.ts'

/** What the adapter sends to the relay. */
export const relayBody = ({ head, groups }: AnchorRequest) => ({ ...head, members: groups })

export type RelayBody = ReturnType<typeof relayBody>

/** What the relay is asked for: the head of a new session. */
export async function aCall(size = 2): Promise<RelayBody> {
  return relayBody(await (await signedSession()).request(size))
}

export interface RelayAnswer {
  readonly status: number
  readonly retryAfter: string | null
  readonly transactionHash?: string
  readonly size?: number
  readonly error?: string
  readonly field?: string
}

/** Ask the relay to anchor. */
export async function relay(
  backend: Backend,
  call: unknown,
  key: string = randomUUID(),
  headers: Record<string, string> = {},
): Promise<RelayAnswer> {
  const response = await fetch(backend.endpoints.relayUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
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
