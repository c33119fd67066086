/** What happens to a page that records. */
export interface PageLife {
  /** Nobody sees it any more: often the last that it hears, above all on a phone. */
  readonly onHidden: () => unknown
  /** It was frozen, or put aside for Back, and runs again: for how long it did not, nobody tells. */
  readonly onBack: () => unknown
}

/** Watches this page's life (Page Lifecycle, and the back/forward cache) until the signal aborts. */
export function watchPageLife({ onHidden, onBack }: PageLife, signal: AbortSignal): void {
  document.addEventListener('visibilitychange', () => document.hidden && onHidden(), { signal })
  let isAway = false
  // Chromium tells a page that was put aside twice that it is back, the first time as one that was frozen.
  const look = ({ type }: Event) => {
    const wasAway = isAway
    isAway = type === 'freeze' || type === 'pagehide'
    if (wasAway && !isAway) onBack()
  }
  // Captured: the first two are the document's, and may not bubble.
  for (const type of ['freeze', 'resume', 'pagehide', 'pageshow'])
    addEventListener(type, look, { capture: true, signal })
}
