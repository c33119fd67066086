import { HoldfastError } from '../../../src/protocol/errors.ts'
import { following } from '../../../src/protocol/following.ts'
import type { SessionId } from '../../../src/protocol/ids.ts'
import { LONGEST_WAIT_MS } from '../../core/retry-policy.ts'
import type { Anchor, Witnessed } from '../../ports/anchor.ts'
import type { Clock } from '../../ports/platform.ts'
import { systemClock } from '../browser/system-clock.ts'
import { evm, type EvmAnchor, type EvmOptions } from './evm.ts'

export interface EvmNodesOptions extends Omit<EvmOptions, 'rpcUrl' | 'chainId'> {
  /** Ethereum JSON-RPC of each node, read only; the less they share, the more their agreement says. */
  readonly rpcUrls: readonly string[]
  /** The chain's id (EIP-155): nothing is read from a node of another chain. */
  readonly chainId: number
  /** So many nodes must say the same before it counts. Default 2; 1 where one is named. */
  readonly agree?: number
}

/** One of the nodes, with its health as this worker has seen it: a cache, so a new worker asks each to find out. */
interface Node {
  /** For messages: no path, no query. */
  readonly origin: string
  readonly reader: EvmAnchor
  readonly clock: Pick<Clock, 'now'>
  /** Why it is set aside. */
  error: HoldfastError | undefined
  setAsideMs: number
  /** It was not waited for, so it may have something to say. */
  isLate: boolean
}

/** A node that failed, was late or said otherwise is left alone for so long, ms. */
const ASIDE_MS = 30_000
/** Once enough have answered the others get so long, ms: one that hangs holds up nobody. */
const GRACE_MS = 2_000

/**
 * Several nodes as one anchor. What is read counts where enough of them say the same of the same two blocks: the newest
 * that so many have, and the one at the wanted depth. A node that is behind is not asked of a block that it lacks; one
 * that fails, hangs or says otherwise is set aside for half a minute, and holds up no other.
 *
 * @throws HoldfastError `bad-input` without nodes, where one is named twice, or where `agree` is not from 1 to their
 *   number; `read` throws `nodes-disagree` where too few say the same, or what all of them failed with
 */
export function evmNodes(
  { rpcUrls, agree = Math.min(2, rpcUrls.length), ...chain }: EvmNodesOptions,
  clock: Pick<Clock, 'now'> = systemClock(),
): Anchor {
  const nodes = rpcUrls.map((rpcUrl): Node => {
    const { origin } = new URL(rpcUrl)
    return {
      origin,
      clock,
      reader: evm({ ...chain, rpcUrl }),
      error: undefined,
      setAsideMs: 0,
      isLate: false,
    }
  })
  const [first] = nodes
  if (first === undefined || new Set(rpcUrls).size < rpcUrls.length)
    throw new HoldfastError('bad-input', 'evmNodes: name at least one node, and each once.')
  if (!Number.isInteger(agree) || agree < 1 || agree > rpcUrls.length)
    throw new HoldfastError('bad-input', `evmNodes: agree is a number from 1 to ${rpcUrls.length}.`)

  /** What enough of these nodes say of a session; undefined where too few say the same. */
  async function readFrom(
    asked: readonly Node[],
    graceMs: number,
    sessionId: SessionId,
    signal: AbortSignal,
  ): Promise<Witnessed | undefined> {
    const heads = await gather(
      asked,
      ({ reader }, until) => reader.head(until),
      ({ size }) => size >= agree,
      graceMs,
      signal,
    )
    const newestFirst = [...heads.values()].sort((a, b) => b - a)
    for (const block of new Set(newestFirst.slice(agree - 1))) {
      const able = [...heads].filter(([{ error }, head]) => error === undefined && head >= block)
      if (able.length < agree) continue
      const views = await gather(
        able.map(([node]) => node),
        ({ reader }, until) => reader.readAt(sessionId, block, until),
        (answers) => agreement(answers.values(), agree) !== undefined,
        graceMs,
        signal,
      )
      const agreed = agreement(views.values(), agree)
      if (agreed === undefined) continue
      for (const [node, view] of views)
        if (formOf(view) !== formOf(agreed))
          setAside(node, new HoldfastError('bad-answer', `It says otherwise of block ${block}.`))
      return agreed
    }
    return undefined
  }

  function unsure(): HoldfastError {
    const errors = nodes.flatMap(({ error }) => error ?? [])
    const why = nodes.flatMap(({ origin, error }) => (error ? ` ${origin}: ${error.message}` : []))
    const message = `Fewer than ${agree} of ${nodes.length} nodes say the same of the chain.${why.join('')}`
    // Until then too few may be asked.
    const retryAfterMs = nodes.map(floorOf).sort((a, b) => a - b)[agree - 1] ?? 0
    const [cause] = errors
    const isCommon = errors.length === nodes.length && errors.every(({ code }) => code === cause?.code)
    return new HoldfastError(isCommon && cause ? cause.code : 'nodes-disagree', message, {
      cause,
      retryAfterMs,
    })
  }

  return {
    name: 'evm',
    pollMs: first.reader.pollMs,
    // The relay is one, whichever node is read.
    uploader: (signal) => first.reader.uploader(signal),
    submit: (request, signal) => first.reader.submit(request, signal),

    async read(sessionId, signal) {
      const ready = nodes.filter((node) => !isAside(node))
      if (ready.length >= agree) {
        const agreed = await readFrom(ready, GRACE_MS, sessionId, signal)
        if (agreed) return agreed
        if (nodes.every((node) => ready.includes(node) && !node.isLate)) throw unsure()
      }
      // Too few: those that were set aside are asked too, and each has all its time.
      const allowed = nodes.filter((node) => floorOf(node) === 0)
      const agreed = allowed.length >= agree && (await readFrom(allowed, Infinity, sessionId, signal))
      if (agreed) return agreed
      throw unsure()
    },
  }
}

