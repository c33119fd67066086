import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { button, h } from './dom.ts'
import { formatBytes } from './format.ts'
import { download } from './hand-out.ts'

/** Past the end of any recording: asking for it makes the browser find out how long this one is. */
const FAR_SECONDS = 1e7

interface Played {
  readonly session: Pick<SessionSnapshot, 'name' | 'mimeType'>
  /** Without, the file is named as a part. */
  readonly isWhole: boolean
}

/** What is proved of a recording, to play and to save; `release` frees its memory. `more` buttons stand beside Download. */
export function player(recording: Blob, { session, isWhole }: Played, ...more: HTMLElement[]) {
  const src = URL.createObjectURL(recording)
  const video = h('video', {
    src,
    controls: true,
    playsinline: true,
    'aria-label': isWhole ? 'Verified recording' : 'Verified part of the recording',
    'data-testid': 'player',
    'data-size': recording.size,
  })
  video.addEventListener('loadedmetadata', () => findLength(video), { once: true })
  const unplayable = h(
    'p',
    { class: 'notice notice-wait', 'data-testid': 'unplayable', hidden: true },
    'This cannot be played by itself: the recording’s beginning, which tells players its format, is not in it. It can be saved all the same.',
  )
  video.addEventListener('error', () => {
    video.hidden = true
    unplayable.hidden = false
  })
  const { name, mimeType } = session
  const extension = mimeType.includes('mp4') ? 'mp4' : 'webm'
  const save = button(`Download (${formatBytes(recording.size)})`, () =>
    download(recording, `holdfast-${name.slice(0, 8)}${isWhole ? '' : '-part'}.${extension}`),
  )
  return {
    element: h('div', { class: 'player' }, video, unplayable, h('div', { class: 'row' }, save, ...more)),
    release: () => URL.revokeObjectURL(src),
  }
}

/** MediaRecorder leaves the length out of the file, and the seek bar would not work without it. */
function findLength(video: HTMLVideoElement): void {
  if (Number.isFinite(video.duration)) return
  video.addEventListener('durationchange', () => (video.currentTime = 0), { once: true })
  video.currentTime = FAR_SECONDS
}
