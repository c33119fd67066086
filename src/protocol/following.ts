/**
 * A controller that aborts when any of the signals does, with its reason. Whoever asks for it aborts it in the end, or
 * the signals keep it. Instead of `AbortSignal.any`, which is two years younger than all else that we use.
 */
export function following(...signals: readonly (AbortSignal | undefined)[]): AbortController {
  const controller = new AbortController()
  for (const signal of signals) {
    const abort = () => controller.abort(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { signal: controller.signal })
  }
  return controller
}
