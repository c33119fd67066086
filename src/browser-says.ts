import { ANSWER_TIMEOUT_MS } from './timeouts.ts'
import { withTimeout } from './with-timeout.ts'

/** What the browser says; undefined where it cannot, or says nothing for so long. */
export const browserSays = <T>(ask: () => Promise<T>, forMs = ANSWER_TIMEOUT_MS): Promise<T | undefined> =>
  withTimeout(forMs, undefined, ask).catch(() => undefined)
