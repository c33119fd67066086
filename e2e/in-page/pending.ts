import type { Page } from '@playwright/test'
import { ask, postChunks, startSession } from './messages.ts'

/** Recordings that were made while uploads are off, as they lie there at the next visit; no two chunks are the same. */
export async function leavePending(page: Page, count: number, chunks = 2): Promise<void> {
  await ask(page, { type: 'policy', policy: 'paused' })
  for (let number = 0; number < count; number++) {
    const sessionId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
    await startSession(page, sessionId)
    const drafts = Array.from({ length: chunks }, (_one, index) => {
      return { sessionId, index, sizeBytes: 64 + index, fill: number }
    })
    const refused = (await postChunks(page, drafts)).find(({ ok }) => !ok)
    if (refused) throw new Error(`A chunk of ${sessionId} was not taken: ${refused.error?.message}`)
    await ask(page, { type: 'session-end', sessionId, indexes: chunks })
  }
}
