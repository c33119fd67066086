import type { Launch, Stack } from '../fixtures.ts'
import type { RealBrowser } from '../browser/real-browser.ts'
import { openDemo, type Witness, type WitnessOptions } from '../page/witness.ts'

/** What one cell of the matrix plays in. */
export interface Scene extends Stack {
  readonly launch: Launch
  readonly browser: RealBrowser
  /** The tab that records. */
  readonly witness: Witness
}

/** What keeps the engine at one point of its work until the death has come. */
export interface Hold {
  readonly arrived: Promise<void>
  /** Lets whatever is still there go on. */
  release(): void | Promise<void>
}

/** A browser with the demo open, and nothing recorded yet. */
export async function openScene(
  stack: Stack,
  launch: Launch,
  options: Omit<WitnessOptions, 'url'>,
): Promise<Scene> {
  const browser = await launch()
  const witness = await openDemo(browser.context, { url: stack.url, ...options })
  return { ...stack, launch, browser, witness }
}
