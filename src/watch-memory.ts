import { following } from './protocol/following.ts'
import type { Snapshot } from './protocol/snapshot.ts'

/** The state now, then again after each change, until one of the signals aborts; a slow reader gets the latest. */
export async function* watch(
  stateOf: () => Snapshot,
  changed: EventTarget,
  ...signals: readonly (AbortSignal | undefined)[]
): AsyncGenerator<Snapshot> {
  const over = following(...signals)
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
