import { endable } from '../protocol/endable.ts'
import { following } from '../protocol/following.ts'
import type { Snapshot } from '../protocol/snapshot.ts'

/** The state now, then again after each change, until one of the signals aborts; a slow reader gets the latest. */
export function watch(
  stateOf: () => Snapshot,
  changed: EventTarget,
  ...signals: readonly (AbortSignal | undefined)[]
): AsyncGenerator<Snapshot> {
  return endable((ending) => states(stateOf, changed, following(...signals, ending)))
}

async function* states(
  stateOf: () => Snapshot,
  changed: EventTarget,
  over: AbortController,
): AsyncGenerator<Snapshot> {
  const { signal } = over
  let isNews = true
  let notify = () => {}
  const onChange = () => {
    isNews = true
    notify()
  }
  changed.addEventListener('change', onChange, { signal })
  signal.addEventListener('abort', () => notify())
  try {
    while (!signal.aborted) {
      if (isNews) {
        isNews = false
        yield stateOf()
      } else
        await new Promise<void>((resolve) => {
          notify = resolve
        })
    }
  } finally {
    over.abort()
  }
}
