import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { takesWhole } from '../e2e/test-size.ts'
import type { Connection } from './connection.ts'
import { fromHex, toHex } from './evidence/bytes.ts'
import { openChunk } from './evidence/chunk-seal.ts'
import { importSigningKey, signHead, verifyHead } from './evidence/head.ts'
import { open } from './evidence/hpke.ts'
import { sessionName } from './evidence/name.ts'
import { openNote } from './evidence/note-seal.ts'
import { openSessionKey } from './evidence/session-keys.ts'
import { publicKeyOf } from './evidence/x25519.ts'
import { groupIdOf, newGroup } from './group.ts'
import { HoldfastError, isHoldfastError } from './protocol/errors.ts'
import type { Sha256Hex } from './protocol/ids.ts'
import { MAX_CHUNK_BYTES, PROTOCOL_VERSION, type Request } from './protocol/messages.ts'
import { parseRequest } from './protocol/parse.ts'
import { openSession } from './session.ts'

const SCOPE = 'https://app.example/b/'

const held = new Set<string>()
let grants = true
/** Requests of locks that are not granted. */
let refused = 0
const locks = {
  request: async (name: string, { signal }: { readonly signal: AbortSignal }, work: () => Promise<void>) => {
    if (!grants) {
      refused++
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    }
    held.add(name)
    await work().finally(() => held.delete(name))
  },
}

/** A worker that takes only what the protocol defines. */
function fakeConnection() {
  const requests: Request[] = []
  /** As the page posted them: the worker leaves behind what it does not know. */
  const posted: Request[] = []
  let delay: Promise<unknown> = Promise.resolve()
  let refusal: HoldfastError | undefined
  const ask = async (request: Request): Promise<unknown> => {
    posted.push(request)
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
    posted,
    chunks: () => requests.flatMap((request) => (request.type === 'chunk' ? [request.chunk] : [])),
    answerAfter: (wait: Promise<unknown>) => {
      delay = wait
    },
    refuseWith: (error: HoldfastError | undefined) => {
      refusal = error
    },
  }
}

const starts = (requests: readonly Request[]) =>
  requests.flatMap((each) => (each.type === 'session-start' ? [each.session] : []))

const notesIn = (requests: readonly Request[]) =>
  requests.flatMap((each) => (each.type === 'note' ? [each] : []))

/** All that was posted: text as it is, bytes in hex. */
async function bytesOf(requests: readonly Request[]): Promise<string> {
  const parts: string[] = []
  const visit = async (value: unknown): Promise<void> => {
    if (value instanceof Blob) return visit(await value.arrayBuffer())
    if (value instanceof ArrayBuffer) parts.push(toHex(new Uint8Array(value)))
    else if (value instanceof Uint8Array) parts.push(toHex(value))
    else if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) await visit(each)
    else parts.push(String(value))
  }
  await visit(requests)
  return parts.join(' ')
}

const numbered = (at: number) => ({ publicKey: at.toString(16).padStart(64, '0') })

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

const group = await newGroup()
const options = { groups: [group], mimeType: 'video/webm' }

