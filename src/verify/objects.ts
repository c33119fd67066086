import type { Cid } from '../protocol/ids.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import { followersOf } from './followers.ts'
import { orLate } from './or-late.ts'
import { isFound, type Found, type ObjectSource } from './source.ts'
import { Standing, type Kind } from './standing.ts'

/** What is fetched, what it must be, and how its absence is told. */
export interface Wanted {
  readonly cid: Cid
  readonly kind: Kind
  /** For people. */
  readonly what: string
  readonly maxBytes: number
  readonly sizeBytes?: number
  readonly signal?: AbortSignal | undefined
  /** Why these bytes are not the object; undefined where they are. */
  wrong(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined>
  readonly codes: { readonly missing: VerificationError['code']; readonly wrong: VerificationError['code'] }
  readonly steps: { readonly fetching: VerificationStep; readonly checking: VerificationStep }
  readonly index?: number
}

/** An object whose bytes are the ones that were asked for, or why nobody has it. */
export type Fetched =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'failed'
      readonly error: VerificationError
      /** Nobody said anything but that it is longer than asked for. */
      readonly isTooLong: boolean
      /** Nobody said anything. */
      readonly isSilent?: boolean
      /** When the first of those that are busy wants to be asked again. */
      readonly retryAfterMs?: number | undefined
    }

/** All places where a reader finds objects, as one. */
export interface Objects {
  /** @throws the signal's reason alone */
  fetch(wanted: Wanted): Promise<Fetched>
  /** Objects in a row of which no source said anything. */
  readonly silences: number
}

/** So long is waited for sources that are busy and say until when, where no other has the object, ms. */
const PATIENCE_MS = 30_000
const LEAST_WAIT_MS = 1_000
/** Not again after waiting in vain for this many objects in a row. */
const IN_VAIN = 24

const ASIDE: Said = { kind: 'silent', reason: 'it stayed silent, and is asked again in a while' }

interface Tried {
  readonly source: number
  readonly startedAtMs: number
  readonly wasBeside: boolean
  readonly stop: AbortController
  readonly ended: Promise<{ readonly by: Tried; readonly said: Said }>
}

type Said = Found | { readonly kind: 'wrong'; readonly reason: string }

/**
 * Races the sources for each object: the best by its answers is asked, the next one beside it where that takes longer
 * than answers do, and at once where it fails or lies. The first object of each kind is asked of all, to know them; the
 * others wait for that.
 *
 * @param signal of the caller, beside that of each object
 */
