import type { EventEmitter } from 'node:events'

/** How a person, a terminal that is closed, or the system asks a command to end. */
const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Aborts when this process is asked to end: it still tidies up. Asked once more, it ends at once. */
export function stoppedBy(process: Pick<EventEmitter, 'once' | 'off'>): AbortSignal {
  const stop = new AbortController()
  const onStop = () => {
    for (const name of STOPS) process.off(name, onStop)
    stop.abort(new Error('Stopped'))
  }
  for (const name of STOPS) process.once(name, onStop)
  return stop.signal
}
