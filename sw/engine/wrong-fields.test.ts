import { describe, expect, it } from 'vitest'
import type { ChunkRecord, SessionRecord } from '../core/record.ts'
import type { SessionSnapshot } from '../../src/protocol/snapshot.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf, type World } from '../testing/world.ts'
import { resumeSession } from './sessions.ts'
import { PROTOCOL_VERSION } from '../../src/protocol/messages.ts'
import { reply } from './requests.ts'

// What core/wrong-type.test.ts says of the records, for the engine that lives with them. Promises 1, 5 of docs/guarantees.md.

const VALUES: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a string', 'x'],
  ['NaN', NaN],
  ['an object', {}],
  ['a list', []],
]

/** The sane one, which begins last. */
const SANE = 1_000

const put = (world: World, session: object, chunks: readonly object[] = []) =>
  world.disk.write(async (tx) => {
    await tx.putSession(session as SessionRecord)
    for (const chunk of chunks) await tx.putChunk(chunk as ChunkRecord)
  })

async function told(world: World): Promise<SessionSnapshot[]> {
  const answer = await reply(world.worker(), { holdfast: PROTOCOL_VERSION, type: 'sessions' })
  if (!answer.ok) throw new Error(answer.error.message)
  return answer.value as SessionSnapshot[]
}

describe.each(VALUES)('%s in the place of a field', (_what, value) => {
  it('of a session holds up no other one, and is told', async () => {
    const world = createWorld()
    await recordSession(world, { number: SANE, chunks: 2, startedAtMs: Date.UTC(2026, 0, 1) })
    const made = await recordSession(world, { number: 2_000, ending: 'recording' })
    const names = Object.keys(await world.session(made)).filter((name) => name !== 'id')
    for (const [at] of names.entries()) await recordSession(world, { number: at + 1 })
    for (const [at, name] of names.entries())
      await put(world, { ...(await world.session(sessionIdOf(at + 1))), [name]: value })
    await drainOnce(world, world.worker(), 'push')
    expect(await world.statuses(sessionIdOf(SANE))).toEqual(['confirmed', 'confirmed'])
    for (const { id, upload, lastError, ...seen } of await told(world)) {
      const name = names[Number.parseInt(id.slice(-12), 16) - 1]
      if (upload !== 'confirmed' && !seen.paused && id !== made) expect.soft(lastError, name).toBeDefined()
    }
  })

  it('of a chunk holds up no other one, in its session either', async () => {
    const world = createWorld()
    await recordSession(world, { number: SANE, chunks: 2, startedAtMs: Date.UTC(2026, 0, 1) })
    const made = await recordSession(world, { number: 2_000, ending: 'recording' })
    const names = Object.keys((await world.chunks(made))[0]!).filter(
      (name) => !['id', 'sessionId', 'index'].includes(name),
    )
    for (const [at, name] of names.entries()) {
      const id = await recordSession(world, { number: at + 1, chunks: 2 })
      await put(world, await world.session(id), [{ ...(await world.chunks(id))[0]!, [name]: value }])
    }
    await drainOnce(world, world.worker(), 'push')
    // Of one whose place in the queue is none a person has to ask.
    for (const at of names.keys()) await resumeSession(world.worker(), sessionIdOf(at + 1))
    await drainOnce(world, world.worker(), 'push')
    expect(await world.statuses(sessionIdOf(SANE))).toEqual(['confirmed', 'confirmed'])
    for (const { id, upload, lastError } of await told(world)) {
      const name = names[Number.parseInt(id.slice(-12), 16) - 1]
      if (upload !== 'confirmed' && id !== made) expect.soft(lastError, name).toBeDefined()
      if (id !== made) expect.soft((await world.statuses(id)).at(-1), name).toBe('confirmed')
    }
  })
})
