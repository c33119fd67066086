import type { GroupKeys } from '../group.ts'
import type { SessionName } from '../protocol/ids.ts'
import { openSession, type BadChunk, type VerificationProgress } from '../verify/index.ts'
import { endpoints } from './endpoints.ts'
import type { Reading } from './reading-report.ts'

export interface ReadOptions {
  readonly name: SessionName
  readonly keys: GroupKeys
  readonly signal: AbortSignal
  readonly onProgress: (progress: VerificationProgress) => void
}

/** A recording that was read back. */
export interface ReadSession extends Reading {
  /** The chunks that are proved, joined where nothing is missing between them. */
  readonly runs: readonly Blob[]
}

/**
 * Reads a recording back from the chain and the store, checking every step, and joins what is proved.
 *
 * @throws VerificationError where there is nothing to read at all; the signal's reason
 */
export async function readSession({ name, keys, signal, onProgress }: ReadOptions): Promise<ReadSession> {
  const { rpcUrl, registry, gateway } = endpoints()
  const chain = { rpcUrl, registry }
  const session = await openSession({ chain, gateway, name, groupKey: keys.privateKey, signal, onProgress })
  const runs: Blob[][] = []
  const proved: number[] = []
  const bad: BadChunk[] = []
  for await (const chunk of session.chunks()) {
    if (chunk.verdict !== 'proved') {
      bad.push(chunk)
      continue
    }
    if (proved.at(-1) !== chunk.index - 1) runs.push([])
    proved.push(chunk.index)
    // A browser may keep blobs on disk: a long recording would not fit into memory.
    runs.at(-1)?.push(new Blob([chunk.plaintext]))
  }
  return { session, proved, bad, runs: runs.map((run) => new Blob(run)) }
}
