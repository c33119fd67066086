import type { Holdfast } from '../api.ts'
import type { Policy, PolicyView, Snapshot } from '../protocol/snapshot.ts'
import { callListener } from '../call-listener.ts'

/** All that the elements of a page show. */
export interface Seen {
  readonly snapshot: Snapshot
  readonly policy: PolicyView
  /** Whether this browser goes on without a page; false while that is not known. */
  readonly wakes: boolean
}

export interface Listener {
  readonly see: (seen: Seen) => void
  /** The state does not come, until it is seen. */
  readonly fail?: (error: unknown) => void
}

/** What one connection tells, once for however many elements show it. */
export interface Feed {
  /** @returns ends it */
  subscribe(listener: Listener): () => void
  /** Sets the policy, and tells every element. */
  setPolicy(policy: Policy): Promise<PolicyView>
  /** Asks again for the policy, which no other tab tells. */
  refresh(): void
}

const ALWAYS: PolicyView = { policy: 'always', metered: false }

const feeds = new WeakMap<Holdfast, Feed>()

/** The one feed of a connection. */
export function feedOf(holdfast: Holdfast): Feed {
  const known = feeds.get(holdfast) ?? feed(holdfast)
  feeds.set(holdfast, known)
  return known
}

function feed(holdfast: Holdfast): Feed {
  const listeners = new Set<Listener>()
  let snapshot: Snapshot | undefined
  /** Why the state does not come; a watch tells it once. */
  let missing: unknown
  let policy: PolicyView | undefined
  let wakes = false
  let asked = 0
  let running: AbortController | undefined

  const show = ({ see }: Listener) => {
    if (snapshot) callListener(see, { snapshot, policy: policy ?? ALWAYS, wakes })
  }
  const showAll = () => listeners.forEach(show)
  const take = async (answer: Promise<PolicyView>) => {
    const turn = ++asked
    const view = await answer
    // An answer to an earlier question must not undo a later choice.
    if (turn === asked) {
      policy = view
      showAll()
    }
    return view
  }
  // A worker of an older version knows no policy: then it is as if it were `always`.
  const refresh = () => void take(holdfast.policy()).catch(() => undefined)
  const look = () => {
    if (document.hidden) return
    refresh()
    holdfast
      .capabilities()
      .then(({ backgroundWakes }) => {
        wakes = backgroundWakes.kind === 'background-sync'
        showAll()
      })
      // Permissions change; where its code does not load, the promise stays the smaller one.
      .catch(() => undefined)
  }
  const stop = () => {
    running?.abort()
    running = undefined
    snapshot = undefined
  }
  const run = async ({ signal }: AbortController) => {
    missing = undefined
    document.addEventListener('visibilitychange', look, { signal })
    const { connection } = navigator as { readonly connection?: EventTarget }
    connection?.addEventListener('change', look, { signal })
    look()
    const onStalled = (error: unknown) => {
      missing = error
      listeners.forEach(({ fail }) => fail?.(error))
    }
    try {
      for await (snapshot of holdfast.watch({ signal, onStalled })) {
        missing = undefined
        showAll()
        // The worker may have been stopped before it answered.
        if (!policy) refresh()
      }
    } catch (error) {
      onStalled(error)
      // The next that comes begins again.
      stop()
    }
  }

  return {
    subscribe(listener) {
      if (!running) void run((running = new AbortController()))
      listeners.add(listener)
      show(listener)
      if (missing) listener.fail?.(missing)
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) stop()
      }
    },
    setPolicy: (wanted) => take(holdfast.setPolicy(wanted)),
    refresh,
  }
}
