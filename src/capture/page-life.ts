/** What happens to a page that records. */
export interface PageLife {
  /** Nobody sees it any more: often the last that it hears, above all on a phone. */
  readonly onHidden: () => void
  /** It was frozen, or put aside for Back, and runs again: for how long it did not, nobody tells. */
  readonly onBack: () => void
}

/** Watches this page's life (Page Lifecycle, and the back/forward cache) until the signal aborts. */
export function watchPageLife({ onHidden, onBack }: PageLife, signal: AbortSignal): void {
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'hidden') onHidden()
    },
    { signal },
  )
  // Chromium's event of a page that was frozen.
  document.addEventListener('resume', onBack, { signal })
  addEventListener('pageshow', ({ persisted }) => persisted && onBack(), { signal })
}
