import { createHash } from 'node:crypto'
import { serialiseEntry } from '../../src/evidence/entry.ts'
import {
  openSession,
  VerificationError,
  type JudgedChunk,
  type VerifiedSession,
} from '../../src/verify/index.ts'
import { hex } from './bytes.ts'
import type { EvidenceWorld } from './evidence-world.ts'
import { REGISTRY, type FakeNode } from './fake-node.ts'
import type { ChunkSaid, Said } from './second-reader.ts'

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** However busy the machine is. */
const TIMEOUT_MS = 240_000

export const openIn = ({ name, group }: EvidenceWorld, node: FakeNode): Promise<VerifiedSession> =>
  openSession({
    chain: { rpcUrl: node.rpcUrl, registry: REGISTRY },
    gateway: node.gateway,
    name: hex(name),
    groupKey: group.privateKey,
    timeoutMs: TIMEOUT_MS,
  })

/** All that the product's reader says of a session, in the words of the second reader. */
export async function saidByProduct(world: EvidenceWorld, node: FakeNode): Promise<Said> {
  const session = await openIn(world, node).catch((error: unknown) => {
    if (error instanceof VerificationError) return error
    throw error
  })
  return session instanceof VerificationError ? { refused: session.code } : saidOf(session)
}

export async function saidOf(session: VerifiedSession): Promise<Said> {
  const chunks: JudgedChunk[] = []
  for await (const chunk of session.chunks()) chunks.push(chunk)
  return {
    startedAtMs: session.startedAtMs,
    mimeType: session.mimeType,
    metadata: session.metadata ?? null,
    notes: session.notes.map(({ value }) => value ?? 'does not open'),
    ending: session.ending,
    size: session.size,
    heads: session.heads.map(({ verdict }) => verdict),
    lost: session.lostEntries.map(({ from, to }) => [from, to] as const),
    forked: session.forked
      .map(({ position, entry }) => `${position} ${sha256Of(serialiseEntry(entry))}`)
      .sort(),
    repeated: session.repeated.map(({ position }) => position),
    missing: session.missingIndexes,
    chunks: chunks.map(chunkSaid),
  }
}

function chunkSaid(chunk: JudgedChunk): ChunkSaid {
  const { index, verdict, existedBeforeMs } = chunk
  const said = { index, verdict, existedBeforeMs }
  return 'plaintext' in chunk ? { ...said, plaintextHash: sha256Of(chunk.plaintext) } : said
}
