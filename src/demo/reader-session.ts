import type { GroupKeys } from '../group.ts'
import {
  formatLink,
  openInSteps,
  openSession,
  type ListedSession,
  type OpeningStep,
  type VerificationProgress,
  type VerifiedSession,
} from '../verify/index.ts'
import { announce } from './announce.ts'
import { button, h, setAttributes } from './dom.ts'
import { beginsFile, fromMedia, headerOf } from './container.ts'
import { endpoints } from './endpoints.ts'
import { exportedFile, extensionOf } from './export-file.ts'
import { download } from './hand-out.ts'
import { livePlayer, type LivePlayer } from './live-player.ts'
import { liveReading, runsOf } from './read-live.ts'
import { proofView, type Checked } from './reader-proof.ts'
import { texts } from './texts.ts'
import { verificationFailure } from './verification-failure.ts'

/** While much of it is read, ms. */
const DRAW_EVERY_MS = 250

/** One that was read before: its beginning is known. */
async function* inOneStep(opening: Promise<VerifiedSession>): AsyncGenerator<OpeningStep, void, undefined> {
  const session = await opening
  yield { session, isLast: true, sizeOfAll: session.size }
}

/**
 * One recording, opened: it plays as soon as its beginning is proved, while the rest is checked, and goes on when more
 * of it comes.
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
  const live = liveReading<VerifiedSession>()
  /** What is proved of the file, by index. */
  const parts = new Map<number, Blob>()
  let lastIndex = -1
  /** Of the recording before, where this one is the rest of it. */
  let header: Blob | undefined
  const leaving = new AbortController()
  const { signal } = leaving
  let step: OpeningStep | undefined
  let player: LivePlayer | undefined
  let state: Checked['state'] = 'checking'
  let listRead = 0
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
  const proof = proofView(video)
  const problem = h('div', {})
  const saveVideo = button(
    words.saveVideo,
    async () => {
      saveVideo.disabled = true
      try {
        const { mimeType = 'video/webm' } = step?.session ?? {}
        const { file } = await exportedFile(runsOf(parts), mimeType, header, signal)
        download(file, `holdfast-${name.slice(0, 8)}.${extensionOf(mimeType)}`)
      } finally {
        saveVideo.disabled = false
      }
    },
    { 'data-testid': 'save-video', disabled: true },
  )
  const saveProof = button(words.saveProof, () =>
    download(new Blob([proofOf()], { type: 'application/json' }), `holdfast-${name.slice(0, 8)}-proof.json`),
  )
  saveProof.disabled = true
  const element = h(
    'div',
    { class: 'player' },
    ...proof.above,
    video,
    ...proof.below,
    problem,
    h('div', { class: 'row' }, saveVideo, saveProof),
    proof.details,
  )
  const proofOf = () => {
    const link = formatLink(location.href, { name, rpcUrls: [rpcUrl], registry, gateways: [gateway] })
    const { ending, heads, newestHead, missingCount, startedAtMs } = step?.session ?? {}
    return JSON.stringify(
      {
        link,
        checked: step?.isLast ? 'all' : 'beginning',
        ending,
        startedAtMs,
        missingCount,
        newestHead,
        heads,
        pieces: live.pieces(),
      },
      null,
      2,
    )
  }

  let drawing: ReturnType<typeof setTimeout> | undefined
  function draw(): string {
    clearTimeout(drawing)
    drawing = undefined
    const pieces = live.pieces()
    setAttributes(element, {
      'data-pieces': pieces.length,
      'data-proved': pieces.filter(({ verdict }) => verdict === 'proved').length,
      'data-ending': step?.isLast ? step.session.ending : undefined,
      'data-state': state,
    })
    return proof.draw({ pieces, step, listRead, state })
  }
  const drawSoon = () => {
    drawing ??= setTimeout(draw, DRAW_EVERY_MS)
  }

  const optionsFor = (wanted: ListedSession['name']) => ({
    chain: { rpcUrl, registry },
    gateway,
    name: wanted,
    groupKey: keys.privateKey,
    signal,
  })

  /** The next bytes that are proved, for the player and the file. */
  async function take(
    index: number,
    bytes: Uint8Array,
    { mimeType, continues }: VerifiedSession,
  ): Promise<void> {
    const part = new Blob([bytes as BlobPart])
    const isFirst = parts.size === 0
    parts.set(index, part)
    if (isFirst) saveVideo.disabled = false
    // It has missed its place in what is played already, and has it in the file.
    if (index < lastIndex) return
    const isAfterGap = index !== lastIndex + 1
    lastIndex = index
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
      // Its beginning is enough.
      for await (const { session } of openInSteps(optionsFor(before))) {
        for await (const chunk of session.chunks()) {
          if (chunk.verdict === 'proved' && beginsFile(chunk.plaintext))
            return await headerOf(new Blob([chunk.plaintext]), mimeType)
          return await headerBefore(session.continues, mimeType)
        }
      }
    } catch {
      // Then this one does not play by itself, and can be saved as it is.
    }
    return undefined
  }

  function onStep(now: OpeningStep): void {
    step = now
    player ??= livePlayer(video, now.session.mimeType)
    if (now.isLast) onEnding(now.session.ending)
    saveProof.disabled = false
    draw()
  }

  /** Reads what is new. @returns whether all of it could be fetched */
  async function read(): Promise<boolean> {
    const onProgress = ({ pages }: VerificationProgress) => {
      if (pages) listRead = pages.read / pages.ofAll
      drawSoon()
    }
    const options = optionsFor(name)
    const steps = readSize === 0 ? openInSteps({ ...options, onProgress }) : inOneStep(openSession(options))
    for await (const chunk of live.read(steps, onStep)) {
      if (chunk.verdict === 'proved' && step) await take(chunk.index, chunk.plaintext, step.session)
      drawSoon()
    }
    const { ending, mimeType } = step!.session
    if (ending !== 'open') {
      player?.end()
      if (!player && !video.src) {
        const { file } = await exportedFile(runsOf(parts), mimeType, header, signal)
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
          // What comes later, of one that goes on, is not told of before it is there.
          if (readSize === 0) state = 'checking'
          draw()
          const isAll = await read()
          state = 'done'
          const told = draw()
          if (readSize === 0 || step?.session.ending !== 'open') announce(told)
          if (!isAll) break
          readSize = next
        }
      } catch (thrown) {
        if (!signal.aborted) {
          state = 'stopped'
          draw()
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
      clearTimeout(drawing)
      player?.close()
      URL.revokeObjectURL(video.src)
      element.remove()
    },
  }
}
