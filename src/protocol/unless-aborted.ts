/**
 * What the work comes to, unless the signal aborts first: what was begun goes on then, and nobody waits for it.
 *
 * @param work not begun where the signal is aborted already
 * @throws the signal's reason, as `fetch` does
 */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted()
  const over = new AbortController()
  const aborted = new Promise<never>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
  })
  return Promise.race([aborted, work()]).finally(() => over.abort())
}
