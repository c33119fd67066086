import type { Page } from '@playwright/test'

/**
 * What is recorded in this page ends, as a camera that is unplugged does.
 *
 * @param kind its picture or its sound; all of it if absent
 * @param wasFrozen in a page that was frozen meanwhile, and hears in the same moment that it runs again
 */
export const loseSource = (page: Page, kind?: 'video' | 'audio', wasFrozen = false): Promise<void> =>
  page.getByTestId('recorder').evaluate(
    (recorder: HTMLElement, lost) => {
      const stream = recorder.shadowRoot?.querySelector('video')?.srcObject as MediaStream
      for (const track of stream.getTracks())
        if (lost.kind === undefined || track.kind === lost.kind) track.stop()
      // Chromium's debugger freezes no page that is seen: the test tells what the browser would.
      for (const type of lost.wasFrozen ? ['freeze', 'resume'] : []) document.dispatchEvent(new Event(type))
    },
    { kind, wasFrozen },
  )
