/** A recorder that runs gives something within this time, ms, */
const SILENT_MS = 10_000
/** or within this many slices. */
const SILENT_SLICES = 3
/** A timer of a longer time, from 2^31 ms on, goes off at once. */
const LONGEST_TIMER_MS = 2e9

/**
 * Tells when a recorder that runs gives nothing: an encoder dies, or a picture stands, without a word of the browser.
 *
 * @param timesliceMs length of a slice, ms
 * @param told with `true` once it is silent, with `false` once it gives something again
 */
export function watchSilence(
  recorder: MediaRecorder,
  timesliceMs: number,
  told: (isSilent: boolean) => void,
): void {
  const limitMs = Math.min(LONGEST_TIMER_MS, Math.max(SILENT_MS, SILENT_SLICES * timesliceMs))
  let isSilent = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const tell = (now: boolean) => {
    if (now !== isSilent) told((isSilent = now))
  }
  const wait = (event?: Partial<BlobEvent>) => {
    if (event?.data?.size === 0) return
    clearTimeout(timer)
    tell(false)
    if (event?.type !== 'stop') timer = setTimeout(() => tell(recorder.state === 'recording'), limitMs)
  }
  for (const type of ['dataavailable', 'resume', 'stop']) recorder.addEventListener(type, wait)
  wait()
}
