import type { ChunkId, SessionId } from '../../src/protocol/ids.ts'
import type { ChunkRecord } from '../core/record.ts'
import type { World } from './world.ts'

/** Records of chunks go, as no code of ours lets them; their session and all else stays, with their bytes or without. */
export async function loseRecords(world: World, lost: (id: ChunkId, at: number) => boolean): Promise<void> {
  const sessions = await world.disk.read((tx) => tx.sessions())
  for (const session of sessions) {
    const kept: { chunk: ChunkRecord; bytes: ArrayBuffer | undefined }[] = []
    for (const [at, chunk] of (await world.chunks(session.id)).entries())
      if (!lost(chunk.id, at))
        kept.push({ chunk, bytes: await world.disk.payload(chunk.id).catch(() => undefined) })
    await world.disk.write(async (tx) => {
      const { id, size, listed } = session
      const entries = await tx.entries(id, 0, size)
      const heads = size > 0 ? await tx.heads(id, 0, Math.max(listed.tree.size, 1)) : []
      await tx.deleteSession(id)
      await tx.putSession(session)
      for (const [position, entry] of entries.entries()) await tx.putEntry(id, position, entry)
      for (const head of heads) await tx.putHead(head)
      for (const { chunk, bytes } of kept) {
        await tx.putChunk(chunk)
        if (bytes) await tx.putPayload(chunk.id, bytes)
      }
    })
  }
}

/** The record of a session goes, and nothing else of it. */
export async function loseSessionRecord(world: World, id: SessionId): Promise<void> {
  const chunks = await world.chunks(id)
  const bytes = await Promise.all(chunks.map((one) => world.disk.payload(one.id).catch(() => undefined)))
  await world.disk.write(async (tx) => {
    await tx.deleteSession(id)
    for (const [at, chunk] of chunks.entries()) {
      await tx.putChunk(chunk)
      if (bytes[at]) await tx.putPayload(chunk.id, bytes[at])
    }
  })
}
