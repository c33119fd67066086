import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from './connection.ts'
import { newGroup } from './group.ts'
import { HoldfastError } from './protocol/errors.ts'
import { MAX_CHUNK_BYTES, PROTOCOL_VERSION, type Request } from './protocol/messages.ts'
import { parseRequest } from './protocol/parse.ts'
import { openSession } from './session.ts'

const SCOPE = 'https://app.example/b/'

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
    connection: {
      scope: SCOPE,
      request: ask as Connection['request'],
      onNewWorker: () => undefined,
    } satisfies Connection,
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

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
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
    expect([...held]).toEqual([`holdfast-recording:${session.id}:${SCOPE}`])
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
    await session.append(new Blob(['one']), { capturedAtMs: 1_700_000_000_000.4, durationMs: 33.6 })
    await session.append(new Blob(['two']), { capturedAtMs: 1_700_000_000_001, durationMs: -5 })
    expect(chunks().map(({ capturedAtMs, durationMs }) => [capturedAtMs, durationMs])).toEqual([
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

  it('is not begun under a signal that is aborted already', async () => {
    const { connection, requests } = fakeConnection()
    const begun = openSession(connection, { ...options, signal: AbortSignal.abort('enough') })
    await expect(begun).rejects.toBe('enough')
    expect(requests).toEqual([])
    expect(held.size).toBe(0)
  })

  // Promise 1 of docs/guarantees.md.
  it('that is given up before the worker has answered is discarded, and keeps its lock until then', async () => {
    const { connection, requests, answerAfter } = fakeConnection()
    const answer = gate()
    answerAfter(answer.opened)
    const leaving = new AbortController()
    const begun = openSession(connection, { ...options, signal: leaving.signal })
    await expect.poll(() => requests.length).toBe(1)
    leaving.abort('enough')
    await expect(begun).rejects.toBe('enough')
    expect(held.size).toBe(1)
    // Not before its outcome is known: a discard that comes first would find nothing.
    expect(requests.map(({ type }) => type)).toEqual(['session-start'])
    answerAfter(Promise.resolve())
    answer.open()
    await expect.poll(() => held.size).toBe(0)
    const sessionId = requests.flatMap((request) =>
      request.type === 'session-start' ? [request.session.sessionId] : [],
    )[0]
    expect(requests.slice(1)).toEqual([{ type: 'discard', sessionId, confirm: 'discard-unconfirmed' }])
  })

  it('whose start the worker did not answer is discarded once it does', async () => {
    const { connection, requests, refuseWith } = fakeConnection()
    refuseWith(new HoldfastError('worker-timeout', 'No answer.'))
    await expect(openSession(connection, options)).rejects.toMatchObject({ code: 'worker-timeout' })
    const discards = () => requests.filter(({ type }) => type === 'discard').length
    await expect.poll(discards).toBeGreaterThan(1)
    expect(held.size).toBe(1)
    refuseWith(new HoldfastError('unknown-session', 'It never came.'))
    await expect.poll(() => held.size).toBe(0)
  })

  it('that the worker refused is not discarded, given up or not', async () => {
    const { connection, requests, refuseWith, answerAfter } = fakeConnection()
    const answer = gate()
    answerAfter(answer.opened)
    refuseWith(new HoldfastError('storage-failed', 'No.'))
    const leaving = new AbortController()
    const begun = openSession(connection, { ...options, signal: leaving.signal })
    await expect.poll(() => requests.length).toBe(1)
    leaving.abort('enough')
    await expect(begun).rejects.toBe('enough')
    answer.open()
    await expect.poll(() => held.size).toBe(0)
    expect(requests.map(({ type }) => type)).toEqual(['session-start'])
  })

  it('minds its signal no more once it is there', async () => {
    const { connection } = fakeConnection()
    const leaving = new AbortController()
    const session = await openSession(connection, { ...options, signal: leaving.signal })
    leaving.abort()
    expect(await session.append(new Blob(['one']))).toMatchObject({ index: 0 })
    await session.end()
  })

  // Promise 1 of docs/guarantees.md.
  it('is ended all the same when nobody waits for its end any more, and can be waited for again', async () => {
    const { connection, requests, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    const answer = gate()
    answerAfter(answer.opened)
    const appended = session.append(new Blob(['one']))
    const leaving = new AbortController()
    const ended = session.end({ signal: leaving.signal })
    leaving.abort('enough')
    await expect(ended).rejects.toBe('enough')
    expect(session.waiting).toBe(1)
    await expect(session.append(new Blob(['late']))).rejects.toMatchObject({ code: 'session-ended' })
    const endedAgain = session.end()
    answer.open()
    expect(await appended).toMatchObject({ index: 0 })
    await endedAgain
    expect(requests.map(({ type }) => type)).toEqual(['session-start', 'chunk', 'session-end'])
    await expect.poll(() => held.size).toBe(0)
  })

  it('goes on under an end, or an append, whose signal is aborted already', async () => {
    const { connection, chunks, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const signal = AbortSignal.abort('enough')
    await expect(session.end({ signal })).rejects.toBe('enough')
    await expect(session.append(new Blob(['one']), { signal })).rejects.toBe('enough')
    expect(await session.append(new Blob(['two']))).toMatchObject({ index: 0 })
    expect(chunks()).toHaveLength(1)
    expect(requests.map(({ type }) => type)).not.toContain('session-end')
  })

  it('loses only the chunk that is given up', async () => {
    const { connection, chunks, refuseWith } = fakeConnection()
    const session = await openSession(connection, options)
    refuseWith(new HoldfastError('storage-full', 'No room.'))
    const leaving = new AbortController()
    const given = session.append(new Blob(['given up']), { signal: leaving.signal })
    const kept = session.append(new Blob(['kept']))
    await expect.poll(() => session.stalledBy?.code).toBe('storage-full')
    leaving.abort('enough')
    await expect(given).rejects.toBe('enough')
    expect(session.waiting).toBe(1)
    refuseWith(undefined)
    expect(await kept).toMatchObject({ index: 1 })
    await session.end()
    expect(chunks().at(-1)?.index).toBe(1)
    expect(session.stalledBy).toBeUndefined()
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

describe('bytes of a chunk', () => {
  /** Bytes that can be read only after so many failures. */
  function flaky(text: string, failures: number) {
    let reads = 0
    const blob = new Blob([text])
    const read = blob.arrayBuffer.bind(blob)
    return Object.assign(blob, {
      arrayBuffer: async () => {
        if (reads++ < failures) throw new DOMException('The file could not be read', 'NotReadableError')
        return read()
      },
    })
  }

  it('are read again where they cannot be read at once', async () => {
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    await session.append(new Blob(['one']))
    expect(await session.append(flaky('two', 2))).toMatchObject({ index: 1 })
    expect(chunks()).toHaveLength(2)
  })

  it('that can never be read are told as that, and make the recording one that is not whole', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const appended = session.append(flaky('one', Infinity)).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await appended).toMatchObject({ code: 'payload-unreadable', cause: { name: 'NotReadableError' } })
    vi.useRealTimers()
    await session.end()
    expect(requests.at(-1)).toMatchObject({ type: 'session-end', indexes: 1 })
  })

  it.each(['page', 'worker'] as const)(
    'sealed by the %s are handed over from another handle once the worker has read other ones',
    async (seal) => {
      const { connection, chunks, refuseWith } = fakeConnection()
      const session = await openSession(connection, { ...options, seal })
      const given = new Blob(['one'])
      refuseWith(new HoldfastError('hash-mismatch', 'The bytes cannot be read.'))
      const appended = session.append(given)
      await expect.poll(() => chunks().length).toBeGreaterThan(1)
      refuseWith(undefined)
      await appended
      const payloads = chunks().map(({ payload }) => payload)
      expect(new Set(payloads).size).toBe(payloads.length)
      expect(payloads).not.toContain(given)
      expect(chunks().every(({ capturedAtMs }) => capturedAtMs === chunks()[0]?.capturedAtMs)).toBe(true)
    },
  )
})

describe('the start of a session', () => {
  it('is asked again where the worker was stopped with it in its hands', async () => {
    const { connection, requests, refuseWith } = fakeConnection()
    const request = connection.request
    let asked = 0
    connection.request = (async (...args: Parameters<typeof request>) => {
      refuseWith(++asked < 3 ? new HoldfastError('worker-timeout', 'No answer.') : undefined)
      return request(...args)
    }) as typeof request
    await openSession(connection, options)
    expect(requests.map(({ type }) => type)).toEqual(['session-start', 'session-start', 'session-start'])
    expect(new Set(requests.map((each) => 'session' in each && each.session.sessionId)).size).toBe(1)
  })

  it('that goes on with a lost one names it, has a key of its own, and waits until the worker takes it', async () => {
    const { connection, requests, refuseWith } = fakeConnection()
    const session = await openSession(connection, { ...options, startedAtMs: 5 })
    refuseWith(new HoldfastError('storage-full', 'Full.'))
    const restarted = session.restart()
    await expect.poll(() => requests.length).toBeGreaterThan(2)
    expect([...held].filter((name) => name.includes(session.id))).toEqual([])
    refuseWith(undefined)
    const next = await restarted
    expect(next.id).not.toBe(session.id)
    const starts = requests.flatMap((each) => (each.type === 'session-start' ? [each.session] : []))
    expect(starts.at(-1)).toMatchObject({ sessionId: next.id, continues: session.id })
    expect(starts.at(-1)?.access[0]?.wrappedKey).not.toBe(starts[0]?.access[0]?.wrappedKey)
    expect(starts.at(-1)?.startedAtMs).toBeGreaterThan(5)
    expect([...held]).toEqual([expect.stringContaining(`holdfast-recording:${next.id}`)])
  })
})
