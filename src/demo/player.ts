import type { SessionSnapshot } from '../protocol/snapshot.ts'
import { button, h } from './dom.ts'
import { extensionOf } from './export-file.ts'
import { formatBytes } from './format.ts'
import { download } from './hand-out.ts'
import { texts } from './texts.ts'

const words = texts.player

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
    'aria-label': isWhole ? words.whole : words.part,
    'data-testid': 'player',
  })
  const unplayable = h(
    'p',
    { class: 'notice notice-wait', 'data-testid': 'unplayable', hidden: true },
    words.unplayable,
  )
  video.addEventListener('error', () => {
    video.hidden = true
    unplayable.hidden = false
  })
  const { name, mimeType } = session
  const save = button(words.save(formatBytes(recording.size)), () =>
    download(recording, `holdfast-${name.slice(0, 8)}${isWhole ? '' : '-part'}.${extensionOf(mimeType)}`),
  )
  return {
    element: h('div', { class: 'player' }, video, unplayable, h('div', { class: 'row' }, save, ...more)),
    release: () => URL.revokeObjectURL(src),
  }
}
