import { expect } from 'vitest'
import type { SessionId } from '../../src/protocol/ids.ts'
import type { World } from './world.ts'

/** Expects all that holds of a session that is through: each chunk confirmed, no bytes left, the last anchor its own. */
export async function expectThrough(world: World, sessionId: SessionId, chunkCount: number): Promise<void> {
  const chunks = await world.chunks(sessionId)
  expect(chunks.map(({ state }) => state.status)).toEqual(
    Array.from({ length: chunkCount }, () => 'confirmed'),
  )
  for (const chunk of chunks) expect(await world.hasPayload(chunk)).toBe(false)
  const session = await world.session(sessionId)
  expect(session).not.toHaveProperty('open')
  expect(session).not.toHaveProperty('publication')
  expect(session.localBytes).toBe(0)
  expect(session.anchored).toMatchObject({ ending: session.ending, chunkCount })
  const ofSession = world.chain.entries.filter(({ request }) => request.sessionId === sessionId)
  expect(ofSession.at(-1)?.request).toMatchObject({
    merkleRoot: session.anchored?.merkleRoot,
    manifestCid: session.anchored?.manifestCid,
  })
}
