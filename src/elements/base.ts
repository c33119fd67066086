import type { Holdfast } from '../api.ts'
import { h } from './dom.ts'
import { explain, type Explanation } from './explain.ts'
import { feedOf, type Seen } from './feed.ts'
import { COMMON } from './styles.ts'
import { texts } from './texts.ts'

/** What an element could not do, in words; it bubbles, and leaves shadow trees. */
export interface HoldfastFailure {
  readonly error: unknown
  readonly what: string
  readonly next: string
}

type Heading = 'h1' | 'h2' | 'h3' | 'h4' | 'h5' | 'h6'

/** Nothing in Node, where these modules may be imported, and no element is made. */
const Base = (globalThis.HTMLElement ?? Object) as typeof HTMLElement

/** What all elements have: a connection, a shadow tree with its styles, and a voice for screen readers. */
export abstract class HoldfastElement extends Base {
  /** Draws what was seen; called only while the element is in the page. */
  protected see(_seen: Seen): void {}
  /** Fills the shadow tree; called once, when the element comes into a page. */
  protected abstract build(root: ShadowRoot): void

  #holdfast: Holdfast | undefined
  #watching: AbortController | undefined
  #root: ShadowRoot | undefined
  readonly #voice = globalThis.document && h('div', { role: 'status', class: 'visually-hidden' })

  /** The connection of this page: what `connect()` of `holdfast` gave. */
  get holdfast(): Holdfast | undefined {
    return this.#holdfast
  }
  set holdfast(holdfast: Holdfast | undefined) {
    if (holdfast === this.#holdfast) return
    // A promise is an easy mistake.
    if (holdfast && !holdfast.watch) throw TypeError('await connect()')
    this.#unsubscribe()
    this.#holdfast = holdfast
    this.#subscribe()
  }

  connectedCallback(): void {
    takeEarlyProperties(this)
    if (!this.#root) {
      this.#root = this.attachShadow({ mode: 'open' })
      styleBy(this.#root, `${COMMON}${this.css()}`)
      this.build(this.#root)
      this.#root.append(this.#voice)
    }
    this.#subscribe()
  }

  disconnectedCallback(): void {
    this.#unsubscribe()
  }

  /** Asks again for the policy, after `holdfast.setPolicy()` was called by the app. */
  refresh(): void {
    if (this.#holdfast) feedOf(this.#holdfast).refresh()
  }

  /** The styles of this kind of element. */
  protected abstract css(): string

  /** What this element's heading is: by the attribute `level`, 1 to 6. */
  protected headingTag(standard: Heading): Heading {
    const level = this.getAttribute('level') ?? ''
    return /^[1-6]$/.test(level) ? (`h${level}` as Heading) : standard
  }

  /** The element that has the focus, if it is one of this element's own. */
  protected get focused(): Element | null {
    return this.#root?.activeElement ?? null
  }

  /** Says a change of state to screen readers, once. Not for what changes each second. */
  protected say(words: string): void {
    this.#show('visually-hidden', words)
  }

  /**
   * Says what failed, for all to see, until something else is said, and tells it by `holdfast-failure`. For an app whose
   * `connect()` rejects: until an element has a connection, it knows of no failure.
   *
   * @param error such as what `connect()` rejects with
   * @param next what helps, in words; default: what helps against that error
   */
  fail(error: unknown, next?: string): void {
    const words = this.report(error, next)
    this.#show('notice notice-alert', h('strong', {}, words.what), ` ${words.next}`)
  }

  /** Tells the app alone. @returns it in words */
  protected report(error: unknown, next?: string): Explanation {
    const words = explain(error, next)
    this.tell('holdfast-failure', { error, ...words } satisfies HoldfastFailure)
    return words
  }

  #show(look: string, ...words: readonly (Node | string)[]): void {
    this.#voice.className = look
    // The same again is said again.
    this.#voice.replaceChildren(h('p', {}, ...words))
  }

  protected tell(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }))
  }

  /** Does what was pressed; a failure is told, and nothing where it was given up: where `work` gives false. */
  protected async attempt(work: Promise<unknown>, done: string): Promise<void> {
    try {
      if ((await work) !== false) this.say(done)
    } catch (error) {
      this.fail(error, texts.notice.again)
    }
  }

  /** Told of the connection. The signal aborts once it is another, or the element has left the page. */
  protected connected(holdfast: Holdfast, signal: AbortSignal): void {
    let isMissing = false
    const leave = feedOf(holdfast).subscribe({
      see: (seen) => {
        if (isMissing) this.say('')
        isMissing = false
        this.see(seen)
      },
      fail: (error) => {
        isMissing = true
        this.fail(error)
      },
    })
    signal.addEventListener('abort', leave)
  }

  #subscribe(): void {
    if (!this.#holdfast || !this.isConnected || this.#watching || !this.#root) return
    this.#watching = new AbortController()
    this.connected(this.#holdfast, this.#watching.signal)
  }

  #unsubscribe(): void {
    this.#watching?.abort()
    this.#watching = undefined
  }
}

/** Gives what an app sets a setter: frameworks make attributes of properties that have none. */
export function settable<Of extends HTMLElement>(
  element: Of,
  ...names: readonly (keyof Of & string)[]
): void {
  for (const name of names) {
    const values = new WeakMap<HTMLElement, unknown>()
    Object.defineProperty(element, name, {
      get(this: Of) {
        return values.get(this)
      },
      set(this: Of, value) {
        values.set(this, value)
      },
    })
  }
}

/** What was set before the element was defined hides its accessors: it is set again. */
function takeEarlyProperties(element: HTMLElement): void {
  for (const [name, value] of Object.entries(element)) {
    if (!(name in Object.getPrototypeOf(element))) continue
    Reflect.deleteProperty(element, name)
    Reflect.set(element, name, value)
  }
}

/** By a sheet where there are such, since a content policy may forbid inline styles. */
function styleBy(root: ShadowRoot, css: string): void {
  try {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(css)
    root.adoptedStyleSheets = [sheet]
  } catch {
    root.append(h('style', {}, css))
  }
}
