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
  /** Chromium tells the end of one freeze twice, where it had put the page aside; what it began with may not be heard. */
  let isBack = false
  const leave = () => {
    isBack = false
  }
  const comeBack = () => {
    if (!isBack) onBack()
    isBack = true
  }
  document.addEventListener('freeze', leave, { signal })
  addEventListener('pagehide', leave, { signal })
  document.addEventListener('resume', comeBack, { signal })
  addEventListener('pageshow', ({ persisted }) => persisted && comeBack(), { signal })
}
