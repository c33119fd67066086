import { findingsView } from './findings-view.ts'
import { formatClock, formatMoment } from './format.ts'
import { h, replaceAll, setAttributes, setText } from './dom.ts'
import { icon } from './icon.ts'
import { lengthOf, pieceAt, type CheckedPiece } from './read-live.ts'
import { findingsOf } from './reading-report.ts'
import { texts } from './texts.ts'
import type { OpeningStep } from '../verify/index.ts'

/** How far the checking is. */
export interface Checked {
  readonly pieces: readonly CheckedPiece[]
  /** Undefined before there is one. */
  readonly step: OpeningStep | undefined
  /** How much of the list of its pieces is read, 0 to 1, while it is. */
  readonly listRead: number
  /** `stopped`: something stands in the way, which is told beside it. */
  readonly state: 'checking' | 'done' | 'stopped'
}

/** Of what is wrong with the list as a whole; of its pieces each says its own. */
const OF_LIST: ReadonlySet<string> = new Set(['lost', 'forked', 'more', 'unsigned', 'repeated'])

const words = texts.reader

/** What is said of a recording beside its player: what is proved now, of all of it, and second by second. */
export function proofView(video: HTMLVideoElement) {
  const now = h('p', { class: 'proof-now', 'data-testid': 'proof-now' })
  const bar = h('div', { class: 'proof-bar', role: 'img', 'data-testid': 'proof-bar' })
  const summary = h('p', { class: 'proof-summary', 'data-testid': 'reader-summary' })
  const checking = h('p', { class: 'proof-checking', 'data-testid': 'reader-checking' })
  const findings = h('div', {})
  const table = h('ol', { class: 'proof-list' })
  const details = h(
    'details',
    { class: 'details' },
    h('summary', {}, icon('chevron'), words.eachSecond),
    table,
  )
  let pieces: readonly CheckedPiece[] = []
  details.addEventListener('toggle', () => drawTable())
  video.addEventListener('timeupdate', () => showNow())

  const showNow = () => {
    const piece = pieceAt(pieces, video.currentTime * 1000)
    setText(now, piece ? wordsFor(piece) : '')
  }

  /** Ten thousand lines are made for who looks at them. */
  function drawTable(): void {
    if (!details.open) return
    replaceAll(
      table,
      pieces.map((piece) => h('li', {}, wordsFor(piece))),
    )
  }

  function drawFindings({ session }: OpeningStep): void {
    const found = findingsOf({ session, proved: [], bad: [] }).filter(({ about }) => OF_LIST.has(about))
    findings.replaceChildren(...(found.length > 0 ? [findingsView(found)] : []))
  }

  return {
    /** Beside the player, in view with it: what moves while it is checked. */
    above: [summary, checking, bar],
    below: [now, findings],
    details,
    /** @returns what is proved, in words */
    draw(checked: Checked): string {
      pieces = checked.pieces
      const told = summaryOf(checked)
      setText(summary, told)
      setText(checking, progressOf(checked))
      replaceAll(bar, segmentsOf(checked))
      setAttributes(bar, { 'aria-label': told || checking.textContent })
      if (checked.step?.isLast) drawFindings(checked.step)
      drawTable()
      showNow()
      return told
    },
  }
}

function wordsFor({ fromMs, toMs, verdict, existedBeforeMs }: CheckedPiece): string {
  const span = words.span(formatClock(fromMs), formatClock(toMs))
  return verdict === 'proved'
    ? words.proved(span, existedBeforeMs === undefined ? '' : words.existed(formatMoment(existedBeforeMs)))
    : words.notProved(span, verdict)
}

/** Only all of it tells how long it is, and how it ended. */
function summaryOf({ pieces, step }: Checked): string {
  if (!step) return ''
  const proved = pieces.filter(({ verdict }) => verdict === 'proved')
  const provedMs = proved.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  if (!step.isLast) return provedMs > 0 ? words.soFar(formatClock(provedMs)) : ''
  const { listed, ending, missingCount } = step.session
  const told = [
    words.ofWhich(formatClock(provedMs), formatClock(lengthOf(listed))),
    words.endings[ending],
    missingCount > 0 ? texts.safe.lost(missingCount) : '',
  ]
  return told.filter(Boolean).join(' ')
}

function progressOf({ pieces, step, listRead, state }: Checked): string {
  if (state === 'stopped') return step ? words.restStopped : ''
  if (state === 'done') return words.allChecked
  const percent = (share: number) => Math.floor(100 * share)
  if (!step) return words.opening
  return step.isLast
    ? words.restChecked(percent(pieces.length / Math.max(1, step.session.listed.length)))
    : words.restListed(percent(listRead))
}

/** Pieces in a row of which all are proved, or none is; and what was not looked at yet. */
function segmentsOf({ pieces, step }: Checked): HTMLElement[] {
  const stretches: { verdict: 'proved' | 'bad' | 'unknown'; lengthMs: number }[] = []
  for (const piece of pieces) {
    const last = stretches.at(-1)
    const verdict = piece.verdict === 'proved' ? 'proved' : 'bad'
    const lengthMs = piece.toMs - piece.fromMs
    if (last?.verdict === verdict) last.lengthMs += lengthMs
    else stretches.push({ verdict, lengthMs })
  }
  const readMs = stretches.reduce((sum, { lengthMs }) => sum + lengthMs, 0)
  if (step) stretches.push({ verdict: 'unknown', lengthMs: wholeMs(step) - readMs })
  return stretches
    .filter(({ lengthMs }) => lengthMs > 0)
    .map(({ verdict, lengthMs }) => {
      const segment = h('span', { 'data-verdict': verdict })
      segment.style.flexGrow = String(lengthMs)
      return segment
    })
}

/** How long all of it is; a guess by what is known, until all of it is. */
const wholeMs = ({ session, sizeOfAll }: OpeningStep) =>
  lengthOf(session.listed) * Math.max(1, sizeOfAll / session.size)
