import { expect } from 'vitest'
import type { SessionId } from '../../src/protocol/ids.ts'
import { expectTrueHead, publishedLog } from './published-log.ts'
import type { World } from './world.ts'

/**
 * Expects all that holds of a session that is through: each chunk confirmed, no bytes left, and a log of exactly these
 * chunks at the store, whose every head is true and whose last one the chain holds.
 */
export async function expectThrough(world: World, sessionId: SessionId, chunkCount: number): Promise<void> {
  const chunks = await world.chunks(sessionId)
  expect(chunks.map(({ state }) => state.status)).toEqual(
    Array.from({ length: chunkCount }, () => 'confirmed'),
  )
  for (const chunk of chunks) expect(await world.hasPayload(chunk)).toBe(false)
  const session = await world.session(sessionId)
  expect(session.open).toBeUndefined()
  expect(session.listing).toBeUndefined()
  expect(session.localBytes).toBe(0)

  const log = await publishedLog(world, sessionId)
  const { entries } = log
  const listed = entries.filter((entry) => entry.kind === 'chunk')
  expect(listed.toSorted((a, b) => a.index - b.index)).toMatchObject(
    chunks.map(({ index, plaintextHash }) => ({ index, plaintextHash })),
  )
  expect(entries.at(-1)).toMatchObject({ kind: 'end', how: session.ending, endedAtMs: session.endedAtMs })
  expect(session).toMatchObject({ size: entries.length, anchored: { size: entries.length } })

  const requests = world.chain.entries.map(({ request }) => request)
  const ofSession = requests.filter(({ head }) => head.name === session.name)
  for (const request of ofSession) await expectTrueHead(log, request)
  const { root, page } = session.anchored ?? {}
  expect(ofSession.map(({ head }) => head)).toContainEqual(
    expect.objectContaining({ size: entries.length, root, page }),
  )
}
