import type { SessionName } from '../src/protocol/ids.ts'
import { openSession, type BadChunk, type ProvedChunk, type VerifiedSession } from '../src/verify/index.ts'
import type { Backend } from './backend/index.ts'

/** What a reader makes of a recording. */
export interface ReadBack {
  readonly session: VerifiedSession
  /** By index. */
  readonly proved: readonly ProvedChunk[]
  readonly bad: readonly BadChunk[]
}

/**
 * Reads a recording as a member of its group does, every chunk of it.
 *
 * @throws VerificationError where there is nothing to read
 */
export async function readBack(backend: Backend, name: SessionName, groupKey: Uint8Array): Promise<ReadBack> {
  const { rpcUrl, registry, gateway } = backend.endpoints
  const session = await openSession({ chain: { rpcUrl, registry }, gateway, name, groupKey })
  const proved: ProvedChunk[] = []
  const bad: BadChunk[] = []
  for await (const chunk of session.chunks())
    if (chunk.verdict === 'proved') proved.push(chunk)
    else bad.push(chunk)
  return { session, proved, bad }
}
