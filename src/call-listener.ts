/** Calls an app's listener. What it throws becomes an uncaught error of the app, and stops nothing here. */
export function callListener<Told>(listener: ((told: Told) => void) | undefined, told: Told): void {
  try {
    listener?.(told)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
