import { encodeAnchorCall } from '../../../src/evidence/anchor-call.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { ACCOUNT_TIMEOUT_MS, STUCK_MS } from '../../http/http-limits.ts'
import { limited, redact } from '../../http/request.ts'
import type { Anchor } from '../../ports/anchor.ts'

type Hex = `0x${string}`

/** A call of the registry for the account to send and pay. */
export interface AnchorCall {
  readonly to: Hex
  readonly data: Hex
  /**
   * The transaction that was sent last for this session, ten seconds ago or longer, and is not on the chain: it may wait for
   * a higher fee. One at its nonce takes its place, and holds all that it held; at another nonce both are paid.
   */
  readonly stuck?: Hex | undefined
}

/** What was sent last for a session. */
interface Sent {
  readonly size: number
  readonly hash: Hex
  readonly atMs: number
}

/**
 * The same anchor, whose heads an account of the app's own brings in the place of a relay: whose key is at hand where the
 * worker runs. Calls come one after the other, the next once `send` has settled, so that no two get the same nonce. Keys,
 * nonces and fees are its business; what it gives counts for nothing, the chain is read.
 *
 * @param anchor `evm` or `evmNodes`, with `relayUrl: []`
 * @param send sends it, such as by viem's `sendTransaction`, and gives the transaction's hash; given 60 s. Its failures
 *   are `anchor-rejected`, in its words; `unreachable` where those say that the node was not reached, `bad-answer`, which
 *   is tried again, where they are of a nonce
 */
export function byAccount(anchor: Anchor, send: (call: AnchorCall) => Promise<unknown>): Anchor {
  const [, , registry] = anchor.identity.split(':')
  const sentFor = new Map<SessionName, Sent>()
  let turn: Promise<unknown> = Promise.resolve()

  return {
    ...anchor,

    async read(name, signal) {
      const seen = await anchor.read(name, signal)
      const { size = Infinity } = sentFor.get(name) ?? {}
      if (seen.latest && seen.latest.size >= size) sentFor.delete(name)
      return seen
    },

    submit({ head, groups }, signal) {
      const { name, size } = head
      const bring = async () => {
        const sent = sentFor.get(name)
        const atMs = Date.now()
        const isStuck = sent && Math.abs(atMs - sent.atMs) > STUCK_MS
        const data = encodeAnchorCall(head, groups) as Hex
        const call = { to: registry as Hex, data, stuck: isStuck ? sent.hash : undefined }
        let hash: unknown
        try {
          hash = await send(call)
        } catch (thrown) {
          const failure = failureOf(thrown)
          // Its nonce is used, so it is stuck no longer.
          if (failure.code === 'bad-answer') sentFor.delete(name)
          throw failure
        }
        if (typeof hash === 'string') sentFor.set(name, { size, hash: hash as Hex, atMs })
      }
      const mine = turn.then(() =>
        limited('The account', signal, async (_, endIn) => {
          endIn(ACCOUNT_TIMEOUT_MS)
          return bring()
        }),
      )
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}

const AWAY = /HttpRequest|WebSocketRequest|Timeout|TypeError|LimitExceeded|ECONN/i
const NONCE = /nonce|already known|already imported/i

/** What an account's library threw: its kind is in the names and words of all that caused it. */
function failureOf(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const all: string[] = []
  // No list of causes is longer, unless it has no end.
  for (let cause = thrown; cause && all.length < 20; cause = (cause as Error).cause)
    all.push(`${(cause as Error).name} ${(cause as Error).message}`)
  const code = AWAY.test(all.join())
    ? 'unreachable'
    : NONCE.test(all.join())
      ? 'bad-answer'
      : 'anchor-rejected'
  // The message of viem's errors has all of the request; these have what is wrong, and what the node says of it.
  const { shortMessage, details = '', message = thrown } = Object(thrown) as Partial<Error> & Words
  return new HoldfastError(code, `The account: ${redact(`${shortMessage ?? message} ${details}`.trim())}`, {
    cause: thrown,
  })
}

interface Words {
  readonly shortMessage?: string
  readonly details?: string
}
