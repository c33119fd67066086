import type { Holdfast } from '../api.ts'
import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { HoldfastElement, settable } from './base.ts'
import { button, h, keyedList, setAttributes, setText, type View } from './dom.ts'
import { feedOf, type Seen } from './feed.ts'
import { formatClock, formatMoment } from './format.ts'
import { icon, setIcon } from './icon.ts'
import { lostNotice } from './lost-notice.ts'
import { onTheirWay, summaryOf, urgentOf, type Remedy } from './recovery-summary.ts'
import { sessionStatus } from './session-status.ts'
import { needsWords } from './session-words.ts'
import { DETAILS, RECOVERY } from './styles.ts'
import { texts } from './texts.ts'
import { countsDown, ticker } from './ticker.ts'

/**
 * `<holdfast-recovery>`: what is on its way, in figures that are always there, so that nothing moves under a thumb; the
 * most urgent thing with its remedy beside it; and, behind a click, which recordings these are. Above it, until a person
 * has read that, which recordings this device has lost, and what of them is safe. Set `holdfast`, and what only the app can
 * do: `signIn`, `freeSpace`.
 *
 * - Attribute `level`: of its heading, which only screen readers meet; default 2.
 * - Attribute that it sets: `data-pending`: how many recordings are on their way; absent while that is not known.
 * - Parts: `lost`, `figures`, `urgent`, `remedy`, `list`.
 * - Event `holdfast-failure`: what a press could not do, or that the state does not come; the element shows it as well.
 */
export class HoldfastRecovery extends HoldfastElement {
  /**
   * Has the person sign in again, for these recordings; once it resolves to true they are resumed. Absent: their remedy
   * is to be resumed.
   */
  declare signIn?: ((of: readonly SessionSnapshot[]) => Promise<boolean>) | undefined
  /** Makes room; there while the device is almost full, which is told before all else. `refresh()` has it seen. */
  declare freeSpace?: (() => unknown) | undefined

  #seen: Seen | undefined
  #draw = (_seen: Seen) => {}
  #begun = false
  #setTicking = ticker(() => this.#drawAgain())
  #watchForLoss = (_holdfast: Holdfast, _signal: AbortSignal) => {}

  protected override css(): string {
    return `${DETAILS}${RECOVERY}`
  }

