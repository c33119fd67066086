import type { GroupKeys } from '../group.ts'
import { formatLink, openSession, type ListedSession, type VerifiedSession } from '../verify/index.ts'
import { announce } from './announce.ts'
import { button, h, setAttributes, setText } from './dom.ts'
import { beginsFile, fromMedia, headerOf } from './container.ts'
import { endpoints } from './endpoints.ts'
import { exportedFile, extensionOf } from './export-file.ts'
import { formatClock, formatMoment } from './format.ts'
import { download } from './hand-out.ts'
import { chevron } from './icon.ts'
import { livePlayer, type LivePlayer } from './live-player.ts'
import { lengthOf, liveReading, pieceAt, type CheckedPiece } from './read-live.ts'
import { texts } from './texts.ts'
import { verificationFailure } from './verification-failure.ts'

/** While much of it is read, ms. */
const DRAW_EVERY_MS = 250

/** Pieces in a row of which all are proved, or none is. */
function stretchesOf(pieces: readonly CheckedPiece[]) {
  const stretches: { isProved: boolean; lengthMs: number }[] = []
  for (const { fromMs, toMs, verdict } of pieces) {
    const last = stretches.at(-1)
    const isProved = verdict === 'proved'
    if (last?.isProved === isProved) last.lengthMs += toMs - fromMs
    else stretches.push({ isProved, lengthMs: toMs - fromMs })
  }
  return stretches
}

/**
 * One recording, opened: it plays while it is read, and goes on when more of it comes.
 *
 * @param onEnding is told how it ended, as far as its log says
 */
export function openedSession(
  name: ListedSession['name'],
  keys: GroupKeys,
  onEnding: (ending: VerifiedSession['ending']) => void,
) {
  const words = texts.reader
  const { rpcUrl, registry, gateway } = endpoints()
  const live = liveReading()
  /** Parts of the file between which nothing is missing. */
  const runs: Blob[][] = []
  let lastIndex = -1
  /** Of the recording before, where this one is the rest of it. */
  let header: Blob | undefined
  const leaving = new AbortController()
  const { signal } = leaving
  let session: VerifiedSession | undefined
  let player: LivePlayer | undefined
  let reading = false
  /** How much of its log is wanted, and how much of it was read, all that could be fetched included. */
  let wantedSize = 0
  let readSize = 0

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
  const saveVideo = button(
    words.saveVideo,
    async () => {
      saveVideo.disabled = true
      try {
        const { mimeType = 'video/webm' } = session ?? {}
        const whole = runs.map((run) => new Blob(run))
        const { file } = await exportedFile(whole, mimeType, header, signal)
        download(file, `holdfast-${name.slice(0, 8)}.${extensionOf(mimeType)}`)
      } finally {
        saveVideo.disabled = false
      }
    },
    { 'data-testid': 'save-video' },
  )
  const saveProof = button(words.saveProof, () =>
    download(new Blob([proofOf()], { type: 'application/json' }), `holdfast-${name.slice(0, 8)}-proof.json`),
  )
  const details = h('details', { class: 'details' }, h('summary', {}, chevron(), words.eachSecond), table)
  details.addEventListener('toggle', () => drawTable())
  const element = h(
    'div',
    { class: 'player' },
    video,
    now,
    bar,
    summary,
    problem,
    h('div', { class: 'row' }, saveVideo, saveProof),
    details,
  )
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
    const segments = stretchesOf(pieces).map(({ isProved, lengthMs }) => {
      const segment = h('span', { 'data-verdict': isProved ? 'proved' : 'bad' })
      segment.style.flexGrow = String(Math.max(1, lengthMs))
      return segment
    })
    bar.replaceChildren(...segments)
    setAttributes(bar, { 'aria-label': told[0] })
    setAttributes(element, {
      'data-pieces': pieces.length,
      'data-proved': proved.length,
      'data-ending': ending,
    })
    drawTable()
    showNow()
  }

  /** Ten thousand lines are made for who looks at them. */
  function drawTable(): void {
    if (details.open) table.replaceChildren(...live.pieces().map((piece) => h('li', {}, wordsFor(piece))))
  }

  let drawn = 0
  function drawSoon(opened: VerifiedSession): void {
    if (Date.now() - drawn < DRAW_EVERY_MS) return
    drawn = Date.now()
    draw(opened)
  }

  const open = (wanted: ListedSession['name']) =>
    openSession({ chain: { rpcUrl, registry }, gateway, name: wanted, groupKey: keys.privateKey, signal })

  /** The next bytes that are proved, for the player and the file. */
  async function take(
    index: number,
    bytes: Uint8Array,
    { mimeType, continues }: VerifiedSession,
  ): Promise<void> {
    const part = new Blob([bytes as BlobPart])
    const isFirst = runs.length === 0
    const isAfterGap = index !== lastIndex + 1
    lastIndex = index
    if (isFirst || isAfterGap) runs.push([])
    runs.at(-1)?.push(part)
    if (isFirst && !beginsFile(bytes)) {
      header = await headerBefore(continues, mimeType)
      if (header) player?.add(header)
      return player?.add(await fromMedia(part, mimeType))
    }
    player?.add(isAfterGap ? await fromMedia(part, mimeType) : part, isAfterGap)
  }

  /** What a recording that is the rest of another has in common with it: the header, which that one begins with. */
  async function headerBefore(
    before: VerifiedSession['continues'],
    mimeType: string,
  ): Promise<Blob | undefined> {
    if (before === undefined) return undefined
    try {
      const { chunks, continues } = await open(before)
      for await (const chunk of chunks()) {
        if (chunk.verdict === 'proved' && beginsFile(chunk.plaintext))
          return await headerOf(new Blob([chunk.plaintext]), mimeType)
        return await headerBefore(continues, mimeType)
      }
    } catch {
      // Then this one does not play by itself, and can be saved as it is.
    }
    return undefined
  }

  /** Reads what is new. @returns whether all of it could be fetched */
  async function read(): Promise<boolean> {
    const opened = await open(name)
    session = opened
    onEnding(opened.ending)
    player ??= livePlayer(video, opened.mimeType)
    for await (const piece of live.read(opened)) {
      if (piece.bytes) await take(piece.index, piece.bytes, opened)
      drawSoon(opened)
    }
    draw(opened)
    if (opened.ending !== 'open') {
      player?.end()
      if (!player && !video.src) {
        const whole = runs.map((run) => new Blob(run))
        const { file } = await exportedFile(whole, opened.mimeType, header, signal)
        signal.throwIfAborted()
        video.src = URL.createObjectURL(file)
      }
    }
    problem.replaceChildren()
    return live.pieces().every(({ verdict }) => verdict !== 'gateway-unreachable')
  }

  return {
    element,
    /**
     * Reads on where there is more, or where something could not be read before; one reading at a time.
     *
     * @param size entries of the newest log
     */
    async refresh(size: number): Promise<void> {
      wantedSize = size
      if (reading) return
      reading = true
      try {
        while (readSize < wantedSize) {
          const next = wantedSize
          if (!(await read())) break
          readSize = next
        }
      } catch (thrown) {
        if (!signal.aborted) {
          // It is tried again with each look, and told once.
          if (!problem.hasChildNodes()) announce(words.failed)
          problem.replaceChildren(verificationFailure(thrown))
        }
      } finally {
        reading = false
      }
    },
    close(): void {
      leaving.abort()
      player?.close()
      URL.revokeObjectURL(video.src)
      element.remove()
    },
  }
}
