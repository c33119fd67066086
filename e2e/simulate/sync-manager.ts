import type { Engine } from '../../sw/engine/engine.ts'
import type { Scene } from './simulated-scene.ts'

/** The browser's Background Sync, by Chromium's rules: docs/browsers.md. */
export interface SyncManager {
  getTags(): Promise<string[]>
  register(tag: string): Promise<void>
}

/** A tag that has just been registered is fired after this, ms. */
const FIRST_MS = 1_000
/** A sync that failed is tried again after this, then three times that, ms. */
const AGAIN_MS = 300_000
const ATTEMPTS = 3

export type SyncAttempt = NonNullable<Parameters<Engine['sync']>[0]>

/**
 * @param hasPage without an open page no tag is taken
 * @param fire runs one attempt; resolves to whether its event was resolved
 */
export function syncManager(
  scene: Scene,
  hasPage: () => boolean,
  fire: (attempt: SyncAttempt) => Promise<boolean>,
): SyncManager {
  const { faults } = scene
  const tags = new Set<string>()

  const run = async (tag: string) => {
    await scene.sleep(FIRST_MS)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      while (faults.lasts('offline')) await scene.sleep(faults.leftMs('offline'))
      if (await fire({ tag, lastChance: attempt === ATTEMPTS })) return
      if (attempt < ATTEMPTS) await scene.sleep(AGAIN_MS * 3 ** (attempt - 1))
    }
  }

  return {
    getTags: async () => [...tags],
    async register(tag) {
      if (!hasPage()) throw new Error('No page is open.')
      if (tags.has(tag)) return
      tags.add(tag)
      void run(tag).finally(() => tags.delete(tag))
    },
  }
}
