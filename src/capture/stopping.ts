/** A browser has so long to give the last slice and to say that it has stopped, ms; the film may be long. */
const STOP_TIMEOUT_MS = 60_000
const LAST_WAIT_MS = 1_000

const stops = new WeakMap<MediaRecorder, Promise<unknown>>()

/** Waits for a recorder's end from now on: whoever asks later is told all the same. */
export const watchStop = (recorder: MediaRecorder) =>
  stops.set(recorder, new Promise((stop) => recorder.addEventListener('stop', stop, { once: true })))

/**
 * Stops a recorder that is watched, or waits for one that has stopped: a browser that never says so is not waited for.
 *
 * @param onStuck called then, before the recorder is taken for stopped
 * @returns resolves once it has given its last slice
 */
export function stopRecorder(
  recorder: MediaRecorder,
  onStuck: () => void,
  waitMs = STOP_TIMEOUT_MS,
): Promise<unknown> {
  if (recorder.state !== 'inactive') recorder.stop()
  const timer = setTimeout(() => {
    // A page that was frozen over it has what came meanwhile yet to hear.
    if (waitMs > LAST_WAIT_MS) return void stopRecorder(recorder, onStuck, LAST_WAIT_MS)
    onStuck()
    recorder.dispatchEvent(new Event('stop'))
  }, waitMs)
  const stopped = stops.get(recorder)!
  void stopped.then(() => clearTimeout(timer))
  return stopped
}
