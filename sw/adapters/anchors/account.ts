import { encodeAnchorCall } from '../../../src/evidence/anchor-call.ts'
import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import { ACCOUNT_TIMEOUT_MS, STUCK_MS } from '../../http/http-limits.ts'
import { withTimeout, redact } from '../../http/request.ts'
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
 * The same anchor, whose heads an account of the app's own brings instead of a relay: whose key is at hand where the
 * worker runs. Calls come one after the other, the next once `send` has settled, so that no two get the same nonce. Keys,
 * nonces and fees are its business; what it gives counts for nothing, the chain is read.
 *
 * @param anchor `evm` or `evmNodes`, with `relayUrl: []`
 * @param send sends it, such as by viem's `sendTransaction`, and gives the transaction's hash; given 60 s. Its failures
 *   are `anchor-rejected`, in its words; `unreachable` where those say that the node was not reached, and, tried again,
 *   `bad-answer` where they are of a nonce, `anchor-unseen` where the fee is too low for now
 */
export function byAccount(anchor: Anchor, send: (call: AnchorCall) => Promise<unknown>): Anchor {
  const [, , registry] = anchor.identity.split(':')
  const sentFor = new Map<SessionName, Sent>()
  let turn: Promise<unknown> = Promise.resolve()

  return {
    ...anchor,

    async read(name, signal) {
      const seen = await anchor.read(name, signal)
      if ((seen.latest?.size ?? 0) >= (sentFor.get(name)?.size ?? Infinity)) sentFor.delete(name)
      return seen
    },

    submit({ head, groups }, signal) {
      const { name, size } = head
      const mine = turn.then(() =>
        withTimeout('The account', signal, async (_, endIn) => {
          endIn(ACCOUNT_TIMEOUT_MS)
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
        }),
      )
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}

const AWAY = /HttpRequest|Socket|Timeout|TypeError|LimitExceeded|ECONN|server resp/i
/** For now, or to take the place of what waits. */
const CHEAP = /underpriced|base ?fee|fee too|is full|existing tx/i
const NONCE = /nonce|\bknown|imported/i

/** What an account's library threw: its kind is in the names and words of all that caused it. */
function failureOf(thrown: unknown): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  let said = ''
  // No list of causes is longer, unless it has no end.
  for (let cause = thrown; cause && said.length < 10_000; cause = (cause as Error).cause)
    said += `${(cause as Error).name} ${wordsOf(cause)} `
  const code = AWAY.test(said)
    ? 'unreachable'
    : CHEAP.test(said)
      ? 'anchor-unseen'
      : NONCE.test(said)
        ? 'bad-answer'
        : 'anchor-rejected'
  return new HoldfastError(code, `The account: ${redact(wordsOf(thrown))}`, { cause: thrown })
}

/** The message of viem's errors has all of the request, its nonce too; these have what is wrong, and what the node says. */
function wordsOf(thrown: unknown): string {
  const { message = thrown, shortMessage = message, details = '' } = Object(thrown) as Partial<Error> & Words
  return `${shortMessage} ${details}`.trim()
}

interface Words {
  readonly shortMessage?: string
  readonly details?: string
}
