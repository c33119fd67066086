/** What is asked for, as far as it decides how long an answer takes. */
export type Kind = 'page' | 'chunk'

/** How long the next source waits for the first answer of a kind; then the answers tell. */
const FIRST_DELAY_MS = 1_000
/** A shorter delay would ask twice for nothing but jitter. */
const LEAST_DELAY_MS = 20
/** So many questions may have been asked in vain at first, and one more for ten answers. */
const SPARE = 8
const SPARE_PER_ANSWER = 0.1

interface Estimate {
  readonly meanMs: number
  readonly deviationMs: number
}

/** As TCP estimates a round trip (RFC 6298 §2). */
const after = (known: Estimate | undefined, tookMs: number): Estimate =>
  known
    ? {
        meanMs: known.meanMs * 0.875 + tookMs * 0.125,
        deviationMs: known.deviationMs * 0.75 + Math.abs(known.meanMs - tookMs) * 0.25,
      }
    : { meanMs: tookMs, deviationMs: tookMs / 2 }

/**
 * How sources stand by their answers: who is asked first, when the next is asked beside it, and whether that may be
 * (docs/decisions/0026-sources-are-raced-by-their-answers.md). It acts on nothing.
 */
export class Standing {
  /** Times in a row that it failed, lied, or lacked what another had. */
  readonly #failures: number[]
  readonly #byKind: Record<Kind, { all: Estimate | undefined; readonly each: number[] }>
  #spare = SPARE

  /** @param count of sources, known as 0 to `count` - 1 from here on */
  constructor(count: number) {
    this.#failures = Array.from({ length: count }, () => 0)
    const none = () => ({ all: undefined, each: Array.from({ length: count }, () => 0) })
    this.#byKind = { page: none(), chunk: none() }
  }

  /** All sources: those without a failure first, by how long they take. */
  order(kind: Kind): number[] {
    const { each } = this.#byKind[kind]
    const time = (source: number) => each[source] || this.#byKind.page.each[source] || 0
    return [...this.#failures.keys()].sort(
      (a, b) => this.#failures[a]! - this.#failures[b]! || time(a) - time(b),
    )
  }

  /** How long an answer is waited for before the next source is asked beside it, in ms: longer than most take. */
  delayMs(kind: Kind): number {
    const { all } = this.#byKind[kind]
    return all ? Math.max(LEAST_DELAY_MS, all.meanMs + 4 * all.deviationMs) : FIRST_DELAY_MS
  }

  /** Whether one may be asked beside another; counts as in vain until `answered` says otherwise. */
  mayAskBeside(): boolean {
    if (this.#spare < 1) return false
    this.#spare -= 1
    return true
  }

  /** @param wasBeside whether it was asked beside another, which it now has overtaken */
  answered(source: number, kind: Kind, tookMs: number, wasBeside: boolean): void {
    this.#failures[source] = 0
    this.#learn(source, kind, tookMs)
    this.#byKind[kind].all = after(this.#byKind[kind].all, tookMs)
    this.#spare = Math.min(SPARE, this.#spare + SPARE_PER_ANSWER + (wasBeside ? 1 : 0))
  }

  failed(source: number): void {
    this.#failures[source]! += 1
  }

  /** Another one answered first. How long this one takes is not known, but longer: it counts as twice that. */
  overtaken(source: number, kind: Kind, afterMs: number): void {
    this.#learn(source, kind, 2 * afterMs)
  }

  #learn(source: number, kind: Kind, tookMs: number): void {
    const { each } = this.#byKind[kind]
    each[source] = each[source] ? each[source] * 0.75 + tookMs * 0.25 : tookMs
  }
}
