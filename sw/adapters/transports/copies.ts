import {
  HoldfastError,
  type ErrorClass,
  type ErrorCode,
  type WireError,
} from '../../../src/protocol/errors.ts'
import { close, CLOSED, concurrencyAllowed, reconsider, trip, type Circuit } from '../../core/circuit.ts'
import { believedMs, isAhead, LONGEST_WAIT_MS, TRIAL_FLOOR_MS } from '../../core/retry-policy.ts'
import { asRead } from '../../engine/read-error.ts'
import { counted } from '../../engine/two-copies.ts'
import { circuitOf, update, type Keeping } from '../../health/stored-circuits.ts'
import type { Clock } from '../../ports/platform.ts'
import type { Attempt, Floors, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { systemClock } from '../browser/system-clock.ts'

/**
 * One of the stores, with its health as this worker has seen it: a cache, so a new worker asks each to find out. Only
 * what a store itself asked for is kept beyond that.
 */
interface Child {
  readonly store: Transport
  circuit: Circuit
  /** Whether what was kept of it has been read. */
  known: boolean
  /** Why it failed last. */
  lastError: HoldfastError | undefined
  /** Requests under way. */
  asking: number
  /** When the next object that lacks a copy may come back to look, ms since the epoch. */
  nextLookMs: number
}

/** Objects that wait for a store come back one after the other, this far apart: each look is a write, ms. */
const LOOK_EVERY_MS = 1_000

/** What an attempt has found out about one store. */
type Found = RemoteState | Failed

interface Failed {
  readonly kind: 'failed'
  readonly child: Child
  readonly error: HoldfastError
  /** Until it is asked again, ms. */
  readonly waitMs: number
}

/** What is remembered of a store that refused this object, or wants a sign-in for it: asking again does not heal that. */
interface Refusal extends WireError {
  readonly times: number
  /** Until then it is left alone with this object, as long as another may get a copy; ms since the epoch. */
  readonly untilMs: number
  /** The choice's `resumedAtMs` at that time: once a person has asked again it is tried at once. */
  readonly resumedAtMs?: number | undefined
}

/** By name, in the order of the session's choice. */
type Each = ReadonlyMap<string, Found>

type Step = (store: Transport, held: RemoteState, attempt: Attempt) => Promise<RemoteState>

const NOTHING: RemoteState = { kind: 'nothing' }
const PROVED: RemoteState = { kind: 'all', proved: true }

/** Which of several failures decides: the one that is healed most easily, by time, by asking, by the app, or by nobody. */
const BY_HEALING: readonly ErrorClass[] = ['transient', 'conflict', 'blocked', 'refused', 'defect']
/** What says nothing of a store. */
const NOT_THEIRS: ReadonlySet<ErrorCode> = new Set(['aborted', 'storage-failed', 'storage-full'])

/**
 * Several stores as one: each object goes to every store of the session's choice, one after the other in its order,
 * and counts as stored when at the end of an attempt enough of them have a proved copy. A store that fails is left
 * alone for a while, and no other waits for it; one that has its copy is neither asked nor sent to again.
 *
 * @param stores each under a name of its own
 * @throws HoldfastError `bad-input` where there is none, or two have one name
 */
export function copies(
  stores: readonly Transport[],
  name = 'copies',
  clock: Pick<Clock, 'now' | 'random'> = systemClock(),
): Transport {
  const children = new Map(
    stores.map((store): [string, Child] => [
      store.name,
      { store, circuit: CLOSED, known: false, lastError: undefined, asking: 0, nextLookMs: 0 },
    ]),
  )
  if (stores.length === 0 || children.size < stores.length)
    throw new HoldfastError('bad-input', 'copies: name stores, each by a name of its own.')
  const known = [...children.keys()]
  /** What a `probe` found in each store, for the `send` that follows it. */
  const foundBy = new WeakMap<RemoteState, Each>()
  const every = (test: (circuit: Circuit) => boolean) =>
    [...children.values()].every(({ circuit }) => test(circuit))

  /** Takes each store that lacks a proved copy one step further; one that failed in this attempt is left out. */
  async function visit(
    upload: Upload,
    attempt: Attempt,
    before: Each,
    step: Step,
    isSent = false,
  ): Promise<Each> {
    const { chosen, atLeast, resumedAtMs } = choiceOf(upload)
    const resumeTokens = tokensOf(attempt.resumeToken)
    const saveTokens = () => attempt.saveResumeToken(JSON.stringify(Object.fromEntries(resumeTokens)))
    const each = new Map(
      chosen.map((of): [string, Found] => [
        of,
        resumeTokens.get(of) === true ? PROVED : (before.get(of) ?? NOTHING),
      ]),
    )
    // Where none may be asked, the engine's own circuit has let this attempt try.
    const nowMs = clock.now()
    const tryNow = every(({ notBeforeMs }) => nowMs < notBeforeMs)
    const refusalOf = (of: string) => resumeTokens.get(`!${of}`) as Refusal | undefined
    const isHeld = (refusal: Refusal | undefined) =>
      refusal && believedMs(refusal.untilMs, nowMs) > nowMs && refusal.resumedAtMs === resumedAtMs
    // Where all that lack it have refused it, the engine itself has let this be the trial.
    const isTrial = [...each].every(([of, { kind }]) => kind === 'all' || isHeld(refusalOf(of)))

    for (const [of, held] of each) {
      const child = children.get(of)!
      if (held.kind === 'failed' || held.kind === 'all') continue
      const refusal = refusalOf(of)
      if (refusal && isHeld(refusal) && !isTrial) {
        const { code, message, untilMs } = refusal
        each.set(of, failed(child, new HoldfastError(code, message), untilMs))
        continue
      }
      const kept: Attempt = {
        signal: attempt.signal,
        resumeToken: String(resumeTokens.get(of) ?? ''),
        saveResumeToken(resumeToken) {
          resumeTokens.set(of, resumeToken)
          return saveTokens()
        },
        progress(offset) {
          each.set(of, { kind: 'part', offsetBytes: offset })
          attempt.progress(offsetOf(each, upload))
        },
      }
      const found = await ask(child, tryNow, attempt.floors, () =>
        counted(kept, upload, !child.store.stores, async (own, mayBeSent) => {
          if (isSent) await mayBeSent()
          return step(child.store, held, own)
        }),
      )
      each.set(of, found)
      // Neither time nor asking again heals it.
      if (found.kind === 'failed' && rank(found) > 1) {
        const times = (refusal?.times ?? 0) + 1
        const untilMs = nowMs + Math.min(LONGEST_WAIT_MS, 2 ** times * (TRIAL_FLOOR_MS / 2))
        const { code, message } = found.error
        const refused: Refusal = { times, untilMs, resumedAtMs, code, message: message.slice(0, 150) }
        resumeTokens.set(`!${of}`, refused)
        await saveTokens()
      }
      if (found.kind !== 'all') continue
      resumeTokens.set(of, true)
      // With the last of them the whole upload is recorded as stored.
      if (of !== chosen.at(-1) || copiesIn(each) < atLeast) await saveTokens()
    }
    return each
  }

  const failed = (child: Child, error: HoldfastError, untilMs = child.circuit.notBeforeMs): Failed => ({
    kind: 'failed',
    child,
    error,
    waitMs: Math.max(0, untilMs - clock.now()),
  })

  /** Takes a store's failure into its health. */
  function note(child: Child, error: HoldfastError): void {
    const { code, retryAfterMs } = error
    const nowMs = clock.now()
    const tripped = trip(child.circuit, code, retryAfterMs, nowMs, clock.random())
    if (child.circuit.failures === 0) child.nextLookMs = 0
    // Any other failure is an answer.
    child.circuit = tripped === child.circuit ? close(tripped, nowMs) : tripped
    child.lastError = error
  }

  /** @returns what came of one store's turn; what is not its own failure is thrown */
  async function ask(
    child: Child,
    tryNow: boolean,
    floors: Floors | undefined,
    work: () => Promise<RemoteState>,
  ): Promise<Found> {
    if (!child.known) {
      const { name: of } = child.store
      const retryAfterMs = ((await floors?.floorMs(of)) ?? 0) - clock.now()
      child.known = true
      if (retryAfterMs > 0)
        note(child, new HoldfastError('throttled', `${of} asked to wait.`, { retryAfterMs }))
    }
    // The clock was set back since it failed: nothing waits for that.
    if (isAhead(child.circuit.failedAtMs, clock.now())) child.circuit = CLOSED
    const { circuit, lastError } = child
    const lanes = concurrencyAllowed(tryNow ? reconsider(circuit) : circuit, Infinity, clock.now())
    if (lastError !== undefined && child.asking >= lanes) return failed(child, lastError)
    child.asking += 1
    try {
      const held = await work()
      child.circuit = close(child.circuit, clock.now())
      return held
    } catch (thrown) {
      const error = HoldfastError.from(thrown)
      if (NOT_THEIRS.has(error.code)) throw error
      note(child, error)
      if (error.retryAfterMs > 0) await floors?.keep(child.store.name, error)
      return failed(child, error)
    } finally {
      child.asking -= 1
    }
  }

  /** @throws HoldfastError unless enough stores have a proved copy */
  function conclude(upload: Upload, each: Each): void {
    const { atLeast } = choiceOf(upload)
    const have = copiesIn(each)
    if (have >= atLeast) return
    const failures = [...each.values()]
      .filter((found) => found.kind === 'failed')
      .sort((a, b) => rank(a) - rank(b) || a.waitMs - b.waitMs)
    const [first] = failures
    const why = failures.map(({ child, error }) => ` ${child.store.name}: ${error.message}`)
    const message = `${have} of ${atLeast} copies.${why.join('')}`
    // After a destination's failure the engine leaves all of them alone: right only where no other is left.
    const away = every(({ failures: times }) => times > 0)
    if (first && (first.error.class !== 'transient' || away)) {
      const { code, retryAfterMs } = first.error
      throw new HoldfastError(code, message, { cause: first.error, retryAfterMs })
    }
    throw new HoldfastError('copies-missing', message, { retryAfterMs: first ? turnOf(first) : 0 })
  }

  /** @returns how long this object waits until it comes back for the store that it lacks, ms */
  function turnOf({ child, waitMs }: Failed): number {
    const nowMs = clock.now()
    const turnMs = Math.max(nowMs + waitMs, child.nextLookMs)
    child.nextLookMs = turnMs + LOOK_EVERY_MS
    return turnMs - nowMs
  }

  const choiceOf = ({
    to: { stores: named, atLeast, resumedAtMs } = { stores: known, atLeast: known.length },
  }: Upload) => ({
    chosen: named.filter((of) => children.has(of)),
    atLeast,
    resumedAtMs,
  })

  return {
    name,
    floors: (kept) => floorsOf(kept, name),
    stores: known,

    async probe(upload, attempt) {
      const each = await visit(upload, attempt, new Map(), async (store, _held, own) => {
        const held = await store.probe(upload, own)
        if (held.kind === 'all' && !held.proved) await prove(store, upload, own)
        return held
      })
      const found = [...each.values()]
      if (found.every(({ kind }) => kind === 'nothing')) return NOTHING
      if (found.some(({ kind }) => kind === 'nothing' || kind === 'part')) {
        const held: RemoteState = { kind: 'part', offsetBytes: offsetOf(each, upload) }
        foundBy.set(held, each)
        return held
      }
      conclude(upload, each)
      return PROVED
    },

    async send(upload, bytes, held, attempt) {
      const before: Each = foundBy.get(held) ?? new Map()
      const each = await visit(
        upload,
        attempt,
        before,
        async (store, from, own) => {
          if ((await store.send(upload, bytes, from, own)) === 'sent') await prove(store, upload, own)
          return PROVED
        },
        true,
      )
      conclude(upload, each)
      return 'proved'
    },
  }
}

/**
 * Read back, which is only asked for: a failure is no refused copy. One that can prove nothing more has to have proved it:
 * no word of a store is taken for a proof.
 */
const prove = (store: Transport, upload: Upload, own: Attempt) => asRead(() => store.verify!(upload, own))

/** What the stores asked for, kept as that of any destination. */
function floorsOf(kept: Keeping, name: string): Floors {
  const within = (of: string) => `${name}/${of}`
  const { store, clock } = kept
  return {
    floorMs: async (of) => (await store.read((tx) => circuitOf(tx, within(of), clock.now()))).floorMs,
    keep: (of, { code, retryAfterMs }) =>
      update(kept, within(of), (circuit, nowMs) => trip(circuit, code, retryAfterMs, nowMs, clock.random())),
  }
}

const rank = ({ error }: Failed) => BY_HEALING.indexOf(error.class)

const copiesIn = (each: Each) => [...each.values()].filter(({ kind }) => kind === 'all').length

/** Bytes that the stores have, as if they were one. */
function offsetOf(each: Each, { sizeBytes }: Upload): number {
  let sum = 0
  for (const found of each.values())
    sum += found.kind === 'all' ? sizeBytes : found.kind === 'part' ? found.offsetBytes : 0
  return Math.floor(sum / each.size)
}

/**
 * By name what a store has remembered, or `true` where it has a proved copy. What cannot be read is of a store that
 * was alone, and is forgotten.
 */
function tokensOf(resumeToken = ''): Map<string, unknown> {
  try {
    return new Map(Object.entries(JSON.parse(resumeToken) as object))
  } catch {
    return new Map()
  }
}