/**
 * What each node answers, asked all at once: until all have settled, or `isEnough` and the others have had `graceMs`.
 * Who fails or is late is set aside.
 *
 * @throws HoldfastError `aborted`
 */
async function gather<T>(
  asked: readonly Node[],
  ask: (node: Node, until: AbortSignal) => Promise<T>,
  isEnough: (answers: ReadonlyMap<Node, T>) => boolean,
  graceMs: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<Node, T>> {
  const over = following(signal)
  const { signal: until } = over
  const answers = new Map<Node, T>()
  const open = new Set(asked)
  let grace: ReturnType<typeof setTimeout> | undefined
  await new Promise<void>((resolve) => {
    const look = () => {
      if (open.size === 0) resolve()
      else if (graceMs < Infinity && isEnough(answers)) grace ??= setTimeout(resolve, graceMs)
    }
    look()
    for (const node of asked)
      void ask(node, until)
        .then(
          (answer) => {
            if (until.aborted) return
            answers.set(node, answer)
            if (floorOf(node) === 0) Object.assign(node, { error: undefined, isLate: false })
          },
          (thrown: unknown) => {
            if (!until.aborted) setAside(node, HoldfastError.from(thrown))
          },
        )
        .then(() => {
          open.delete(node)
          look()
        })
  })
  clearTimeout(grace)
  over.abort()
  if (signal.aborted) throw new HoldfastError('aborted', 'The chain was not read to the end.')
  for (const node of open)
    setAside(node, new HoldfastError('timeout', 'It takes longer than the others.'), true)
  return answers
}

/** What it asked for stays, whatever another request to it has met. */
function setAside(node: Node, error: HoldfastError, isLate = false): void {
  if (floorOf(node) > error.retryAfterMs) return
  Object.assign(node, { error, isLate, setAsideMs: node.clock.now() })
}

/** How long it has been aside, ms; where the clock was set back, longer than any may be. */
const asideMs = ({ setAsideMs, clock }: Node) => {
  const ms = clock.now() - setAsideMs
  return ms < 0 ? Infinity : ms
}

/** How long the node itself wants to be left alone (`Retry-After`), ms. */
const floorOf = (node: Node) =>
  Math.max(0, Math.min(node.error?.retryAfterMs ?? 0, LONGEST_WAIT_MS) - asideMs(node))

const isAside = (node: Node) => node.error !== undefined && (asideMs(node) < ASIDE_MS || floorOf(node) > 0)

const formOf = (view: Witnessed) => JSON.stringify(view)

/** What at least `least` say, and more than say anything else. */
function agreement(views: Iterable<Witnessed>, least: number): Witnessed | undefined {
  const all = [...views]
  const votes = (view: Witnessed) => all.filter((other) => formOf(other) === formOf(view)).length
  const [most, ...others] = all.sort((a, b) => votes(b) - votes(a))
  if (most === undefined || votes(most) < least) return undefined
  const rival = others.find((other) => formOf(other) !== formOf(most))
  return rival && votes(rival) === votes(most) ? undefined : most
}
