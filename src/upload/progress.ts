import { endable } from '../protocol/endable.ts'
import { callListener } from '../call-listener.ts'
import type { FileProgress } from './api.ts'

/** What is known of a file's upload, for whoever loops over it and for the callback. */
export interface Telling extends AsyncIterable<FileProgress> {
  handed(bytes: number): void
  told(changed: Partial<FileProgress>): void
  /** Nothing more comes. */
  end(): void
}

export function progressOf(
  totalBytes: number,
  onProgress: ((progress: FileProgress) => void) | undefined,
): Telling {
  let now: FileProgress = {
    totalBytes,
    handedBytes: 0,
    storedBytes: 0,
    settled: false,
    paused: false,
    stalledBy: undefined,
    lastError: undefined,
  }
  let ended = false
  let notify = () => {}
  let nextChange: Promise<void>
  /** Wakes whoever waits for the next change. */
  function wake(): void {
    notify()
    nextChange = new Promise((resolve) => (notify = resolve))
  }
  wake()
  function told(changed: Partial<FileProgress>): void {
    now = { ...now, ...changed }
    callListener(onProgress, now)
    wake()
  }
  async function* states(ending: AbortSignal): AsyncGenerator<FileProgress, void, undefined> {
    ending.addEventListener('abort', wake)
    for (let seen: FileProgress | undefined; !ending.aborted;)
      if (seen !== now) yield (seen = now)
      else if (ended) return
      else await nextChange
  }
  return {
    told,
    handed: (bytes) => told({ handedBytes: now.handedBytes + bytes }),
    end() {
      ended = true
      notify()
    },
    [Symbol.asyncIterator]: () => endable(states),
  }
}
