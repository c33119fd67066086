/** So long a page can wait before a person notices, twice over; ms. */
const SLICE_MS = 12

/** Gives way to others; resolves at once where that was a short time ago. */
export type Pause = () => Promise<void>

/** For long work on the thread of a page: what awaits this between its steps never holds it up for long. */
export function pauses(): Pause {
  let beganMs = performance.now()
  return async () => {
    if (performance.now() - beganMs < SLICE_MS) return
    await turn()
    beganMs = performance.now()
  }
}

/** Where there is no scheduler (Safari, Node), a timer of 0 is a few ms. */
function turn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?(): Promise<void> } }
  return scheduler?.yield?.() ?? new Promise((resolve) => setTimeout(resolve))
}
