import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from './connection.ts'
import { newGroup } from './group.ts'
import { HoldfastError } from './protocol/errors.ts'
import { MAX_CHUNK_BYTES, PROTOCOL_VERSION, type Request } from './protocol/messages.ts'
import { parseRequest } from './protocol/parse.ts'
import { openSession } from './session.ts'

const held = new Set<string>()
const locks = {
  request: async (name: string, work: () => Promise<void>) => {
    held.add(name)
    await work().finally(() => held.delete(name))
  },
}

/** A worker that takes only what the protocol defines. */
function fakeConnection() {
  const requests: Request[] = []
  let delay: Promise<unknown> = Promise.resolve()
  let refusal: HoldfastError | undefined
  const ask = async (request: Request): Promise<unknown> => {
    requests.push(parseRequest({ ...request, holdfast: PROTOCOL_VERSION }))
    await delay
    if (refusal) throw refusal
    return request.type === 'chunk' ? { acknowledged: `x/${request.chunk.index}` } : {}
  }
  return {
    connection: { request: ask as Connection['request'], onNewWorker: () => undefined } satisfies Connection,
    requests,
    chunks: () => requests.flatMap((request) => (request.type === 'chunk' ? [request.chunk] : [])),
    answerAfter: (wait: Promise<unknown>) => {
      delay = wait
    },
    refuseWith: (error: HoldfastError | undefined) => {
      refusal = error
    },
  }
}

const options = { groups: [newGroup()], mimeType: 'video/webm' }

beforeEach(() => void vi.stubGlobal('navigator', { locks }))
afterEach(() => {
  vi.unstubAllGlobals()
  held.clear()
})

describe('a recording session', () => {
  it('holds its lock from before the worker hears of it until the worker knows its end', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    expect([...held]).toEqual([`holdfast-recording:${session.id}`])
    await session.append(new Blob(['one']))
    await session.end()
    expect(requests.map(({ type }) => type)).toEqual(['session-start', 'chunk', 'session-end'])
    await expect.poll(() => held.size).toBe(0)
  })

  it('lets go of its lock when the worker refuses it', async () => {
    const { connection, refuseWith } = fakeConnection()
    refuseWith(new HoldfastError('storage-failed', 'No.'))
    await expect(openSession(connection, options)).rejects.toMatchObject({ code: 'storage-failed' })
    await expect.poll(() => held.size).toBe(0)
  })

  it('says its end until the worker has heard it, and keeps its lock until then', async () => {
    const { connection, refuseWith, requests } = fakeConnection()
    const session = await openSession(connection, options)
    refuseWith(new HoldfastError('worker-timeout', 'No answer.'))
    const ended = session.end()
    const ends = () => requests.filter(({ type }) => type === 'session-end').length
    await expect.poll(ends).toBeGreaterThan(1)
    expect(held.size).toBe(1)
    refuseWith(undefined)
    await ended
    await expect.poll(() => held.size).toBe(0)
  })

  it('numbers chunks by the order of the calls, and ends only after all of them', async () => {
    const { connection, requests, chunks, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    answerAfter(new Promise((resolve) => setTimeout(resolve, 20)))
    const appended = [1, 2, 3].map((size) => session.append(new Blob(['x'.repeat(size)])))
    expect(session.waiting).toBe(3)
    const ended = session.end()
    expect((await Promise.all(appended)).map(({ index }) => index)).toEqual([0, 1, 2])
    await ended
    expect(session.waiting).toBe(0)
    expect(requests.at(-1)?.type).toBe('session-end')
    const sizes = chunks().toSorted((a, b) => a.index - b.index)
    expect(sizes.map(({ payload }) => payload.size)).toEqual([17, 18, 19])
  })

  it('loses no chunk to a time that is no whole number, or a length below nothing', async () => {
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    await session.append(new Blob(['one']), { capturedAt: 1_700_000_000_000.4, durationMs: 33.6 })
    await session.append(new Blob(['two']), { capturedAt: 1_700_000_000_001, durationMs: -5 })
    expect(chunks().map(({ capturedAt, durationMs }) => [capturedAt, durationMs])).toEqual([
      [1_700_000_000_000, 34],
      [1_700_000_000_001, 0],
    ])
  })

  // Promise 7 of docs/guarantees.md.
  it('hands over only ciphertext, or the raw bytes with a key that gives nothing away', async () => {
    const sealing = fakeConnection()
    const sealed = await openSession(sealing.connection, options)
    await sealed.append(new Blob(['secret']))
    expect(sealing.chunks()[0]?.kind).toBe('sealed')
    expect(await sealing.chunks()[0]?.payload.text()).not.toContain('secret')
    expect(sealing.requests[0]).not.toHaveProperty('session.sealKey')

    const raw = fakeConnection()
    const unsealed = await openSession(raw.connection, { ...options, seal: 'worker' })
    await unsealed.append(new Blob(['secret']))
    expect(raw.chunks()[0]?.kind).toBe('raw')
    expect(raw.requests[0]).toMatchObject({ session: { sealKey: { extractable: false } } })
  })

  it('refuses what could never be kept, before it takes an index', async () => {
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    const huge = Object.defineProperty(new Blob(), 'size', { value: MAX_CHUNK_BYTES - 15 })
    await expect(session.append(huge)).rejects.toMatchObject({ code: 'chunk-too-large' })
    expect(await session.append(new Blob(['one']))).toMatchObject({ index: 0 })
    await session.end()
    await expect(session.append(new Blob(['late']))).rejects.toMatchObject({ code: 'session-ended' })
    expect(chunks()).toHaveLength(1)
  })

  it.each([
    { what: 'no group', groups: [] },
    { what: 'a group twice', groups: [options.groups, options.groups].flat() },
    { what: 'a short secret', groups: options.groups.map(({ id }) => ({ id, secret: new Uint8Array(5) })) },
  ])('refuses $what, and holds no lock', async ({ groups }) => {
    await expect(openSession(fakeConnection().connection, { ...options, groups })).rejects.toMatchObject({
      code: 'bad-input',
    })
    expect(held.size).toBe(0)
  })
})