beforeEach(() => void vi.stubGlobal('navigator', { locks }))
afterEach(() => {
  vi.unstubAllGlobals()
  held.clear()
  grants = true
  refused = 0
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

  it('is not begun where the browser grants no lock, which nobody waits for for long', async () => {
    grants = false
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection, requests } = fakeConnection()
    const leaving = new AbortController()
    const left = openSession(connection, { ...options, signal: leaving.signal }).catch(
      (error: unknown) => error,
    )
    const opened = openSession(connection, options).catch((error: unknown) => error)
    await expect.poll(() => refused).toBe(2)
    leaving.abort('enough')
    expect(await left).toBe('enough')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await opened).toMatchObject({ code: 'defect' })
    vi.useRealTimers()
    expect(requests).toEqual([])
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

  it('loses no chunk to a time or a length that the protocol does not know', async () => {
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    await session.append(new Blob(['one']), { capturedAtMs: 1_700_000_000_000.4, durationMs: 33.6 })
    await session.append(new Blob(['two']), { capturedAtMs: -1_000, durationMs: -5 })
    await session.append(new Blob(['three']), { capturedAtMs: Number.MAX_VALUE, durationMs: Infinity })
    await session.append(new Blob(['four']), { capturedAtMs: 1, durationMs: Number.NaN })
    expect(chunks().map(({ capturedAtMs, durationMs }) => [capturedAtMs, durationMs])).toEqual([
      [1_700_000_000_000, 34],
      [0, 0],
      [8.64e15, 2 ** 32 - 1],
      [1, 0],
    ])
  })

  it('takes no index for a time that is no time at all', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const durationMs = Symbol('long') as unknown as number
    await expect(session.append(new Blob(['one']), { durationMs })).rejects.toBeInstanceOf(HoldfastError)
    expect((await session.append(new Blob(['two']))).index).toBe(0)
    await session.end()
    expect(requests.at(-1)).toMatchObject({ type: 'session-end', indexes: 1 })
  })

  // Promise 7 of docs/guarantees.md.
  it('hands over only ciphertext, or the raw bytes, and with neither what opens it', async () => {
    const sealing = fakeConnection()
    const sealed = await openSession(sealing.connection, options)
    await sealed.append(new Blob(['secret']))
    expect(sealing.chunks()[0]?.seal).toBeDefined()
    expect(await sealing.chunks()[0]?.payload.text()).not.toContain('secret')

    const raw = fakeConnection()
    const unsealed = await openSession(raw.connection, { ...options, seal: 'worker' })
    await unsealed.append(new Blob(['secret']))
    expect(raw.chunks()[0]).not.toHaveProperty('seal')
    expect(await raw.chunks()[0]?.payload.text()).toBe('secret')

    for (const { requests, posted } of [sealing, raw]) {
      const [session] = starts(requests)
      const opening = await openSessionKey({
        groupKey: toHex(group.privateKey),
        name: await sessionName(session!.sessionId, session!.publicKey),
        groups: session!.access,
      })
      expect(toHex(await publicKeyOf(fromHex(opening)))).toBe(session!.sealingKey)
      const bytes = await bytesOf(posted)
      expect(bytes).toContain(session!.sealingKey)
      for (const secret of [opening, toHex(group.privateKey), group.publicKey])
        expect(bytes).not.toContain(secret)
    }
  })

  // Promise 7 of docs/guarantees.md.
  it('seals each chunk under a key of its own, which the session’s opens and nobody posts', async () => {
    const { connection, requests, posted, chunks } = fakeConnection()
    const { name, ...session } = await openSession(connection, options)
    for (const text of ['one', 'two']) await session.append(new Blob([text]))
    const [start] = starts(requests)
    const sessionKey = await openSessionKey({
      groupKey: toHex(group.privateKey),
      name,
      groups: start!.access,
    })
    const bytes = await bytesOf(posted)
    const keys: string[] = []
    for (const { index, seal, payload } of chunks()) {
      const { iv, chunkKey } = seal!
      const ciphertext = await payload.arrayBuffer()
      const plaintext = await openChunk({ name, index, iv, chunkKey, sessionKey, ciphertext })
      expect(new TextDecoder().decode(plaintext)).toBe(['one', 'two'][index])
      const place = fromHex(name + index.toString(16).padStart(8, '0'))
      const info = new Uint8Array([...new TextEncoder().encode('holdfast/chunk-key/v2'), ...place])
      const terms = { privateKey: fromHex(sessionKey), info, aad: place, sealed: fromHex(chunkKey) }
      keys.push(toHex(await open(terms)))
    }
    expect(new Set(keys).size).toBe(2)
    for (const key of keys) expect(bytes).not.toContain(key)
  })

  it('is known by the name that its id and its signing key make', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const [start] = starts(requests)
    expect(session.name).toBe(await sessionName(session.id, start!.publicKey))
    const signs = await importSigningKey(start!.signingKey)
    const zero = '0'.repeat(64) as Sha256Hex
    const head = {
      name: session.name,
      size: 1,
      root: zero,
      page: zero,
      previous: null,
      groups: zero,
      end: false,
    }
    expect(await verifyHead(head, start!.publicKey, await signHead(signs, head))).toBe(true)
  })

  it('of several groups is sealed to each, by ascending id', async () => {
    const { connection, requests } = fakeConnection()
    const groups = await Promise.all(Array.from({ length: 16 }, newGroup))
    await openSession(connection, { ...options, groups })
    const ids = await Promise.all(groups.map(groupIdOf))
    expect(starts(requests)[0]?.access.map(({ id }) => id)).toEqual(ids.toSorted())
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

  it.each([undefined, null, 'a line', new Uint8Array(3), {}, new Response('a line'), new Map()])(
    'refuses %s, which is no Blob, before it takes an index',
    async (bytes) => {
      const { connection, requests } = fakeConnection()
      const session = await openSession(connection, options)
      await expect(session.append(bytes as Blob)).rejects.toMatchObject({ code: 'bad-input' })
      await session.end()
      expect(requests.at(-1)).toMatchObject({ type: 'session-end', indexes: 0 })
    },
  )

  it('takes any number for a time', async () => {
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    for (const time of [1n, '2', null]) {
      const durationMs = time as unknown as number
      await session.append(new Blob(['one']), { durationMs })
    }
    expect(chunks().map(({ durationMs }) => durationMs)).toEqual([1, 2, 0])
  })

  it.each([
    ['groups', { groups: undefined }],
    ['groups', { groups: group }],
    ['groups', { groups: [undefined] }],
    ['groups', { groups: [group.privateKey] }],
    ['groups', { groups: [] }],
    ['mimeType', { mimeType: undefined }],
    ['mimetype', { mimetype: 'video/webm' }],
    ['metaData', { metaData: {} }],
    ['metadata', { metadata: null }],
    ['metadata', { metadata: '' }],
    ['metadata', { metadata: [] }],
    ['metadata', { metadata: new Map([['a', 1]]) }],
    ['metadata', { metadata: new Date(0) }],
    ['metadata', { metadata: { toJSON: () => 'text' } }],
    ['metadata', { metadata: { at: { deep: new Set([1]) } } }],
    ['metadata', { metadata: { bytes: new Uint8Array(2) } }],
    ['metadata', { metadata: { file: new Blob() } }],
    ['metadata', { metadata: { at: Number.NaN } }],
    ['metadata', { metadata: { at: () => 1 } }],
    ['metadata', { metadata: { at: [undefined] } }],
    ['labels', { labels: null }],
    ['labels', { labels: '' }],
    ['labels', { labels: new Map([['a', 'b']]) }],
    ['labels', { labels: { a: 1 } }],
  ])('names the option that it is not begun for: %s', async (name, wrong) => {
    const { connection, requests } = fakeConnection()
    const begun = openSession(connection, { ...options, ...(wrong as object) })
    const message = expect.stringMatching(`^${name}: `) as unknown
    await expect(begun).rejects.toMatchObject({ code: 'bad-input', message })
    expect(requests).toEqual([])
    expect(held.size).toBe(0)
  })

  it.each([undefined, null])('names what it lacks first, begun with %s', async (nothing) => {
    const { connection } = fakeConnection()
    const message = expect.stringMatching(/^groups: /) as unknown
    await expect(openSession(connection, nothing as never)).rejects.toMatchObject({
      code: 'bad-input',
      message,
    })
  })

  it('keeps of its metadata what JSON keeps: times, and what is left out', async () => {
    const { connection, requests } = fakeConnection()
    const metadata = { at: new Date(5), none: undefined, deep: [{ a: null }, -0] }
    const { id } = await openSession(connection, { ...options, metadata })
    const [start] = starts(requests)
    const name = await sessionName(id, start!.publicKey)
    const groupKey = toHex(group.privateKey)
    const sessionKey = await openSessionKey({ groupKey, name, groups: start!.access })
    const terms = { sessionKey, name, atMs: start!.startedAtMs, sealed: start!.metadata ?? '' }
    expect(await openNote(terms)).toEqual(JSON.parse(JSON.stringify(metadata)))
  })

  it('seals its notes for its readers, and hands them over one after the other, each with its number', async () => {
    const { connection, requests, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    const { open, opened } = gate()
    answerAfter(opened)
    const written = [session.note({ what: 'a' }, { atMs: 7.4 }), session.note({ what: 'b' }, { atMs: 8 })]
    await expect.poll(() => notesIn(requests)).toHaveLength(1)
    expect(session.waiting).toBe(2)
    const ended = session.end()
    await expect(session.note({ what: 'c' })).rejects.toMatchObject({ code: 'session-ended' })
    open()
    await Promise.all([...written, ended])
    expect(session.waiting).toBe(0)
    expect(requests.map(({ type }) => type)).toEqual(['session-start', 'note', 'note', 'session-end'])
    expect(notesIn(requests)).toMatchObject([
      { index: 0, atMs: 7 },
      { index: 1, atMs: 8 },
    ])
    const [start] = starts(requests)
    const { name } = session
    const groupKey = toHex(group.privateKey)
    const sessionKey = await openSessionKey({ groupKey, name, groups: start!.access })
    for (const { atMs, sealed } of notesIn(requests))
      expect(await openNote({ sessionKey, name, atMs, sealed })).toEqual({ what: atMs === 7 ? 'a' : 'b' })
    expect(await bytesOf(requests)).not.toContain(toHex(new TextEncoder().encode('"what"')))
  })

  // Promise 1 of docs/guarantees.md.
  it('hands a note over again, the same, where its answer was lost, and the next one after it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection, requests, refuseWith } = fakeConnection()
    const session = await openSession(connection, options)
    refuseWith(new HoldfastError('worker-timeout', 'No answer.'))
    const written = [session.note({ at: 1 }), session.note({ at: 2 })]
    await expect.poll(() => session.stalledBy?.code).toBe('worker-timeout')
    refuseWith(undefined)
    await vi.advanceTimersByTimeAsync(10_000)
    await Promise.all(written)
    const [first, again, next] = notesIn(requests)
    expect(again).toEqual(first)
    expect([first?.index, next?.index]).toEqual([0, 1])
    expect(notesIn(requests)).toHaveLength(3)
    vi.useRealTimers()
  })

  it('seals a note again where the device fails at it at first', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const failure = new DOMException('The operation failed', 'OperationError')
    const sealing = vi.spyOn(crypto.subtle, 'encrypt').mockRejectedValueOnce(failure)
    await session.note({ at: 1 })
    expect(sealing.mock.calls.length).toBeGreaterThan(1)
    expect(notesIn(requests)).toHaveLength(1)
    vi.restoreAllMocks()
  })

  // Promise 1 of docs/guarantees.md.
  it('seals notes as they were when they were given, whatever the app makes of them while they wait', async () => {
    const { connection, requests, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    const { open, opened } = gate()
    answerAfter(opened)
    const state = { at: 0, deep: { list: [0] } }
    const written = [1, 2, 3].map((at) => {
      state.at = at
      state.deep.list[0] = at
      return session.note(state, { atMs: at })
    })
    state.at = 9
    await expect.poll(() => notesIn(requests)).toHaveLength(1)
    open()
    await Promise.all(written)
    const { name } = session
    const groups = starts(requests)[0]!.access
    const sessionKey = await openSessionKey({ groupKey: toHex(group.privateKey), name, groups })
    for (const { atMs, sealed } of notesIn(requests))
      expect(await openNote({ sessionKey, name, atMs, sealed })).toEqual({ at: atMs, deep: { list: [atMs] } })
    expect(notesIn(requests)).toHaveLength(3)
  })

  it('refuses what JSON does not know when it is given, whatever the app makes of it while the code for that is loaded', async () => {
    const { connection, requests } = fakeConnection()
    const state: Record<string, unknown> = { at: 5n }
    const session = await openSession(connection, options)
    const noted = session.note(state)
    const begun = openSession(connection, { ...options, metadata: state })
    state['at'] = 5
    await expect(noted).rejects.toMatchObject({ code: 'bad-input' })
    await expect(begun).rejects.toMatchObject({ code: 'bad-input' })
    expect(notesIn(requests)).toEqual([])
    expect(starts(requests)).toHaveLength(1)
  })

  it('gives a note up by its signal, and goes on with the next', async () => {
    const { connection, requests, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    const { open, opened } = gate()
    answerAfter(opened)
    const givenUp = new AbortController()
    const note = session.note({ at: 1 }, { signal: givenUp.signal })
    await expect.poll(() => notesIn(requests)).toHaveLength(1)
    givenUp.abort(new Error('Given up'))
    await expect(note).rejects.toThrow('Given up')
    open()
    await session.note({ at: 2 })
    expect(notesIn(requests).map(({ index }) => index)).toEqual([0, 1])
  })

  it.each([
    ['null', null],
    ['a list', [1]],
    ['a Map', new Map([['a', 1]])],
    ['what JSON does not know', { at: Number.NaN }],
    ['a number as JSON', { toJSON: () => 5 }],
    ['nothing as JSON', { toJSON: () => undefined }],
    ['too much', { text: 'x'.repeat(60_000) }],
  ])('takes no note that is %s, and the next one all the same', async (_what, wrong) => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const message = expect.stringMatching(/^note: /) as unknown
    await expect(session.note(wrong as never)).rejects.toMatchObject({ code: 'bad-input', message })
    await session.note({ at: 2 })
    expect(notesIn(requests).map(({ index }) => index)).toEqual([0])
  })

  it('where the code of notes does not load takes none, and the end all the same', async () => {
    vi.resetModules()
    vi.doMock('./app-data.ts', () => {
      throw new TypeError('Failed to fetch dynamically imported module')
    })
    try {
      const { openSession } = await import('./session.ts')
      const { connection, requests } = fakeConnection()
      const session = await openSession(connection, options)
      const error = await session.note({ at: 1 }).catch((thrown: unknown) => thrown)
      expect(isHoldfastError(error, 'defect')).toBe(true)
      expect(session.waiting).toBe(0)
      await session.end()
      expect(requests.map(({ type }) => type)).toEqual(['session-start', 'session-end'])
    } finally {
      vi.doUnmock('./app-data.ts')
      vi.resetModules()
    }
  })

  it.each(['gives up by its signal', 'cannot bring'])(
    'waits for no end for code of notes and metadata that a network %s',
    async (how) => {
      vi.resetModules()
      vi.doMock('./app-data.ts', () => new Promise<never>(() => {}))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const { openSession } = await import('./session.ts')
        const { connection, requests } = fakeConnection()
        if (how === 'cannot bring') {
          const session = await openSession(connection, options)
          const noted = session.note({ at: 1 }).catch((thrown: unknown) => thrown)
          const ended = session.end()
          await vi.advanceTimersByTimeAsync(120_000)
          expect(await noted).toMatchObject({ code: 'defect' })
          await ended
          expect(requests.map(({ type }) => type)).toEqual(['session-start', 'session-end'])
          return
        }
        const leaving = new AbortController()
        const asked = { ...options, metadata: { a: 1 }, signal: leaving.signal }
        const begun = openSession(connection, asked).catch((thrown: unknown) => thrown)
        await expect.poll(() => vi.getTimerCount()).toBe(1)
        leaving.abort('enough')
        expect(await begun).toBe('enough')
        expect(requests).toEqual([])
      } finally {
        vi.doUnmock('./app-data.ts')
        vi.resetModules()
        vi.useRealTimers()
      }
    },
  )

  if (takesWhole())
    it('takes a thousand notes, and says so of one more', async () => {
      const { connection, requests } = fakeConnection()
      const session = await openSession(connection, options)
      const written = Array.from({ length: 1_000 }, (_none, at) => session.note({ at }))
      const message = expect.stringContaining('1000') as unknown
      await expect(session.note({})).rejects.toMatchObject({ code: 'bad-input', message })
      await Promise.all(written)
      expect(notesIn(requests)).toHaveLength(1_000)
    })

  it('takes notes of a megabyte in all, and says so of more', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    const text = 'x'.repeat(59_900)
    for (let at = 0; at < 16; at++) await session.note({ text })
    const message = expect.stringMatching(/^note: .*1000000 bytes/) as unknown
    await expect(session.note({ text })).rejects.toMatchObject({ code: 'bad-input', message })
    await session.note({ text: 'x' })
    expect(notesIn(requests).map(({ index }) => index)).toEqual([...Array(17).keys()])
  })

  it.each<readonly [string, () => void]>([
    ['makes no key', () => vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValueOnce(crypto)],
    [
      'has lost its locks',
      () => void vi.spyOn(locks, 'request').mockRejectedValueOnce(new DOMException('', 'InvalidStateError')),
    ],
    ['has no locks', () => vi.stubGlobal('navigator', {})],
  ])('is not begun in a browser that %s, and that is an error of ours with its cause', async (_how, fail) => {
    fail()
    const { connection } = fakeConnection()
    const error = await openSession(connection, options).catch((thrown: unknown) => thrown)
    expect(isHoldfastError(error, 'defect')).toBe(true)
    expect((error as Error).cause).toBeDefined()
    vi.restoreAllMocks()
  })

  it('is not begun anew in a browser that makes no key, and that is an error of ours', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection } = fakeConnection()
    const session = await openSession(connection, options)
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new DOMException('', 'OperationError'))
    let failed: unknown
    session.restart().catch((thrown: unknown) => (failed = thrown))
    const later = () => vi.advanceTimersByTimeAsync(1_000).then(() => isHoldfastError(failed, 'defect'))
    await expect.poll(later).toBe(true)
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  // Promise 1 of docs/guarantees.md.
  it.each<readonly [string, () => void]>([
    ['makes no key', () => vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValueOnce(new DOMException())],
    ['grants no lock', () => vi.spyOn(locks, 'request').mockRejectedValueOnce(new DOMException())],
  ])('is begun anew though the browser %s at first: nobody is there to ask again', async (_how, fail) => {
    const { connection } = fakeConnection()
    const session = await openSession(connection, options)
    fail()
    expect((await session.restart()).id).not.toBe(session.id)
    vi.restoreAllMocks()
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

  it('whose start the worker may have taken before it refused is discarded', async () => {
    const { connection, requests } = fakeConnection()
    const { request } = connection
    let asked = 0
    connection.request = (async (given: Request) => {
      await request(given as never)
      if (given.type !== 'session-start') return {}
      throw new HoldfastError(asked++ === 0 ? 'worker-timeout' : 'storage-full', 'No.')
    }) as Connection['request']
    await expect(openSession(connection, options)).rejects.toMatchObject({ code: 'storage-full' })
    await expect.poll(() => held.size).toBe(0)
    expect(requests.map(({ type }) => type)).toEqual(['session-start', 'session-start', 'discard'])
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

  it.each([
    ['first', [{ how: 'interrupted' }, {}]],
    ['while it is being ended', [{}, { how: 'interrupted' }]],
  ] as const)('that its page knows not to be whole stays so, said %s', async (_when, [first, then]) => {
    const { connection, requests, answerAfter } = fakeConnection()
    const session = await openSession(connection, options)
    const answer = gate()
    answerAfter(answer.opened)
    const appended = session.append(new Blob(['one']))
    const ended = session.end(first)
    const endedAgain = session.end(then)
    answer.open()
    await Promise.all([appended, ended, endedAgain])
    await session.end()
    expect(requests.flatMap((each) => (each.type === 'session-end' ? [each.how] : []))).toEqual([
      'interrupted',
      'interrupted',
    ])
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
    { what: '17 groups', groups: Array.from({ length: 17 }, (_none, at) => numbered(at + 1)) },
    { what: 'a short key', groups: [{ publicKey: 'ab' }] },
    { what: 'a key in upper case', groups: [{ publicKey: group.publicKey.toUpperCase() }] },
    { what: 'a key that is none', groups: [numbered(0)] },
    { what: 'no format', mimeType: '' },
    { what: 'a format of 256 characters', mimeType: 'x'.repeat(256) },
    { what: 'a format of 256 bytes', mimeType: 'é'.repeat(128) },
  ])('refuses $what, asks no worker and holds no lock', async ({ what: _what, ...wrong }) => {
    const { connection, requests } = fakeConnection()
    await expect(openSession(connection, { ...options, ...wrong })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/^(groups|mimeType): |X25519 public key/) as unknown,
    })
    expect(requests).toEqual([])
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

  it.each(['page', 'worker'] as const)(
    'are hashed and sealed again where the device fails at it at first: %s',
    async (seal) => {
      const { connection, chunks } = fakeConnection()
      const session = await openSession(connection, { ...options, seal })
      const failure = new DOMException('The operation failed', 'OperationError')
      const digest = vi.spyOn(crypto.subtle, 'digest').mockRejectedValueOnce(failure)
      const onStalled = vi.fn()
      expect(await session.append(new Blob(['one']), { onStalled })).toMatchObject({ index: 0 })
      expect(digest.mock.calls.length).toBeGreaterThan(1)
      expect(onStalled).toHaveBeenCalledWith(expect.objectContaining({ code: 'defect', cause: failure }))
      expect(chunks()).toHaveLength(1)
      vi.restoreAllMocks()
    },
  )

  it('that are read for ever hold up no others, and are told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection } = fakeConnection()
    const session = await openSession(connection, options)
    const hung = () => Object.assign(new Blob(['one']), { arrayBuffer: () => new Promise<never>(() => {}) })
    const told: string[] = []
    const onStalled = ({ code }: HoldfastError) => void told.push(code)
    const stuck = [1, 2, 3].map(() => session.append(hung(), { onStalled }).catch((error: unknown) => error))
    const behind = session.append(new Blob(['two']))
    await vi.advanceTimersByTimeAsync(100_000)
    expect(await behind).toMatchObject({ index: 3 })
    expect(told).toContain('payload-unreadable')
    for (const each of stuck) expect(await each).toMatchObject({ code: 'payload-unreadable' })
    vi.useRealTimers()
  })

  it.each(['read', 'handed over'])('that were given up while they were %s hold up no end', async (where) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection, chunks, answerAfter, refuseWith } = fakeConnection()
    const session = await openSession(connection, options)
    const { opened, open } = gate()
    answerAfter(opened)
    refuseWith(new HoldfastError('worker-timeout', 'No answer.'))
    let reads = 0
    const failing = async () => {
      reads++
      throw new DOMException('gone', 'NotReadableError')
    }
    const one = Object.assign(new Blob(['one']), where === 'read' && { arrayBuffer: failing })
    const leaving = new AbortController()
    const onStalled = vi.fn()
    const given = session.append(one, { signal: leaving.signal, onStalled }).catch((error: unknown) => error)
    await expect.poll(() => reads + chunks().length).toBe(1)
    leaving.abort('enough')
    expect(await given).toBe('enough')
    const told = onStalled.mock.calls.length
    open()
    await vi.advanceTimersByTimeAsync(100_000)
    expect(session.waiting).toBe(0)
    expect(onStalled).toHaveBeenCalledTimes(told)
    vi.useRealTimers()
  })

  it.each(['page', 'worker'] as const)(
    'sealed by the %s are those that were read first, whatever becomes of where they came from',
    async (seal) => {
      const { connection, chunks, refuseWith } = fakeConnection()
      const session = await openSession(connection, { ...options, seal })
      const texts = ['one', 'changed']
      const given = Object.assign(new Blob(['one']), {
        arrayBuffer: async () => {
          const text = texts.shift()
          if (text === undefined) throw new DOMException('gone', 'NotReadableError')
          return new TextEncoder().encode(text).buffer
        },
      })
      refuseWith(new HoldfastError('hash-mismatch', 'The bytes cannot be read.'))
      const appended = session.append(given)
      await expect.poll(() => chunks().length).toBeGreaterThan(2)
      refuseWith(undefined)
      await appended
      const [first, ...again] = chunks()
      for (const { payload, ...chunk } of again) {
        const { payload: _payload, ...asFirst } = first ?? {}
        expect(chunk).toEqual(asFirst)
        expect(await payload.arrayBuffer()).toEqual(await first?.payload.arrayBuffer())
      }
    },
  )

  it('that went bad in the page and changed where they came from are told, and not handed over', async () => {
    const { connection, chunks, refuseWith } = fakeConnection()
    const session = await openSession(connection, { ...options, seal: 'worker' })
    const texts = ['one', 'changed']
    const given = Object.assign(new Blob(['one']), {
      arrayBuffer: async () => new TextEncoder().encode(texts.shift()).buffer,
    })
    refuseWith(new HoldfastError('hash-mismatch', 'The bytes cannot be read.'))
    const appended = session.append(given).catch((error: unknown) => error)
    await expect.poll(() => chunks().length).toBe(1)
    Object.assign(chunks()[0]?.payload ?? {}, { arrayBuffer: () => Promise.reject(new Error('gone')) })
    expect(await appended).toMatchObject({ code: 'payload-unreadable' })
    expect(chunks()).toHaveLength(1)
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

  it('that are fewer than were there when it was picked are not taken for the file', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { connection, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    const cutShort = Object.assign(new Blob(['one and two']), {
      arrayBuffer: () => new Blob(['one']).arrayBuffer(),
    })
    let failed: unknown
    session.append(cutShort).catch((error: unknown) => (failed = error))
    const later = () => vi.advanceTimersByTimeAsync(1_000).then(() => failed)
    await expect.poll(later).toMatchObject({ code: 'payload-unreadable' })
    expect(chunks()).toEqual([])
    vi.useRealTimers()
  })

  it('are all there, and the recording is not: its page says so', async () => {
    const { connection, requests } = fakeConnection()
    const session = await openSession(connection, options)
    await session.append(new Blob(['one']))
    await session.end({ how: 'interrupted' })
    expect(requests.at(-1)).toMatchObject({ type: 'session-end', indexes: 1, how: 'interrupted' })
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
  // Promise 7 of docs/guarantees.md.
  it('and what goes on with it are what the app asked for then, whatever it makes of its options for the next', async () => {
    const { connection, requests } = fakeConnection()
    const other = await newGroup()
    const selected = [group]
    const shared = {
      ...options,
      groups: selected,
      metadata: { visit: { number: 1 } },
      labels: { visit: '1' },
    }
    const begun = openSession(connection, shared)
    selected[0] = other
    shared.groups = [other]
    shared.mimeType = 'text/plain'
    shared.metadata.visit.number = 2
    shared.labels.visit = '2'
    const session = await begun
    Object.assign(shared.labels, { wrong: 5 })
    const next = await session.restart()
    const groupKey = toHex(group.privateKey)
    for (const [at, { name }] of [session, next].entries()) {
      const start = starts(requests)[at]!
      expect(start).toMatchObject({ mimeType: 'video/webm', labels: { visit: '1' } })
      const sessionKey = await openSessionKey({ groupKey, name, groups: start.access })
      const terms = { sessionKey, name, atMs: start.startedAtMs, sealed: start.metadata ?? '' }
      expect(await openNote(terms)).toEqual({ visit: { number: 1 } })
    }
  })

  it('is asked again where the worker was stopped before it answered', async () => {
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
    const [first, last] = [starts(requests)[0], starts(requests).at(-1)]
    expect(last).toMatchObject({ sessionId: next.id, continues: session.name })
    expect(next.name).not.toBe(session.name)
    expect(last?.publicKey).not.toBe(first?.publicKey)
    expect(last?.sealingKey).not.toBe(first?.sealingKey)
    expect(last?.startedAtMs).toBeGreaterThan(5)
    expect([...held]).toEqual([expect.stringContaining(`holdfast-recording:${next.id}`)])
  })
})

// Promise 7 of docs/guarantees.md.
describe('in a browser without X25519', () => {
  /** WebCrypto that knows every algorithm but this one. */
  function withoutX25519(): void {
    const { subtle } = crypto
    const importKey = (...args: Parameters<SubtleCrypto['importKey']>) =>
      args[2] === 'X25519'
        ? Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))
        : subtle.importKey(...args)
    const known = new Proxy(subtle, {
      get: (target, name) => {
        if (name === 'importKey') return importKey
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    vi.stubGlobal('crypto', {
      subtle: known,
      randomUUID: () => globalCrypto.randomUUID(),
      getRandomValues: (into: Uint8Array<ArrayBuffer>) => globalCrypto.getRandomValues(into),
    })
  }
  const globalCrypto = crypto

  it('a library seals, to the same groups', async () => {
    withoutX25519()
    const { connection, requests, chunks } = fakeConnection()
    const session = await openSession(connection, options)
    await session.append(new Blob(['one']))
    vi.unstubAllGlobals()
    const terms = {
      groupKey: toHex(group.privateKey),
      name: session.name,
      groups: starts(requests)[0]!.access,
    }
    const [chunk] = chunks()
    if (!chunk?.seal) throw new Error('It was not sealed.')
    const { index, payload } = chunk
    const { iv, chunkKey } = chunk.seal
    const plaintext = await openChunk({
      name: session.name,
      sessionKey: await openSessionKey(terms),
      index,
      iv,
      chunkKey,
      ciphertext: await payload.arrayBuffer(),
    })
    expect(new TextDecoder().decode(plaintext)).toBe('one')
  })

  it.each(['a session', 'a group'])(
    'nobody waits for ever for a library that a network never brings: %s',
    async (what) => {
      withoutX25519()
      vi.resetModules()
      vi.doMock('./evidence/x25519-library.ts', () => new Promise<never>(() => {}))
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      try {
        const { openSession } = await import('./session.ts')
        const { newGroup } = await import('./group.ts')
        const { connection, requests } = fakeConnection()
        const asked: Promise<unknown> = what === 'a session' ? openSession(connection, options) : newGroup()
        const failed = asked.catch((thrown: unknown) => thrown)
        await expect.poll(() => vi.getTimerCount()).toBe(1)
        await vi.advanceTimersByTimeAsync(60_000)
        expect(await failed).toMatchObject({ name: 'HoldfastError', code: 'defect' })
        expect(requests).toEqual([])
      } finally {
        vi.doUnmock('./evidence/x25519-library.ts')
        vi.resetModules()
        vi.useRealTimers()
      }
    },
  )

  it('where the library cannot be loaded either, no session is begun, and it says why', async () => {
    withoutX25519()
    vi.resetModules()
    vi.doMock('./evidence/x25519-library.ts', () => {
      throw new TypeError('Failed to fetch dynamically imported module')
    })
    try {
      const { openSession } = await import('./session.ts')
      const { connection, requests } = fakeConnection()
      await expect(openSession(connection, options)).rejects.toMatchObject({ code: 'unsupported-browser' })
      expect(requests).toEqual([])
      expect(held.size).toBe(0)
    } finally {
      vi.doUnmock('./evidence/x25519-library.ts')
      vi.resetModules()
    }
  })
})

// Promise 1 of docs/guarantees.md.
describe('what an app gives to be told', () => {
  afterEach(() => vi.useRealTimers())

  it('costs no chunk where it throws, and its error is told as uncaught', async () => {
    const uncaught: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (work: () => void) => void uncaught.push(work))
    const { connection, chunks, refuseWith } = fakeConnection()
    const session = await openSession(connection, options)
    refuseWith(new HoldfastError('storage-full', 'No room.'))
    const onStalled = vi.fn(() => {
      refuseWith(undefined)
      throw new Error('The app is wrong.')
    })
    await session.append(new Blob(['one']), { onStalled })
    expect(onStalled).toHaveBeenCalledOnce()
    expect(chunks().map(({ index }) => index)).toEqual([0, 0])
    expect(uncaught).toHaveLength(1)
    expect(uncaught[0]).toThrow('The app is wrong.')
  })
})
