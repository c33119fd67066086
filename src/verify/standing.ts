/** What is asked for, as far as it decides how long an answer takes. */
export type Kind = 'page' | 'chunk'

/** How long the next source waits for the first answer of a kind; then the answers tell. */
const FIRST_DELAY_MS = 1_000
/** A shorter delay would ask twice for nothing but jitter. */
const LEAST_DELAY_MS = 20
/** So many of a source's newest answers tell how long it takes; of all sources' together, how long answers do. */
const OF_EACH = 9
const OF_ALL = 32
/** How many questions may be asked in vain at first; each ten answers allow one more. */
const SPARE = 8
const SPARE_PER_ANSWER = 0.1

/** A source that gave no answer for this many objects in a row is set aside. */
const SILENCES = 3
/** A failure that comes sooner holds nobody up, ms. */
const LATE_MS = 1_000

/** The newest of some times, in ms. */
class Times {
  readonly #newest: number[] = []
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  add(ms: number): void {
    this.#newest.push(ms)
    if (this.#newest.length > this.#most) this.#newest.shift()
  }

  /** Longer than this share of them; undefined where there are none. */
  quantile(share: number): number | undefined {
    return [...this.#newest].sort((a, b) => a - b)[Math.floor(this.#newest.length * share)]
  }
}

/**
 * How sources stand by their answers: who is asked first, when the next is asked beside it, and whether that may be
 * (docs/decisions/0027-sources-are-raced-by-their-answers.md). It acts on nothing.
 */
export class Standing {
  /** Times in a row that it failed, lied, or lacked what another had. */
  readonly #failures: number[]
  /** What it has cost since it last said anything: objects that it was waited for in vain, and those it was not asked for. */
  readonly #silences: number[]
  /** So many more objects it is not asked. Each question sets it to what it has cost, so it is left out twice as long. */
  readonly #leftOut: number[]
  readonly #byKind: Record<Kind, { readonly all: Times; readonly each: readonly Times[] }>
  #spare = SPARE

  /** @param count of sources, known as 0 to `count` - 1 from here on */
  constructor(count: number) {
    const each = <Value>(value: () => Value) => Array.from({ length: count }, value)
    this.#failures = each(() => 0)
    this.#silences = each(() => 0)
    this.#leftOut = each(() => 0)
    const none = () => ({ all: new Times(OF_ALL), each: each(() => new Times(OF_EACH)) })
    this.#byKind = { page: none(), chunk: none() }
  }

  /** All sources: those without a failure first, by how long they take. A median, which no single stall moves. */
  order(kind: Kind): number[] {
    const timeOf = (source: number) =>
      this.#byKind[kind].each[source]!.quantile(0.5) ?? this.#byKind.page.each[source]!.quantile(0.5) ?? 0
    const times = this.#failures.map((_, source) => timeOf(source))
    return [...this.#failures.keys()].sort(
      (a, b) => this.#failures[a]! - this.#failures[b]! || times[a]! - times[b]!,
    )
  }

  /** How long an answer is waited for before the next source is asked beside it, in ms: twice as long as most take. */
  delayMs(kind: Kind): number {
    const most = this.#byKind[kind].all.quantile(0.9)
    return most === undefined ? FIRST_DELAY_MS : Math.max(LEAST_DELAY_MS, 2 * most)
  }

  /** Whether one may be asked beside another; counts as in vain until `answered` says otherwise. */
  mayAskBeside(): boolean {
    if (this.#spare < 1) return false
    this.#spare -= 1
    return true
  }

  /**
   * Whether it was silent so often that it is not waited for, for as many objects as it has cost: `#silences` counts up to
   * where that begins and `#leftOut` down to where it is asked again, of one object.
   */
  isAside(source: number): boolean {
    return this.#silences[source]! >= SILENCES && this.#leftOut[source]! > 0
  }

  asked(source: number): void {
    this.#leftOut[source] = this.#silences[source]!
  }

  /** It was not asked of an object that nobody else has. */
  wasLeftOut(source: number): void {
    this.#leftOut[source]! -= 1
    this.#silences[source]! += 1
  }

  /** It gave no answer. */
  silent(source: number, tookMs: number): void {
    if (tookMs >= LATE_MS) this.#silences[source]! += 1
  }

  /** It said something, whatever that was. */
  heard(source: number): void {
    this.#silences[source] = 0
  }

  /** @param wasBeside whether it was asked beside another, which it now has overtaken */
  answered(source: number, kind: Kind, tookMs: number, wasBeside: boolean): void {
    const { all, each } = this.#byKind[kind]
    this.#failures[source] = 0
    each[source]!.add(tookMs)
    all.add(tookMs)
    this.#spare = Math.min(SPARE, this.#spare + SPARE_PER_ANSWER + (wasBeside ? 1 : 0))
  }

  failed(source: number): void {
    this.#failures[source]! += 1
  }

  /** Another one answered first. How long this one takes is not known, but longer: it counts as twice that. */
  overtaken(source: number, kind: Kind, afterMs: number): void {
    this.#byKind[kind].each[source]!.add(2 * afterMs)
  }
}
