/**
 * What comes of one kind of track:
 * - `none`: the stream has no such track
 * - `live`: it comes
 * - `muted`: nothing comes at the moment, so that silence or a still picture is recorded
 * - `lost`: nothing will come any more: unplugged, taken by another app, or no longer allowed
 */
export type TrackState = 'none' | 'live' | 'muted' | 'lost'

/** What a stream gives. */
export interface SourceState {
  readonly video: TrackState
  readonly audio: TrackState
}

/** How often tracks are looked at, ms: a browser tells nothing of a track that the page itself stopped or switched off. */
const LOOK_EVERY_MS = 500

/** The better state of several tracks counts. */
const BEST_FIRST = ['live', 'muted', 'lost'] as const

const EVENTS = ['ended', 'mute', 'unmute'] as const

/** What a stream gives now. */
export function sourceOf(stream: MediaStream): SourceState {
  const stateOf = (tracks: readonly MediaStreamTrack[]): TrackState => {
    const states = new Set(tracks.map(stateOfTrack))
    return BEST_FIRST.find((state) => states.has(state)) ?? 'none'
  }
  return { video: stateOf(stream.getVideoTracks()), audio: stateOf(stream.getAudioTracks()) }
}

const stateOfTrack = ({ readyState, muted, enabled }: MediaStreamTrack): TrackState => {
  if (readyState === 'ended') return 'lost'
  return muted || !enabled ? 'muted' : 'live'
}

/** True where all comes that the stream has. */
export const isAllLive = ({ video, audio }: SourceState): boolean =>
  [video, audio].every((state) => state === 'live' || state === 'none')

/** True where a kind of track that the stream had is gone. */
export const hasLost = ({ video, audio }: SourceState): boolean => video === 'lost' || audio === 'lost'

/** True where nothing will come any more. */
export const isGone = ({ video, audio }: SourceState): boolean =>
  [video, audio].every((state) => state === 'lost' || state === 'none')

export const isSame = (one: SourceState, other: SourceState): boolean =>
  one.video === other.video && one.audio === other.audio

/** Looks at a stream at least twice a second, and as soon as it tells of a change, until the signal aborts. */
export function watchSource(stream: MediaStream, look: () => void, signal: AbortSignal): void {
  for (const track of stream.getTracks())
    for (const type of EVENTS) track.addEventListener(type, look, { signal })
  const timer = setInterval(look, LOOK_EVERY_MS)
  signal.addEventListener('abort', () => clearInterval(timer))
}
