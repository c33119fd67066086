import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { serialiseEntry } from '../../src/evidence/entry.ts'
import {
  openInSteps,
  openSession,
  VerificationError,
  type JudgedChunk,
  type OpenSessionOptions,
  type VerifiedSession,
} from '../../src/verify/index.ts'
import { hex } from './bytes.ts'
import type { EvidenceWorld } from './evidence-world.ts'
import { REGISTRY, type FakeNode } from './fake-node.ts'
import type { ChunkSaid, Said } from './second-reader.ts'

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** However busy the machine is. */
const TIMEOUT_MS = 240_000

const optionsIn = ({ name, group }: EvidenceWorld, node: FakeNode): OpenSessionOptions => ({
  chain: { rpcUrl: node.rpcUrl, registry: REGISTRY },
  gateway: node.gateway,
  name: hex(name),
  groupKey: group.privateKey,
  timeoutMs: TIMEOUT_MS,
})

export const openIn = (world: EvidenceWorld, node: FakeNode): Promise<VerifiedSession> =>
  openSession(optionsIn(world, node))

/** All that the product's reader says of a session, in the words of the second reader. */
export async function saidByProduct(world: EvidenceWorld, node: FakeNode): Promise<Said> {
  const session = await openIn(world, node).catch((error: unknown) => {
    if (error instanceof VerificationError) return error
    throw error
  })
  return session instanceof VerificationError ? { refused: session.code } : saidOf(session)
}

/** All that it says step by step, of a session that opens in steps. */
export async function saidInSteps(
  world: EvidenceWorld,
  node: FakeNode,
): Promise<{ readonly early: readonly Opened[]; readonly last: Said }> {
  const early: Opened[] = []
  try {
    for await (const { session, isLast } of openInSteps(optionsIn(world, node))) {
      const said = await saidOf(session)
      if (isLast) return { early, last: said }
      early.push(said)
    }
    throw new Error('There was no last step')
  } catch (error) {
    if (error instanceof VerificationError) return { early, last: { refused: error.code } }
    throw error
  }
}

/** What is proved in a step, and is not what is said at last. */
export const takenBack = ({ chunks }: Opened, last: Said): readonly ChunkSaid[] =>
  chunks.filter(
    (chunk) =>
      chunk.verdict === 'proved' &&
      !('chunks' in last && last.chunks.some((other) => isDeepStrictEqual(other, chunk))),
  )

type Opened = Exclude<Said, { readonly refused: string }>

export async function saidOf(session: VerifiedSession): Promise<Opened> {
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
