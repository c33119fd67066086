type Listener = () => void

/** As much of an AbortSignal as the engine uses. */
class QuickSignal {
  aborted = false
  readonly listeners = new Set<Listener>()

  addEventListener(_type: 'abort', listener: Listener, until?: { readonly signal?: QuickSignal }): void {
    this.listeners.add(listener)
    until?.signal?.addEventListener('abort', () => this.listeners.delete(listener))
  }

  removeEventListener(_type: 'abort', listener: Listener): void {
    this.listeners.delete(listener)
  }
}

/** An AbortController without events and exceptions: the platform's costs more than all else in a simulated drain. */
export class QuickAbortController {
  readonly signal = new QuickSignal()

  abort(): void {
    const { signal } = this
    if (signal.aborted) return
    signal.aborted = true
    for (const listener of signal.listeners) listener()
    signal.listeners.clear()
  }
}