export function objectsOf(sources: readonly ObjectSource[], signal?: AbortSignal): Objects {
  const standing = new Standing(sources.length)
  const opened = new Map<Kind, Promise<unknown>>()
  const follow = followersOf(signal)
  let silences = 0

  function ask(source: number, wanted: Wanted, wasBeside: boolean): Tried {
    const stop = new AbortController()
    const { maxBytes, sizeBytes } = wanted
    const asked = { maxBytes, signal: stop.signal, ...(sizeBytes !== undefined && { sizeBytes }) }
    const found = async (): Promise<Said> => {
      try {
        const said: unknown = await sources[source]!.get(wanted.cid, asked)
        if (!isFound(said)) return { kind: 'silent', reason: 'it gave what is no answer' }
        const reason = said.kind === 'bytes' ? await wanted.wrong(said.bytes) : undefined
        if (reason === undefined) return said
        return said.kind === 'bytes' && isWebPage(said.bytes)
          ? { kind: 'silent', reason: `it answered a web page, as a sign-in of a network does (${reason})` }
          : { kind: 'wrong', reason }
      } catch (cause) {
        return { kind: 'silent', reason: cause instanceof Error ? cause.message : String(cause), cause }
      }
    }
    const tried: Tried = {
      source,
      startedAtMs: performance.now(),
      wasBeside,
      stop,
      ended: found().then((said) => ({ by: tried, said })),
    }
    return tried
  }

  async function race(wanted: Wanted, isOpening: boolean): Promise<Fetched> {
    const caller = follow(wanted.signal)
    const order = standing.order(wanted.kind)
    const under = new Set<Tried>()
    const said = new Map<number, Said>()
    const aside: number[] = []
    // Where nobody says anything it may be the line that is away: then who is aside is asked all the same, for some objects.
    const isUnheard = () => silences < IN_VAIN && [...said.values()].every(({ kind }) => kind === 'silent')
    const askNext = (wasBeside = false) => {
      const at = order.findIndex((source) => !standing.isAside(source))
      aside.push(...order.splice(0, at < 0 ? order.length : at))
      const next = order.shift() ?? (under.size === 0 && isUnheard() ? aside.shift() : undefined)
      if (next === undefined) return
      standing.asked(next)
      under.add(ask(next, wanted, wasBeside))
    }
    try {
      caller.signal.throwIfAborted()
      const over = abortOf(caller.signal)
      for (const _ of isOpening ? sources : [0]) askNext()
      while (under.size > 0) {
        const one = Promise.race([...ended(under), over])
        const first = await (order.some((source) => !standing.isAside(source))
          ? orLate(standing.delayMs(wanted.kind), one)
          : one)
        if (first === 'late') {
          if (standing.mayAskBeside()) askNext(true)
          continue
        }
        under.delete(first.by)
        const nowMs = performance.now()
        const tookMs = nowMs - first.by.startedAtMs
        if (first.said.kind === 'silent') standing.silent(first.by.source, tookMs)
        else standing.heard(first.by.source)
        if (first.said.kind === 'bytes') {
          standing.answered(first.by.source, wanted.kind, tookMs, first.by.wasBeside)
          for (const { source, startedAtMs } of under)
            standing.overtaken(source, wanted.kind, nowMs - startedAtMs)
          // Who lacked what another has, too.
          for (const source of said.keys()) standing.failed(source)
          return first.said
        }
        said.set(first.by.source, first.said)
        // One that was asked beside another is no loss while that one may answer.
        if (under.size === 0 || !first.by.wasBeside) askNext()
      }
    } finally {
      caller.letGo()
      for (const { stop } of under) stop.abort()
    }
    for (const [source, { kind }] of said) if (kind !== 'none') standing.failed(source)
    for (const source of aside) standing.wasLeftOut(source)
    return failure(wanted, [...said, ...aside.map((source) => [source, ASIDE] as const)])
  }

  function failure(wanted: Wanted, said: readonly (readonly [number, Said])[]): Fetched {
    const all = said.map(([, { kind }]) => kind)
    const isWrong = all.includes('wrong') || all.includes('too-long')
    const [retryAfterMs] = said
      .flatMap(([, one]) => ('retryAfterMs' in one ? (one.retryAfterMs ?? []) : []))
      .sort((a, b) => a - b)
    const code = all.includes('silent')
      ? 'gateway-unreachable'
      : isWrong
        ? wanted.codes.wrong
        : wanted.codes.missing
    const step = code === wanted.codes.wrong ? wanted.steps.checking : wanted.steps.fetching
    const words = said.map(([source, one]) => {
      const what =
        one.kind === 'too-long'
          ? `more than ${wanted.maxBytes} bytes were sent, the most there can be`
          : 'reason' in one
            ? one.reason
            : ''
      return `${what}, asked of ${sources[source]!.name}`
    })
    const cause = said
      .map(([, one]) => ('cause' in one ? one.cause : undefined))
      .find((one) => one !== undefined)
    const error = new VerificationError(code, step, `${wanted.what}: ${words.join('; ')}`, {
      cause,
      ...(wanted.index !== undefined && { index: wanted.index }),
    })
    const isTooLong = all.includes('too-long') && !all.includes('wrong')
    const isSilent = all.every((kind) => kind === 'silent')
    return { kind: 'failed', error, isTooLong, isSilent, retryAfterMs }
  }

  /** Gateways that many read from answer 429 to who reads as fast as a page can: they are asked again when they want. */
  async function patiently(wanted: Wanted, isOpening: boolean): Promise<Fetched> {
    const endMs = performance.now() + PATIENCE_MS
    for (;;) {
      const fetched = await race(wanted, isOpening)
      const retryAfterMs = fetched.kind === 'failed' ? fetched.retryAfterMs : undefined
      const waitMs = Math.max(LEAST_WAIT_MS, retryAfterMs ?? Infinity)
      if (performance.now() + waitMs > endMs || silences >= IN_VAIN) {
        silences = fetched.kind === 'failed' && fetched.isSilent ? silences + 1 : 0
        return fetched
      }
      const caller = follow(wanted.signal)
      await orLate(waitMs, abortOf(caller.signal)).finally(caller.letGo)
    }
  }

  return {
    get silences() {
      return silences
    },
    async fetch(wanted) {
      if (sources.length === 1) return patiently(wanted, false)
      const opening = opened.get(wanted.kind)
      if (opening) await opening
      const racing = patiently(wanted, opening === undefined)
      if (!opening)
        opened.set(
          wanted.kind,
          racing.catch(() => {}),
        )
      return racing
    },
  }
}

/** Of whoever is in between: it says nothing of the object. */
export const isWebPage = (bytes: Uint8Array) =>
  /^(\s|<\?xml[^>]*>|<!--((?!-->)[^])*-->)*<(!doctype html|html|head|body|script|meta)\b/i.test(
    new TextDecoder().decode(bytes.subarray(0, 200)),
  )

const ended = (tried: ReadonlySet<Tried>) => [...tried].map((one) => one.ended)

/** Rejects with the signal's reason, also where nobody waits for it any more. */
function abortOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
  })
  aborted.catch(() => {})
  return aborted
}
