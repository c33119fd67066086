import { ANSWER_TIMEOUT_MS } from './timeouts.ts'
import { within } from './within.ts'

/** What the browser says; undefined where it cannot, or says nothing for so long. */
export const browserSays = <T>(ask: () => Promise<T>, forMs = ANSWER_TIMEOUT_MS): Promise<T | undefined> =>
  within(forMs, undefined, ask, () => undefined).catch(() => undefined)
