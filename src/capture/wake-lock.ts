/**
 * Keeps the screen on until the signal aborts, where the browser can: a phone that locks itself stops its camera. The
 * browser drops the lock whenever the page is hidden, so it is asked for again.
 */
export function keepScreenOn(signal: AbortSignal): void {
  let held: WakeLockSentinel | undefined

  const ask = async () => {
    if (signal.aborted || document.visibilityState !== 'visible') return
    // A refusal (low battery, an old browser) is no reason not to record.
    held = await navigator.wakeLock?.request('screen').catch(() => undefined)
    if (signal.aborted) void held?.release()
  }
  document.addEventListener('visibilitychange', () => void ask(), { signal })
  signal.addEventListener('abort', () => void held?.release())
  void ask()
}
