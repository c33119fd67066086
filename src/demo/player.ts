import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { button, h } from './dom.ts'
import { formatBytes } from './format.ts'
import { download } from './hand-out.ts'

/** Past the end of any recording: asking for it makes the browser find out how long this one is. */
const FAR_SECONDS = 1e7

/** A verified recording to play and to save; `release` frees its memory. `more` buttons stand beside Download. */
export function player(recording: Blob, { id, mimeType }: SessionSnapshot, ...more: HTMLElement[]) {
  const src = URL.createObjectURL(recording)
  const video = h('video', {
    src,
    controls: true,
    playsinline: true,
    'aria-label': 'Verified recording',
    'data-testid': 'player',
    'data-size': recording.size,
  })
  video.addEventListener('loadedmetadata', () => findLength(video), { once: true })
  const extension = mimeType.includes('mp4') ? 'mp4' : 'webm'
  const save = button(`Download (${formatBytes(recording.size)})`, () =>
    download(recording, `holdfast-${id.slice(0, 8)}.${extension}`),
  )
  return {
    element: h('div', { class: 'player' }, video, h('div', { class: 'row' }, save, ...more)),
    release: () => URL.revokeObjectURL(src),
  }
}

/** MediaRecorder leaves the length out of the file, and the seek bar would not work without it. */
function findLength(video: HTMLVideoElement): void {
  if (Number.isFinite(video.duration)) return
  video.addEventListener('durationchange', () => (video.currentTime = 0), { once: true })
  video.currentTime = FAR_SECONDS
}
