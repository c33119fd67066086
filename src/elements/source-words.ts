import type { SourceState, TrackState } from '../capture/record.ts'
import { texts } from './texts.ts'

const isAway = (state: TrackState) => state === 'lost' || state === 'muted'

/** What a person is told while something does not come that should; empty while all does. */
export function sourceWords({ video, audio }: SourceState): string {
  const words = texts.sourceState
  if (isAway(video) && isAway(audio)) return words.nothingNow
  if (video === 'lost') return audio === 'live' ? words.pictureLost : words.pictureGone
  if (audio === 'lost') return video === 'live' ? words.soundLost : words.gone
  if (video === 'muted') return words.pictureMuted
  return audio === 'muted' ? words.soundMuted : ''
}
