import type { Settled } from '../../sw/engine/context.ts'
import { request, type Caller } from './simulated-request.ts'
import type { Scene } from './simulated-scene.ts'

/** The app's own server, which hears of each session that has settled. */
export interface AppBackend {
  /** Keys of what it has heard. */
  readonly heard: ReadonlySet<string>
  hear(caller: Caller, settled: Settled): Promise<void>
}

const TAKES_MS = 30

/** @param onLeaving hears of the news when it leaves its worker */
export function appBackend(scene: Scene, onLeaving: (key: string) => void): AppBackend {
  const heard = new Set<string>()
  return {
    heard,
    async hear(caller, { key, signal }) {
      const exchange = {
        what: `tell ${key}`,
        signal,
        takesMs: TAKES_MS,
        hangs: scene.faults.lasts('app-hangs'),
        leaves: () => onLeaving(key),
      }
      await request(scene, caller, exchange, () => void heard.add(key))
    },
  }
}
