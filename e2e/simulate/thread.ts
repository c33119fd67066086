import { parentPort, workerData } from 'node:worker_threads'
import { doShare, NOTHING, plus, type Counts, type Share } from './share.ts'

/** Counts are told together, this many pieces at a time. */
const TOGETHER = 100

// A failure is replayed on the main thread, with its stack; here each error that the engine expects would cost one.
Error.stackTraceLimit = 0

let counts: Counts = NOTHING
let pieces = 0
const tellCounts = () => {
  parentPort?.postMessage({ counts })
  counts = NOTHING
}

await doShare(workerData as Share, (progress) => {
  if ('finding' in progress) return parentPort?.postMessage(progress)
  counts = plus(counts, progress.counts)
  if (++pieces % TOGETHER === 0) tellCounts()
})
tellCounts()