  protected override build(root: ShadowRoot): void {
    const { recovery } = texts
    const figure = (id: string, label: string) => {
      const term = h('dt', {}, label)
      const value = h('dd', { id: `${id}-value` }, '–')
      return {
        element: h('div', {}, term, value),
        set(text: string, words: string) {
          setText(value, text)
          setText(term, words)
        },
      }
    }
    const figures = {
      pending: figure('pending', recovery.recordings(2)),
      elsewhere: figure('elsewhere', recovery.elsewhere),
      here: figure('here', recovery.here),
      you: figure('you', recovery.you(2)),
    }
    const urgent = h('p', { tabindex: -1, 'data-testid': 'urgent' }, recovery.looking)
    let told: Remedy | undefined
    const remedy = button('', () => this.#press(told), {
      class: 'primary',
      part: 'remedy',
      hidden: true,
    })
    const list = h('ul', { tabindex: 0, 'aria-labelledby': 'title', part: 'list' })
    const details = h(
      'details',
      { class: 'invisible' },
      h('summary', {}, icon('chevron'), recovery.list),
      list,
    )
    const drawList = keyedList(
      list,
      (session: SessionSnapshot) => session.id,
      (session) => this.#item(session),
    )
    const lost = lostNotice(() => urgent.focus())
    this.#watchForLoss = lost.watch
    root.append(
      lost.element,
      h(
        'section',
        { class: 'recovery', part: 'recovery', 'aria-labelledby': 'title' },
        h(this.headingTag('h2'), { id: 'title', class: 'visually-hidden' }, recovery.title),
        h('dl', { class: 'figures', part: 'figures' }, ...Object.values(figures).map((one) => one.element)),
        h('div', { class: 'urgent', part: 'urgent' }, urgent, remedy),
        details,
      ),
    )
    this.#draw = ({ snapshot, policy, wakes }) => {
      const { sessions } = snapshot
      const pending = onTheirWay(sessions)
      const { recordings, elsewhereMs, hereMs, waitingForYou } = summaryOf(sessions)
      const words = texts.recovery
      setAttributes(this, { 'data-pending': recordings })
      figures.pending.set(String(recordings), words.recordings(recordings))
      figures.elsewhere.set(formatClock(elsewhereMs), words.elsewhere)
      figures.here.set(formatClock(hereMs), words.here)
      figures.you.set(String(waitingForYou), words.you(waitingForYou))
      const most = urgentOf(sessions, policy, wakes, this)
      told = most.remedy
      setText(urgent, most.words)
      const { focused } = this
      showRemedy(remedy, told)
      // What was pressed has done its work, and the words say what comes next.
      if (!told && focused === remedy) urgent.focus()
      details.classList.toggle('invisible', recordings === 0)
      drawList(pending)
      if (recordings === 0 && focused && details.contains(focused)) urgent.focus()
      this.#sayWhatBegan(recordings)
      this.#setTicking(pending.some(countsDown))
    }
    this.#drawAgain()
  }

  protected override see(seen: Seen): void {
    this.#seen = seen
    this.#draw(seen)
  }

  protected override connected(holdfast: Holdfast, signal: AbortSignal): void {
    super.connected(holdfast, signal)
    this.#watchForLoss(holdfast, signal)
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#setTicking(false)
  }

  #drawAgain(): void {
    if (this.#seen) this.#draw(this.#seen)
  }

  #sayWhatBegan(recordings: number): void {
    const begun = recordings > 0
    if (begun === this.#begun) return
    this.#begun = begun
    this.say(begun ? texts.recovery.begun(recordings) : texts.recovery.finished)
  }

  #press(remedy: Remedy | undefined): void {
    const { holdfast } = this
    if (!remedy || !holdfast) return
    const { kind, of } = remedy
    if (kind === 'freeSpace') this.freeSpace?.()
    else if (kind === 'upload')
      void this.attempt(feedOf(holdfast).setPolicy('always'), texts.recovery.goesOnWhileOpen)
    else void this.attempt(this.#resume(kind, of), texts.status.resumed)
  }

  async #resume(kind: Remedy['kind'], of: Remedy['of']): Promise<unknown> {
    return (
      (kind !== 'signIn' || (await this.signIn?.(of))) &&
      Promise.all(of.map(({ id }) => this.holdfast?.resume(id)))
    )
  }

  #item(first: SessionSnapshot): View<SessionSnapshot> {
    const symbol = icon('up')
    const when = formatMoment(first.startedAtMs)
    const needs = h('p', { class: 'needs' })
    let remedy: Remedy | undefined
    const go = button('', () => this.#press(remedy), { 'data-testid': 'resume-button' })
    const element = h(
      'li',
      { 'data-session-id': first.id },
      symbol,
      h('div', {}, h('p', { class: 'when' }, when), needs),
      go,
    )
    return {
      element,
      update: (session) => {
        if (!this.#seen) return
        const { policy } = this.#seen
        const { icon: name, tone } = sessionStatus(session, policy)
        setIcon(symbol, name)
        setAttributes(element, { 'data-tone': tone, 'data-upload': session.upload })
        setText(needs, needsWords(session, policy))
        remedy = urgentOf([session], policy, false, { signIn: this.signIn }).remedy
        const hadFocus = this.focused === go
        showRemedy(go, remedy?.kind === 'upload' ? undefined : remedy)
        if (hadFocus && go.hidden) go.closest('ul')?.focus()
      },
    }
  }
}

settable(HoldfastRecovery.prototype, 'signIn', 'freeSpace')

function showRemedy(button: HTMLElement, remedy: Remedy | undefined): void {
  button.hidden = !remedy
  setText(button, remedy?.label ?? '')
  setAttributes(button, { 'aria-label': remedy?.name })
}
