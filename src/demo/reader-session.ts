import type { GroupKeys } from '../group.ts'
import { formatLink, openSession, type ListedSession, type VerifiedSession } from '../verify/index.ts'
import { announce } from './announce.ts'
import { button, h, setAttributes, setText } from './dom.ts'
import { endpoints } from './endpoints.ts'
import { formatClock, formatMoment } from './format.ts'
import { download } from './hand-out.ts'
import { livePlayer, type LivePlayer } from './live-player.ts'
import { lengthOf, liveReading, pieceAt, type CheckedPiece } from './read-live.ts'
import { texts } from './texts.ts'
import { verificationFailure } from './verification-failure.ts'

/** One recording, opened: it plays while it is read, and goes on when more of it comes. */
export function openedSession(name: ListedSession['name'], keys: GroupKeys) {
  const words = texts.reader
  const { rpcUrl, registry, gateway } = endpoints()
  const live = liveReading()
  const parts: Blob[] = []
  const leaving = new AbortController()
  const { signal } = leaving
  let session: VerifiedSession | undefined
  let player: LivePlayer | undefined
  let reading = false

  const video = h('video', {
    controls: true,
    playsinline: true,
    'aria-label': words.video,
    'data-testid': 'player',
  })
  const now = h('p', { class: 'proof-now', 'data-testid': 'proof-now' })
  const bar = h('div', { class: 'proof-bar', role: 'img', 'data-testid': 'proof-bar' })
  const summary = h('p', { role: 'status', 'data-testid': 'reader-summary' })
  const problem = h('div', {})
  const table = h('ol', { class: 'proof-list' })
  const saveVideo = button(words.saveVideo, () =>
    download(
      recording(),
      `holdfast-${name.slice(0, 8)}.${session?.mimeType.includes('mp4') ? 'mp4' : 'webm'}`,
    ),
  )
  const saveProof = button(words.saveProof, () =>
    download(new Blob([proofOf()], { type: 'application/json' }), `holdfast-${name.slice(0, 8)}-proof.json`),
  )
  const element = h(
    'div',
    { class: 'player' },
    video,
    now,
    bar,
    summary,
    problem,
    h('div', { class: 'row' }, saveVideo, saveProof),
    h('details', { class: 'details' }, h('summary', {}, words.eachSecond), table),
  )

  const recording = () => new Blob(parts, { type: session?.mimeType ?? 'video/webm' })
  const proofOf = () => {
    const link = formatLink(location.href, { name, rpcUrls: [rpcUrl], registry, gateways: [gateway] })
    const { ending, heads, newestHead, missingCount, startedAtMs } = session ?? {}
    return JSON.stringify(
      { link, ending, startedAtMs, missingCount, newestHead, heads, pieces: live.pieces() },
      null,
      2,
    )
  }
  const wordsFor = ({ fromMs, toMs, verdict, existedBeforeMs }: CheckedPiece) => {
    const span = words.span(formatClock(fromMs), formatClock(toMs))
    return verdict === 'proved'
      ? words.proved(span, existedBeforeMs === undefined ? '' : words.existed(formatMoment(existedBeforeMs)))
      : words.notProved(span, verdict)
  }
  const showNow = () => {
    const piece = pieceAt(live.pieces(), video.currentTime * 1000)
    setText(now, piece ? wordsFor(piece) : '')
  }
  video.addEventListener('timeupdate', showNow)

  function draw({ listed, ending, missingCount }: VerifiedSession): void {
    const pieces = live.pieces()
    const proved = pieces.filter(({ verdict }) => verdict === 'proved')
    const provedMs = proved.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
    const told = [
      words.ofWhich(formatClock(provedMs), formatClock(lengthOf(listed))),
      words.endings[ending],
      missingCount > 0 ? texts.safe.lost(missingCount) : '',
    ]
    setText(summary, told.filter(Boolean).join(' '))
    const segments = pieces.map(({ fromMs, toMs, verdict }) => {
      const segment = h('span', { 'data-verdict': verdict === 'proved' ? 'proved' : 'bad' })
      segment.style.flexGrow = String(Math.max(1, toMs - fromMs))
      return segment
    })
    bar.replaceChildren(...segments)
    setAttributes(bar, { 'aria-label': told[0] })
    setAttributes(element, {
      'data-pieces': pieces.length,
      'data-proved': proved.length,
      'data-ending': ending,
    })
    table.replaceChildren(...pieces.map((piece) => h('li', {}, wordsFor(piece))))
    showNow()
  }

  /** Reads what is new. */
  async function read(): Promise<void> {
    const opened = await openSession({
      chain: { rpcUrl, registry },
      gateway,
      name,
      groupKey: keys.privateKey,
      signal,
    })
    session = opened
    player ??= livePlayer(video, opened.mimeType)
    for await (const piece of live.read(opened)) {
      if (piece.bytes) {
        parts.push(new Blob([piece.bytes as BlobPart]))
        // A player that cannot go on keeps nobody from reading and saving.
        await player?.add(piece.bytes).catch(() => undefined)
      }
      draw(opened)
    }
    draw(opened)
    if (opened.ending !== 'open') {
      player?.end()
      if (!player && !video.src) video.src = URL.createObjectURL(recording())
    }
    problem.replaceChildren()
  }

  return {
    element,
    /** Looks whether there is more; one look at a time. */
    async refresh(): Promise<void> {
      if (reading) return
      reading = true
      try {
        await read()
      } catch (thrown) {
        if (!signal.aborted) {
          problem.replaceChildren(verificationFailure(thrown))
          announce(words.failed)
        }
      } finally {
        reading = false
      }
    },
    close(): void {
      leaving.abort()
      player?.close()
      element.remove()
    },
  }
}
