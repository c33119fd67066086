import type { Holdfast } from './api.ts'
import { bad } from './bad-input.ts'
import { check, FUNCTION } from './options.ts'
import type { Snapshot } from './protocol/snapshot.ts'
import { callListener } from './call-listener.ts'

/**
 * The engine's state in the form that React's `useSyncExternalStore` and Svelte's stores take; Vue and others need a
 * line more.
 */
export interface SnapshotStore {
  /**
   * Calls the listener at once, and after each change, with the state; undefined until it is known. The first
   * subscriber begins to watch, and with the last one it ends.
   *
   * @returns what ends the subscription
   */
  readonly subscribe: (listener: (snapshot: Snapshot | undefined) => void) => () => void
  /** The latest state: the same object until it changes, undefined until it is known. */
  readonly getSnapshot: () => Snapshot | undefined
}

/**
 * One store for all of an app's components; make it once, beside `connect()`, whose promise it takes as it is. Where the
 * watch fails, which `connect()` does in a browser that cannot, `onError` is told, once somebody looks; without it that
 * is an unhandled rejection. It is told too where the state does not come for a reason that may pass (`onStalled` of
 * `watch`): then the watch goes on.
 *
 * @throws HoldfastError `bad-input`
 */
export function snapshotStore(
  holdfast: Pick<Holdfast, 'watch'> | PromiseLike<Pick<Holdfast, 'watch'>>,
  onError?: (error: unknown) => void,
): SnapshotStore {
  if (!Object(holdfast).watch && !Object(holdfast).then) throw bad('holdfast', 'what connect() gives.')
  if (onError !== undefined) check('onError', onError, FUNCTION)
  const listeners = new Set<(snapshot: Snapshot | undefined) => void>()
  let snapshot: Snapshot | undefined
  let watching: AbortController | undefined
  // Where nobody ever looks, as on a server, there is nobody to tell.
  if (onError) Promise.resolve(holdfast).catch(() => undefined)

  async function watch(signal: AbortSignal): Promise<void> {
    const connected = await holdfast
    for await (const state of connected.watch({ signal, onStalled: onError })) {
      // Some watch ends only with its next state.
      if (signal.aborted) return
      snapshot = state
      for (const listener of listeners) callListener(listener, state)
    }
  }

  return {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      // The same function may be given twice.
      const told = (state: Snapshot | undefined) => listener(state)
      listeners.add(told)
      callListener(told, snapshot)
      if (watching === undefined) {
        const begun = (watching = new AbortController())
        const watched = watch(begun.signal).catch((error: unknown) => {
          // The next that comes begins again.
          if (watching === begun) watching = undefined
          // Whoever has left is told nothing more.
          if (!begun.signal.aborted) throw error
        })
        if (onError) void watched.catch(onError)
      }
      return () => {
        listeners.delete(told)
        if (listeners.size > 0) return
        watching?.abort()
        watching = undefined
      }
    },
  }
}
