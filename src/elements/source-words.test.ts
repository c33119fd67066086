import { expect, it } from 'vitest'
import type { TrackState } from '../capture/record.ts'
import { sourceWords } from './source-words.ts'
import { texts } from './texts.ts'

const { sourceState: words } = texts

/** Every picture × sound. */
const TABLE: Readonly<Record<TrackState, Readonly<Record<TrackState, string>>>> = {
  live: { live: '', muted: words.soundMuted, lost: words.soundLost, none: '' },
  muted: {
    live: words.pictureMuted,
    muted: words.nothingNow,
    lost: words.nothingNow,
    none: words.pictureMuted,
  },
  lost: { live: words.pictureLost, muted: words.nothingNow, lost: words.nothingNow, none: words.pictureGone },
  none: { live: '', muted: words.soundMuted, lost: words.gone, none: '' },
}

it.each(
  Object.entries(TABLE).flatMap(([video, row]) =>
    Object.entries(row).map(([audio, told]) => ({ video, audio, told })),
  ),
)('picture $video, sound $audio: "$told"', ({ video, audio, told }) => {
  expect(sourceWords({ video: video as TrackState, audio: audio as TrackState })).toBe(told)
})
