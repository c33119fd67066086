/**
 * What comes of work, unless the signal aborts first: it goes on then, and nobody waits for it.
 *
 * @throws the signal's reason
 */
export async function orAborted<Value>(signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const over = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { signal: over.signal })
  })
  return Promise.race([aborted, work]).finally(() => over.abort())
}
