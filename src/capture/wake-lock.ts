/**
 * Keeps the screen on until the signal aborts, where the browser can: a phone that locks itself stops its camera. The
 * browser drops the lock whenever the page is hidden, so it is asked for again.
 */
export function keepScreenOn(signal: AbortSignal): void {
  const ask = async () => {
    if (signal.aborted || document.hidden) return
    // A refusal (low battery, an old browser) is no reason not to record.
    const held = await navigator.wakeLock?.request('screen').catch(() => undefined)
    const letGo = () => void held?.release()
    signal.addEventListener('abort', letGo)
    if (signal.aborted) letGo()
  }
  document.addEventListener('visibilitychange', () => void ask(), { signal })
  void ask()
}
