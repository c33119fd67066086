import { afterEach, describe, expect, it, vi } from 'vitest'
import { libraryX25519 } from '../src/evidence/x25519-library.ts'
import { admitChunk } from './engine/admit.ts'
import type { Sealer } from './engine/context.ts'
import { endSession, startSession } from './engine/sessions.ts'
import { sealInWorker, sealInWorkerWith } from './seal.ts'
import { aRawStart, aStart, createWorld, drainOnce, rawChunk, sessionIdOf } from './testing/world.ts'

const id = sessionIdOf(1)

/** WebCrypto that knows every algorithm but this one. */
function withoutX25519(): void {
  const { subtle } = crypto
  const importKey = subtle.importKey.bind(subtle)
  vi.spyOn(subtle, 'importKey').mockImplementation((...args) =>
    args[2] === 'X25519'
      ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
      : importKey(...args),
  )
}
afterEach(() => void vi.restoreAllMocks())

const started = (sealer: Sealer | undefined, start = aRawStart()) => {
  const world = createWorld()
  const { sealer: _sealer, ...worker } = world.worker()
  return { world, session: startSession({ ...worker, ...(sealer && { sealer }) }, start) }
}

// Promise 7 of docs/guarantees.md.
describe('a session that the worker shall seal', () => {
  const refused = {
    code: 'bad-input',
    message: expect.stringContaining('no sealer') as unknown,
  }

  it('is refused, in words, where there is no sealer', async () => {
    const { world, session } = started(undefined)
    await expect(session).rejects.toMatchObject(refused)
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('is refused when it starts in a browser without X25519, rather than at its first chunk', async () => {
    withoutX25519()
    const { world, session } = started(sealInWorker)
    await expect(session).rejects.toMatchObject(refused)
    expect(await world.disk.read((tx) => tx.sessions())).toEqual([])
  })

  it('is taken there by a worker that brings a library, and sealed', async () => {
    withoutX25519()
    const world = createWorld()
    const sealer = sealInWorkerWith(libraryX25519)
    await startSession({ ...world.worker(), sealer }, aRawStart())
    await admitChunk(world.worker(), await rawChunk(id, 0))
    await endSession(world.worker(), id)
    expect(await drainOnce(world, { ...world.worker(), sealer })).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })

  it.each([
    { what: 'sealInWorker', sealer: sealInWorker },
    { what: 'sealInWorkerWith', sealer: sealInWorkerWith(() => Promise.reject(new Error('Not asked.'))) },
  ])('is sealed by the platform where it has X25519: $what', async ({ sealer }) => {
    const world = createWorld()
    await startSession({ ...world.worker(), sealer }, aRawStart())
    await admitChunk(world.worker(), await rawChunk(id, 0))
    await endSession(world.worker(), id)
    expect(await drainOnce(world, { ...world.worker(), sealer })).toBe('idle')
    expect(await world.statuses(id)).toEqual(['confirmed'])
  })
})

it('a session that its page seals asks nothing of the worker’s browser', async () => {
  withoutX25519()
  for (const sealer of [undefined, sealInWorker])
    expect(await started(sealer, aStart()).session).toMatchObject({ id })
})
