import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { HoldfastElement } from './base.ts'
import { button, h, setAttributes, setText, type View } from './dom.ts'
import type { Seen } from './feed.ts'
import { formatClock, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { sessionStatus } from './session-status.ts'
import { canResume, isConfirmed, needsWords, safeWords, tally } from './session-words.ts'
import { STATUS } from './styles.ts'
import { texts } from './texts.ts'
import { countsDown, ticker } from './ticker.ts'
import { uploadProgress } from './upload-progress.ts'

/**
 * `<holdfast-status>`: how far one recording is, what it waits for, and the button that gets it going. Set `holdfast`,
 * and the attribute `session-id`.
 *
 * - Attribute `level`: of its heading; default 3.
 * - Attribute that it sets: `data-tone`: `recording`, `busy`, `waiting`, `good`, `alert` or `quiet`.
 * - Slots: `first`, before its own buttons, and the default one after them.
 * - Parts: `headline`, `when`, `bar`, `upload`, `needs`, `actions`, `button`.
 * - Event `holdfast-failure`: what a press could not do, or that the state does not come; the element shows it as well.
 */
export class HoldfastStatus extends HoldfastElement {
  static readonly observedAttributes = ['session-id']

  #seen: Seen | undefined
  #session: SessionSnapshot | undefined
  #draw = (_session: SessionSnapshot | undefined, _seen: Seen | undefined) => {}
  #setTicking = ticker(() => this.#drawAgain())

  /** Which recording: its id, as `session.id` and snapshots have it. */
  get sessionId(): string {
    return this.getAttribute('session-id') ?? ''
  }
  set sessionId(id: string) {
    this.setAttribute('session-id', id)
  }

  attributeChangedCallback(): void {
    this.#drawAgain()
  }

  protected override css(): string {
    return STATUS
  }

  protected override build(root: ShadowRoot): void {
    const symbol = icon('dot')
    const words = h('span', {})
    const when = h('p', { class: 'when', part: 'when' })
    const bar = progressBar()
    const upload = uploadProgress()
    upload.element.setAttribute('part', 'upload')
    const needs = h('p', { class: 'needs', part: 'needs' })
    const resume = button(texts.remedy.resume, () => this.#press('resume', texts.status.resumed), {
      part: 'button',
      'data-testid': 'resume-button',
    })
    const pause = button(texts.status.pause, () => this.#press('pause', texts.state.paused), {
      part: 'button',
      'data-testid': 'pause-button',
    })
    const headline = h(
      this.headingTag('h3'),
      { class: 'headline', part: 'headline', tabindex: -1 },
      symbol,
      words,
    )
    const head = h('div', {}, headline, when)
    const actions = h(
      'div',
      { class: 'actions', part: 'actions' },
      h('slot', { name: 'first' }),
      resume,
      pause,
      h('slot', {}),
    )
    root.append(head, bar.element, upload.element, needs, actions)
    this.#draw = (session, seen) => {
      const { focused } = this
      for (const part of [when, bar.element, upload.element, needs, resume, pause]) part.hidden = !session
      this.#setTicking(!!session && countsDown(session))
      const status = session && seen && sessionStatus(session, seen.policy)
      setAttributes(this, { 'data-tone': status?.tone })
      setIcon(symbol, status?.icon ?? 'dot')
      setText(words, status?.words ?? (seen && this.sessionId ? texts.status.unknown : ''))
      // Nothing is known yet, or no recording chosen.
      head.hidden = !words.textContent
      // What is empty would still have a gap beside it.
      actions.hidden = !session && !this.childElementCount
      if (!session || !seen) return focused && headline.focus()
      const { policy } = seen
      const named = formatMoment(session.startedAtMs)
      setText(when, whenAndHowMuch(session))
      setText(needs, needsWords(session, policy))
      needs.hidden = isConfirmed(session)
      bar.update(session)
      upload.update(session)
      resume.hidden = !canResume(session, policy)
      pause.hidden = isConfirmed(session) || session.ending === 'recording' || !resume.hidden
      // Whoever has pressed one of them goes on with the other.
      if (focused === pause && pause.hidden) resume.focus()
      if (focused === resume && resume.hidden) pause.focus()
      if (focused && resume.hidden && pause.hidden) headline.focus()
      setAttributes(resume, { 'aria-label': texts.remedy.resumeOf(named) })
      setAttributes(pause, { 'aria-label': texts.status.pauseOf(named) })
    }
    this.#drawAgain()
  }

  protected override see(seen: Seen): void {
    const [before, policy] = [this.#session, this.#seen?.policy]
    this.#seen = seen
    const session = this.#find()
    if (session !== before || seen.policy !== policy || !session) this.#draw(session, seen)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#setTicking(false)
    this.#session = undefined
  }

  #drawAgain(): void {
    this.#draw(this.#find(), this.#seen)
  }

  /** Kept for what is pressed. */
  #find(): SessionSnapshot | undefined {
    return (this.#session = this.#seen?.snapshot.sessions.find(({ id }) => id === this.sessionId))
  }

  #press(what: 'pause' | 'resume', done: string): void {
    if (this.holdfast && this.#session) void this.attempt(this.holdfast[what](this.#session.id), done)
  }
}

function whenAndHowMuch({ startedAtMs, progress, missing }: SessionSnapshot): string {
  const length = progress.totalMs > 0 ? formatClock(progress.totalMs) : ''
  const lost = missing > 0 ? texts.safe.lost(missing) : ''
  return [formatMoment(startedAtMs), length, lost].filter(Boolean).join(' · ')
}

function progressBar(): View<SessionSnapshot> {
  const confirmed = h('span', { class: 'bar-confirmed' })
  const stored = h('span', { class: 'bar-stored' })
  const bar = h(
    'div',
    { class: 'bar', part: 'bar', role: 'progressbar', 'aria-label': texts.safe.bar },
    confirmed,
    stored,
  )
  return {
    element: bar,
    update(session) {
      const { total, ...done } = tally(session)
      const share = (n: number) => `${(100 * n) / (total || 1)}%`
      confirmed.style.width = share(done.confirmed)
      stored.style.width = share(done.stored)
      setAttributes(bar, {
        'aria-valuemin': 0,
        'aria-valuemax': total,
        'aria-valuenow': done.confirmed,
        'aria-valuetext': safeWords(session),
      })
    },
  }
}
