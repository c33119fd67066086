import { HoldfastError } from '../../../src/protocol/errors.ts'
import { trip, type Circuit } from '../../core/circuit.ts'
import { lacks } from '../../engine/deliver.ts'
import { asRead } from '../../engine/read-error.ts'
import { counted } from '../../engine/two-copies.ts'
import { circuitOf, update, type Keeping } from '../../health/stored-circuits.ts'
import type { Clock } from '../../ports/platform.ts'
import type { Attempt, Floors, RemoteState, Transport, Upload } from '../../ports/transport.ts'
import { systemClock } from '../browser/system-clock.ts'
import { inForce, rank, refusalBy, type Refusal } from './refusals.ts'
import { ask, failed, newChild, turnOf, type Child, type Failed } from './store-health.ts'

/** What an attempt has found out about one store. */
type Found = RemoteState | Failed

/** By name, in the order of the session's choice. */
type Each = ReadonlyMap<string, Found>

type Step = (store: Transport, held: RemoteState, attempt: Attempt) => Promise<RemoteState>

const NOTHING: RemoteState = { kind: 'nothing' }
const PROVED: RemoteState = { kind: 'all', proved: true }

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
  const children = new Map(stores.map((store): [string, Child] => [store.name, newChild(store)]))
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
    const refusedBy = (of: string) => inForce(refusalOf(of), nowMs, resumedAtMs)
    // Where all that lack it have refused it, the engine itself has let this be the trial.
    const isTrial = [...each].every(([of, { kind }]) => kind === 'all' || refusedBy(of))

    for (const [of, held] of each) {
      const child = children.get(of)!
      if (held.kind === 'failed' || held.kind === 'all') continue
      const refused = isTrial ? undefined : refusedBy(of)
      if (refused) {
        const { code, message, untilMs } = refused
        each.set(of, failed(child, clock, new HoldfastError(code, message), untilMs))
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
      const found = await ask(child, clock, tryNow, attempt.floors, () =>
        counted(kept, upload, !child.store.stores, async (own, mayBeSent) => {
          if (isSent) await mayBeSent()
          return step(child.store, held, own)
        }),
      )
      each.set(of, found)
      const refusal =
        found.kind === 'failed' ? refusalBy(found.error, refusalOf(of), nowMs, resumedAtMs) : undefined
      if (refusal) {
        resumeTokens.set(`!${of}`, refusal)
        await saveTokens()
      }
      if (found.kind !== 'all') continue
      resumeTokens.set(of, true)
      // With the last of them the whole upload is recorded as stored.
      if (of !== chosen.at(-1) || copiesIn(each) < atLeast) await saveTokens()
    }
    return each
  }

  /** @throws HoldfastError unless enough stores have a proved copy */
  function conclude(upload: Upload, each: Each): void {
    const { atLeast } = choiceOf(upload)
    const have = copiesIn(each)
    if (have >= atLeast) return
    const failures = [...each.values()]
      .filter((found) => found.kind === 'failed')
      .sort((a, b) => rank(a.error) - rank(b.error) || a.waitMs - b.waitMs)
    const [first] = failures
    const why = failures.map(({ child, error }) => ` ${child.store.name}: ${error.message}`)
    const message = `${have} of ${atLeast} copies.${why.join('')}`
    // After a destination's failure the engine leaves all of them alone: right only where no other is left.
    const away = every(({ failures: times }) => times > 0)
    if (first && (rank(first.error) > 0 || away)) {
      const { code, retryAfterMs } = first.error
      throw new HoldfastError(code, message, { cause: first.error, retryAfterMs })
    }
    throw new HoldfastError('copies-missing', message, {
      retryAfterMs: first ? turnOf(first, clock.now()) : 0,
    })
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
        const held: RemoteState | undefined = await store.probe(upload, own)
        if (lacks(held)) return held
        if (!held?.proved) await prove(store, upload, own)
        return PROVED
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
