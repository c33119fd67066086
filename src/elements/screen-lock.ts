/**
 * Keeps the screen on until the returned function is called, where the browser can: a phone that locks itself stops
 * its camera. The browser drops the lock whenever the page is hidden, so it is asked for again.
 */
export function keepScreenOn(): () => void {
  const over = new AbortController()
  let held: WakeLockSentinel | undefined

  const ask = async () => {
    if (over.signal.aborted || document.visibilityState !== 'visible') return
    // A refusal (low battery, an old browser) is no reason not to record.
    held = await navigator.wakeLock?.request('screen').catch(() => undefined)
    if (over.signal.aborted) void held?.release()
  }
  document.addEventListener('visibilitychange', () => void ask(), { signal: over.signal })
  void ask()
  return () => {
    over.abort()
    void held?.release()
  }
}
