import type { Slice } from './slices.ts'

/** A slice that seems to have taken so much longer than it did, ms, tells that the clock was set. */
const CLOCK_WAS_SET_MS = 120_000

/** What a recorder has made, and when. */
export type Cut = Omit<Slice, 'taken'>

/**
 * Tells of each slice of a recorder, the first with the whole of the container's header, and when it was made: between the
 * slice before it and itself. Nothing is made while the recorder is paused.
 *
 * @param onResumed the recorder goes on after a pause
 * @returns pauses the recorder
 */
export function watchSlices(
  recorder: MediaRecorder,
  onSlice: (slice: Cut) => void,
  onResumed: () => void,
): () => void {
  let beganAtMs: number
  let beganAt: number
  let isPaused = false
  let hasHeader = false
  // Where the first picture comes later than the first slice Chromium’s has one byte of the header, and the next one the rest.
  let half: Blob | undefined

  const begin = () => {
    beganAtMs = Date.now()
    beganAt = performance.now()
  }

  /** Of the slice that is being made. */
  const lengthMs = () => {
    if (isPaused) return 0
    const tookMs = Math.round(performance.now() - beganAt)
    const toldMs = Date.now() - beganAtMs
    return toldMs < 0 || toldMs > tookMs + CLOCK_WAS_SET_MS ? tookMs : toldMs
  }

  begin()
  recorder.addEventListener('dataavailable', ({ data: piece }) => {
    const data = half ? new Blob([half, piece]) : piece
    half = hasHeader || data.size > 1 ? undefined : data
    if (half || data.size === 0) return
    hasHeader = true
    const slice = { data, capturedAtMs: beganAtMs, durationMs: lengthMs() }
    begin()
    onSlice(slice)
  })
  recorder.addEventListener('resume', () => {
    isPaused = false
    begin()
    onResumed()
  })
  return () => {
    recorder.pause()
    isPaused = true
  }
}
