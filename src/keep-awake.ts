import type { Connection } from './connection.ts'
import { onBroadcast } from './on-broadcast.ts'
import { HELLO_EVERY_MS } from './timeouts.ts'

/**
 * Says hello to the worker at once, again when the network or the page comes back or a new worker takes over, and
 * every 20 s while work remains, whoever has begun it: an open page is what keeps a worker awake, above all where no
 * browser would.
 *
 * @returns a way to say hello now
 */
export function keepAwake(connection: Connection, signal: AbortSignal): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined

  const soon = () => void (timer ??= setTimeout(() => void hello(true), HELLO_EVERY_MS))
  const hello = async (again: boolean) => {
    clearTimeout(timer)
    timer = undefined
    // A worker that does not answer is asked again like one that has work.
    const { workRemains } = await connection
      .request({ type: 'hello', again })
      .catch(() => ({ workRemains: true }))
    if (workRemains && !signal.aborted) soon()
  }
  const greet = () => void hello(false)
  const greetIfVisible = () => document.hidden || greet()

  addEventListener('online', greet, { signal })
  document.addEventListener('visibilitychange', greetIfVisible, { signal })
  connection.onNewWorker(greet, signal)
  // Begun in another tab, or anew after a loss: this page may be the last one that is open.
  onBroadcast(connection, soon, signal)
  signal.addEventListener('abort', () => clearTimeout(timer))
  greet()
  return greet
}
