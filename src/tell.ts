/** Tells an app: what its listener throws is the app's, told as an uncaught error, and stops nothing here. */
export function tell<Told>(listener: ((told: Told) => void) | undefined, told: Told): void {
  try {
    listener?.(told)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
