import type { Launch, Stack } from '../fixtures.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { openDemo, type DemoTab, type DemoTabOptions } from '../in-page/demo-tab.ts'

/** What one cell of the matrix plays in. */
export interface Scene extends Stack {
  readonly launch: Launch
  /** The shared one, or one of this test's own where it is to be killed. */
  readonly browser: RealBrowser
  /** The tab that records. */
  readonly tab: DemoTab
}

/** What keeps the engine at one point of its work until the death has come. */
export interface Hold {
  readonly arrived: Promise<void>
  /** Lets whatever is still there go on. */
  release(): void | Promise<void>
}

/** The demo is open, and nothing recorded yet. */
export async function openScene(
  place: Omit<Scene, 'tab'>,
  options: Omit<DemoTabOptions, 'url'>,
): Promise<Scene> {
  const tab = await openDemo(place.browser.context, { url: place.url, ...options })
  return { ...place, tab }
}
