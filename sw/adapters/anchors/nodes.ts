import { HoldfastError } from '../../../src/protocol/errors.ts'
import type { SetAside } from '../../../src/protocol/snapshot.ts'
import { following } from '../../../src/protocol/following.ts'
import type { SessionName } from '../../../src/protocol/ids.ts'
import type { Anchor, Witnessed } from '../../ports/anchor.ts'
import type { Clock } from '../../ports/platform.ts'
import { requestUrl } from '../../http/request.ts'
import { systemClock } from '../browser/system-clock.ts'
import { evm, type Blocks, type EvmAnchor, type EvmOptions } from './evm.ts'

export interface EvmNodesOptions extends Omit<EvmOptions, 'rpcUrl' | 'chainId'> {
  /** Ethereum JSON-RPC of each node, read only; the less they share, the more their agreement says. */
  readonly rpcUrls: readonly string[]
  /** The chain's id (EIP-155): nothing is read from a node of another chain. */
  readonly chainId: number
  /** So many nodes must say the same before it counts. Default 2; 1 where one is named. */
  readonly agree?: number | undefined
  /**
   * Is told why a node is set aside, or used though it lags: once, until it has said what the others say. Reading goes on
   * as long as enough nodes agree, so nobody would notice that one is wrong, and none left to spare. Pages see it with the
   * next head that is confirmed: `anchor.setAside` of its session.
   */
  readonly onSetAside?: ((node: SetAside) => void) | undefined
}

export type { SetAside }

/** One of the nodes, with its health as this worker has seen it: a cache, so a new worker asks each to find out. */
interface Node {
  /** For messages: no path, no query. */
  readonly origin: string
  readonly reader: EvmAnchor
  readonly clock: Pick<Clock, 'now'>
  readonly onSetAside: ((node: SetAside) => void) | undefined
  /** What the app knows of it, until it says again what the others say. */
  told?: SetAside | undefined
  /** Why it is set aside. */
  error?: HoldfastError | undefined
  setAsideMs: number
  /** It was not waited for, so it may have something to say. */
  isLate: boolean
}

/** A node that failed, was late or said otherwise is left alone for so long, ms. */
const ASIDE_MS = 30_000
/** A node behind a balancer is now one and then another, of which some lag: by so many blocks it may, where it is needed. */
const LAG_BLOCKS = 5
/** Once enough have answered the others get so long, ms: one that hangs holds up nobody. */
const GRACE_MS = 2_000

/**
 * Several nodes as one anchor. What is read counts where enough of them say the same of the same two blocks: the newest
 * that so many have, and the newest that so many take for deep enough. A node that is behind is not asked of a block that
 * it lacks; one that fails, hangs or says otherwise is set aside for half a minute, and holds up no other.
 *
 * @throws HoldfastError `bad-input` without nodes, where one is no URL or named twice, or where `agree` is not from 1 to their
 *   number; `read` and `events` throw `nodes-disagree` where too few say the same, or what all of them failed with
 */
