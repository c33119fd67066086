import { BUDGETS_MS, type Outcome, type WakeKind } from '../../sw/engine/drain.ts'
import type { FakeDisk } from '../../sw/testing/fake-disk.ts'
import { GIVEN_UP_AFTER_MS } from './faulty-disk.ts'
import { remains } from './oracle.ts'
import type { Caller } from './simulated-request.ts'
import type { Scene } from './simulated-scene.ts'

/** A message is answered before its drain begins, ms. */
const ANSWER_MS = 5_000
/** Work that is no older than this can have come after a drain looked for the last time, ms. */
const LATE_MS = 100

/** Looks at every wake: it must end within its budget, and as idle only where nothing is left. */
export interface WakeOracle {
  /** To be told of every commit. */
  onCommit(disk: FakeDisk['state']): void
  judge(caller: Caller, kind: WakeKind, wake: Promise<Outcome>): Promise<Outcome>
}

/** @param told what the wake is made to say, in an engine that is broken on purpose */
export function createWakeOracle(
  scene: Scene,
  told: (kind: WakeKind, outcome: Outcome) => Outcome,
): WakeOracle {
  const { clock, history } = scene
  const hanging = history.diskFaults.filter(({ how }) => how === 'hangs').length
  const answerMs = ANSWER_MS + hanging * GIVEN_UP_AFTER_MS
  /** Since when work has remained without a break; Infinity while none does. */
  let remainsSinceMs = Infinity

  return {
    onCommit(disk) {
      remainsSinceMs = remains(disk) ? Math.min(remainsSinceMs, clock.now()) : Infinity
    },
    async judge({ name, lifetime }, kind, wake) {
      const startMs = clock.now()
      let settled = false
      void scene.sleep(BUDGETS_MS[kind] + answerMs).then(() => {
        if (!settled && !lifetime.dead) scene.fail(`${name}: ${kind} did not end within its budget`)
      })
      try {
        const outcome = told(kind, await wake)
        scene.trace(() => `${name}: ${kind} ends after ${clock.now() - startMs} ms: ${outcome}`)
        if (outcome === 'idle' && clock.now() - remainsSinceMs > LATE_MS)
          scene.fail(`${name}: ${kind} ended as idle, but work remains`)
        return outcome
      } finally {
        settled = true
      }
    },
  }
}
