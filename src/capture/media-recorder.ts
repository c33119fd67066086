import { HoldfastError } from '../protocol/errors.ts'

/** Formats in the order of our preference: WebM is cut by time, MP4 by key frames. */
const MIME_TYPES = [
  'video/webm;codecs=vp9,opus',
  'video/webm;codecs=vp8,opus',
  'video/webm',
  'video/mp4;codecs=avc1,opus',
  'video/mp4',
]

/** The first of our formats that this browser records; undefined where it records none. */
export const supportedMimeType = (): string | undefined =>
  typeof MediaRecorder === 'undefined'
    ? undefined
    : MIME_TYPES.find((type) => MediaRecorder.isTypeSupported(type))

const KEY_FRAME_EVERY_MS = 2_000

/**
 * A player goes on after a gap, or where it is told to seek, with a key frame; browsers make one each 100 frames or so.
 * MP4 is cut at them, too.
 */
const keyFrameEveryMs = (mimeType: string, timesliceMs: number) =>
  mimeType.startsWith('video/mp4') ? timesliceMs : Math.max(timesliceMs, KEY_FRAME_EVERY_MS)

/** Whatever a recorder failed by, as ours. */
export const recorderFailed = (cause: unknown): HoldfastError =>
  new HoldfastError(
    'recorder-failed',
    `The recorder failed: ${cause instanceof Error ? cause.message : 'no reason was given'}.`,
    { cause },
  )

/**
 * A recorder that runs as soon as it was given its listeners.
 *
 * @param timesliceMs length of a slice, ms
 * @throws HoldfastError `recorder-failed`
 */
export function startRecorder(
  stream: MediaStream,
  mimeType: string,
  timesliceMs: number,
  videoBitsPerSecond: number | undefined,
  listen: (recorder: MediaRecorder) => void,
): MediaRecorder {
  try {
    const options = {
      mimeType,
      videoKeyFrameIntervalDuration: keyFrameEveryMs(mimeType, timesliceMs),
      ...(videoBitsPerSecond && { videoBitsPerSecond }),
    }
    const recorder = new MediaRecorder(stream, options)
    listen(recorder)
    recorder.start(timesliceMs)
    return recorder
  } catch (cause) {
    throw recorderFailed(cause)
  }
}