export function evmNodes(
  { rpcUrls, agree = Math.min(2, rpcUrls.length), onSetAside, ...chain }: EvmNodesOptions,
  clock: Pick<Clock, 'now'> = systemClock(),
): Anchor {
  const urls = new Set(rpcUrls.map((url) => requestUrl(url).href))
  const nodes = [...urls].map((rpcUrl): Node => ({
    origin: new URL(rpcUrl).origin,
    clock,
    onSetAside,
    reader: evm({ ...chain, rpcUrl }),
    setAsideMs: 0,
    isLate: false,
  }))
  const [first] = nodes
  if (first === undefined || urls.size < rpcUrls.length)
    throw new HoldfastError('bad-input', 'evmNodes: name at least one node, and each once.')
  if (!Number.isInteger(agree) || agree < 1 || agree > rpcUrls.length)
    throw new HoldfastError('bad-input', `evmNodes: agree is from 1 to ${rpcUrls.length}.`)

  /** The newest block of which enough of them agreed, as far as this worker knows: nobody may lead back behind it. */
  let shown = 0

  /** What enough of these nodes answer; undefined where too few answer the same. */
  async function agreed<T>(
    asked: readonly Node[],
    graceMs: number,
    signal: AbortSignal,
    about: string,
    ask: (reader: EvmAnchor, until: AbortSignal) => Promise<T>,
  ): Promise<{ readonly answer: T } | undefined> {
    const answers = await gather(
      asked,
      ({ reader }, until) => ask(reader, until),
      (soFar) => agreement(soFar.values(), agree) !== undefined,
      graceMs,
      signal,
    )
    const found = agreement(answers.values(), agree)
    if (found)
      for (const [node, answer] of answers)
        if (formOf(answer) !== formOf(found.answer))
          setAside(node, new HoldfastError('bad-answer', `It says otherwise of ${about}.`))
    return found
  }

  /** What enough of these nodes say of a session; undefined where too few say the same. */
  async function readFrom(
    asked: readonly Node[],
    graceMs: number,
    signal: AbortSignal,
    name: SessionName,
  ): Promise<{ readonly answer: Witnessed } | undefined> {
    const tops = await gather(
      asked,
      ({ reader }, until) => reader.blocks(until),
      ({ size }) => size >= agree,
      graceMs,
      signal,
    )
    const behind = [...tops].filter(([, { newest }]) => newest < shown)
    // Where enough are behind it, the chain itself went back, whatever one that stays ahead says.
    const wentBack = behind.length >= agree
    // Without those that lag a little too few would be left: then all are asked of a block that all of them have.
    const lagMax = tops.size - behind.length < agree ? LAG_BLOCKS : 0
    if (!wentBack)
      for (const [node, { newest }] of behind) {
        const error = new HoldfastError('bad-answer', `It is ${shown - newest} blocks behind.`)
        if (shown - newest <= lagMax) tell(node, error)
        else {
          tops.delete(node)
          setAside(node, error)
        }
      }
    const newestFirst = (of: keyof Blocks) => [...tops.values()].map((top) => top[of]).sort((a, b) => b - a)
    const newests = newestFirst('newest')
    // As many have the one as take the other for deep enough.
    const deeps = newestFirst('deep')
    for (const [at, newest] of newests.entries()) {
      if (at < agree - 1 || (at > agree - 1 && newest === newests[at - 1])) continue
      const able = [...tops].filter(([{ error }, top]) => error === undefined && top.newest >= newest)
      if (able.length < agree) continue
      const found = await agreed(
        able.map(([node]) => node),
        graceMs,
        signal,
        `block ${newest}`,
        (reader, until) => reader.readAt(name, { newest, deep: deeps[at] ?? -1 }, until),
      )
      if (found) {
        for (const [node] of able)
          if (!node.error && (wentBack || !behind.some(([late]) => late === node))) node.told = undefined
        shown = wentBack ? newest : Math.max(shown, newest)
        return found
      }
    }
    return undefined
  }

  /** Asks who is in order; where those are too few, all that may be asked. */
  async function sure<T>(
    ask: (asked: readonly Node[], graceMs: number) => Promise<{ readonly answer: T } | undefined>,
  ): Promise<T> {
    const ready = nodes.filter((node) => !isAside(node))
    if (ready.length >= agree) {
      const found = await ask(ready, GRACE_MS)
      if (found) return found.answer
      if (nodes.every((node) => ready.includes(node) && !node.isLate)) throw unsure()
    }
    // Too few: those that were set aside are asked too, and each has all its time.
    const allowed = nodes.filter((node) => floorOf(node) === 0)
    const found = allowed.length >= agree ? await ask(allowed, Infinity) : undefined
    if (found) return found.answer
    throw unsure()
  }

  function unsure(): HoldfastError {
    const errors = nodes.flatMap(({ error }) => error ?? [])
    const why = nodes.flatMap(({ origin, error }) => (error ? ` ${origin}: ${error.message}` : []))
    const message = `Fewer than ${agree} of ${nodes.length} nodes say the same of the chain.${why.join('')}`
    // Until then too few may be asked.
    const retryAfterMs = nodes.map(floorOf).sort((a, b) => a - b)[agree - 1] ?? 0
    const [cause] = errors
    const isCommon = nodes.every(({ error }) => error?.code === cause?.code)
    return new HoldfastError((isCommon && cause?.code) || 'nodes-disagree', message, {
      cause,
      retryAfterMs,
    })
  }

  return {
    // Relays are the same, whichever node is read.
    ...first.reader,

    read: (name, signal) => sure((asked, graceMs) => readFrom(asked, graceMs, signal, name)),

    async events(name, from, to, signal) {
      const events = await sure((asked, graceMs) =>
        agreed(asked, graceMs, signal, `block ${to}`, (reader, until) =>
          reader.events(name, from, to, until).catch((error: HoldfastError) => {
            // Many a node looks through few blocks at a time, which is no fault of its.
            throw from < to && !error.retryAfterMs ? undefined : error
          }),
        ),
      )
      const setAside = nodes.flatMap(({ told }) => told ?? [])
      if (setAside.length > 0) for (const { receipt } of events) Object.assign(receipt, { setAside })
      return events
    },
  }
}

/**
 * What each node answers, asked all at once: until all have settled, or `isEnough` and the others have had `graceMs`.
 * Who fails or is late is set aside, but not who rejects with nothing: that is no fault of the node.
 *
 * @throws HoldfastError `aborted`
 */
async function gather<T>(
  asked: readonly Node[],
  ask: (node: Node, until: AbortSignal) => Promise<T>,
  isEnough: (answers: ReadonlyMap<Node, T>) => boolean,
  graceMs: number,
  signal: AbortSignal,
): Promise<Map<Node, T>> {
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
            if (thrown && !until.aborted) setAside(node, HoldfastError.from(thrown))
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
  tell(node, error)
  Object.assign(node, { error, isLate, setAsideMs: node.clock.now() })
}

/** Tells the app, whose callback costs nothing where it throws. */
function tell(node: Node, { code, message }: HoldfastError): void {
  const { origin, onSetAside } = node
  const told = { origin, code, message }
  if (!node.told && onSetAside) queueMicrotask(() => onSetAside(told))
  node.told ??= told
}

/** How long it has been aside, ms; where the clock was set back, longer than any may be. */
const asideMs = ({ setAsideMs, clock }: Node) => {
  const ms = clock.now() - setAsideMs
  return ms < 0 ? Infinity : ms
}

/** How long the node itself wants to be left alone (`Retry-After`), ms. */
const floorOf = (node: Node) => Math.max(0, (node.error?.retryAfterMs ?? 0) - asideMs(node))

const isAside = (node: Node) => !!node.error && (asideMs(node) < ASIDE_MS || floorOf(node) > 0)

/** Hashes are hexadecimal, in whatever letters a node writes them. */
const formOf = (answer: unknown) => JSON.stringify(answer).toLowerCase()

/** What at least `least` say, and more than say anything else. */
function agreement<T>(answers: Iterable<T>, least: number): { readonly answer: T } | undefined {
  const all = [...answers].map((answer) => ({ answer, form: formOf(answer) }))
  const votes = ({ form }: { readonly form: string }) => all.filter((other) => other.form === form).length
  const [most, ...others] = all.sort((a, b) => votes(b) - votes(a))
  if (most === undefined || votes(most) < least) return undefined
  const rival = others.find(({ form }) => form !== most.form)
  return rival && votes(rival) === votes(most) ? undefined : most
}
