import type { Connection } from './connection.ts'
import { HoldfastError, type ErrorCode } from './protocol/errors.ts'
import type { ChunkId } from './protocol/ids.ts'
import { SNAPSHOT_CHANNEL, type HandedChunk } from './protocol/messages.ts'
import type { TakeTurn } from './turns.ts'

/**
 * Refusals that pass by themselves: the page keeps the bytes and sends them again. Those that tell of this chunk
 * alone let the next one have the turn meanwhile; the others would meet every chunk.
 */
const PASSING: Partial<Record<ErrorCode, 'this-chunk' | 'every-chunk'>> = {
  'worker-timeout': 'this-chunk',
  'hash-mismatch': 'this-chunk',
  'storage-full': 'every-chunk',
  'storage-failed': 'every-chunk',
  'protocol-mismatch': 'every-chunk',
  'no-service-worker': 'every-chunk',
  // What we did not foresee may pass too, and evidence is not dropped for it.
  defect: 'this-chunk',
}

/** First and largest wait before a hand-off is repeated, ms. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000

export interface HandOffOptions {
  readonly takeTurn: TakeTurn
  readonly signal?: AbortSignal | undefined
  /** Told of each refusal that can pass: the chunk stays with the page for now. */
  readonly onHeldUp: (error: HoldfastError) => void
}

/**
 * Hands one chunk to the worker until it is acknowledged: again after a silence, after a refusal that can pass, and
 * at once when a new worker takes over or, on a full device, when the worker tells of a change. The worker knows a
 * repetition by its content.
 *
 * @throws HoldfastError a refusal that cannot pass, or `aborted`
 */
export async function handOff(
  connection: Connection,
  chunk: HandedChunk,
  options: HandOffOptions,
): Promise<ChunkId> {
  const over = new AbortController()
  const givenUp = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(aborted(chunk))
    if (options.signal?.aborted) giveUp()
    options.signal?.addEventListener('abort', giveUp, { signal: over.signal })
  })
  return Promise.race([givenUp, untilAcknowledged(connection, chunk, options)]).finally(() => over.abort())
}

const aborted = ({ index }: HandedChunk) =>
  new HoldfastError('aborted', `Chunk ${index} was given up by the page.`)

async function untilAcknowledged(
  connection: Connection,
  chunk: HandedChunk,
  { takeTurn, signal, onHeldUp }: HandOffOptions,
): Promise<ChunkId> {
  let giveBack = await takeTurn()
  try {
    for (let attempt = 0; ; attempt++) {
      if (signal?.aborted) throw aborted(chunk)
      const stirred = new AbortController()
      const stir = () => stirred.abort()
      let timer: ReturnType<typeof setTimeout> | undefined
      connection.onNewWorker(stir, stirred.signal)
      try {
        const answer = await Promise.race([connection.ask({ type: 'chunk', chunk }), abortOf(stirred.signal)])
        if (answer) return answer.acknowledged as ChunkId
      } catch (thrown) {
        const error = HoldfastError.from(thrown)
        const passing = PASSING[error.code]
        if (passing === undefined) throw error
        onHeldUp(error)
        if (passing === 'this-chunk') giveBack()
        if (error.code === 'storage-full') onChange(stir, stirred.signal)
        timer = setTimeout(stir, Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS))
        signal?.addEventListener('abort', stir, { signal: stirred.signal })
        await abortOf(stirred.signal)
        if (passing === 'this-chunk') giveBack = await takeTurn()
      } finally {
        clearTimeout(timer)
        stir()
      }
    }
  } finally {
    giveBack()
  }
}

/** Calls back when the worker tells of a change, which may have freed space. */
function onChange(listener: () => void, signal: AbortSignal): void {
  const channel = new BroadcastChannel(SNAPSHOT_CHANNEL)
  channel.addEventListener('message', listener)
  signal.addEventListener('abort', () => channel.close())
}

const abortOf = (signal: AbortSignal) =>
  new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined))
  })
