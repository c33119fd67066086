import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { pageLocks } from '../../e2e/in-page/page-locks.ts'
import type { SessionOptions } from '../api.ts'
import type { Client } from '../client.ts'
import type { Connection } from '../connection.ts'
import { toHex } from '../evidence/bytes.ts'
import { openChunk } from '../evidence/chunk-seal.ts'
import { sessionName } from '../evidence/name.ts'
import { openNote } from '../evidence/note-seal.ts'
import { openSessionKey } from '../evidence/session-keys.ts'
import { newGroup } from '../group.ts'
import { HoldfastError } from '../protocol/errors.ts'
import type { SessionId } from '../protocol/ids.ts'
import {
  DISCARD_CONFIRMATION,
  PROTOCOL_VERSION,
  type HandedChunk,
  type Request,
  type SessionStart,
} from '../protocol/messages.ts'
import { parseRequest } from '../protocol/parse.ts'
import type { ChunkView, SessionSnapshot, Snapshot } from '../protocol/snapshot.ts'
import { openSession, recordingSession } from '../session.ts'
import { unlessAborted } from '../protocol/unless-aborted.ts'
import { upload, type FileProgress, type FileUpload, type UploadOptions } from './upload.ts'

const group = await newGroup()
const SCOPE = 'https://app.example/'
const PART = 10
const never = new Promise<never>(() => {})

interface Kept {
  readonly start: SessionStart
  snapshot: SessionSnapshot
  readonly chunks: Map<number, HandedChunk>
}

/** The worker: what it has outlives the pages. It takes only what the protocol defines. */
function fakeWorker() {
  const sessions = new Map<SessionId, Kept>()
  const watchers = new Set<() => void>()
  const told: Request[] = []
  /** Which chunks it answers, now or later. */
  let takes = async (_index: number): Promise<void> => {}
  /** Nothing more is heard of pages that were opened before the last death. */
  let deaths = 0
  const of = (id: SessionId): Kept => {
    const kept = sessions.get(id)
    if (kept === undefined) throw new HoldfastError('unknown-session', 'There is none.')
    return kept
  }
  const set = (id: SessionId, fields: Partial<SessionSnapshot>): SessionSnapshot => {
    const kept = of(id)
    kept.snapshot = { ...kept.snapshot, ...fields }
    watchers.forEach((notify) => notify())
    return kept.snapshot
  }
  const bytesOf = ({ chunks }: Kept) =>
    [...chunks.values()].reduce((sum, { payload }) => sum + payload.size, 0)

  async function answer(request: Request): Promise<unknown> {
    switch (request.type) {
      case 'session-start': {
        const { session: start } = request
        const { sessionId: id, labels, fingerprint, sealingKey, mimeType, startedAtMs } = start
        const name = await sessionName(id, start.publicKey)
        const progress = { totalBytes: 0, storedBytes: 0, bytesPerSecond: 0 }
        const fixed = { id, name, labels, fingerprint, sealingKey, mimeType, startedAtMs, progress }
        const snapshot = { ...fixed, ending: 'recording', upload: 'publishing', paused: false, missing: 0 }
        sessions.set(id, { start, snapshot: snapshot as unknown as SessionSnapshot, chunks: new Map() })
        return snapshot
      }
      case 'chunk': {
        const { chunk } = request
        await takes(chunk.index)
        const kept = of(chunk.sessionId)
        if (kept.chunks.has(chunk.index)) throw new HoldfastError('index-taken', `${chunk.index}`)
        kept.chunks.set(chunk.index, chunk)
        set(chunk.sessionId, { ending: 'recording', upload: 'uploading', missing: 0 })
        return { acknowledged: `${chunk.sessionId}/${chunk.index}` }
      }
      case 'session-end': {
        const whole = of(request.sessionId).chunks.size === request.indexes
        return set(request.sessionId, {
          ending: whole ? 'complete' : 'interrupted',
          missing: request.indexes! - of(request.sessionId).chunks.size,
        })
      }
      case 'pause':
      case 'resume':
        return set(request.sessionId, { paused: request.type === 'pause' })
      case 'discard': {
        const kept = sessions.get(request.sessionId)
        if (kept && kept.snapshot.upload !== 'confirmed' && request.confirm !== DISCARD_CONFIRMATION)
          throw new HoldfastError('not-confirmed', 'No.')
        sessions.delete(request.sessionId)
        watchers.forEach((notify) => notify())
        return {}
      }
      default:
        throw new Error(`Nobody should ask for ${request.type}.`)
    }
  }

  /** A page's client. */
  function page(): Client {
    const born = deaths
    const ask = async (request: Request) => {
      if (born < deaths) return never
      const parsed = parseRequest({ ...request, holdfast: PROTOCOL_VERSION })
      told.push(parsed)
      return answer(parsed)
    }
    const connection: Connection = {
      scope: SCOPE,
      request: ask as Connection['request'],
      onNewWorker: () => undefined,
    }
    const asked = (type: 'pause' | 'resume') => async (sessionId: SessionId) =>
      (await ask({ type, sessionId })) as SessionSnapshot
    async function* watch({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Snapshot> {
      let notify = () => {}
      watchers.add(() => notify())
      signal?.addEventListener('abort', () => notify())
      for (;;) {
        const changed = new Promise<void>((resolve) => (notify = resolve))
        if (signal?.aborted) return
        yield { sessions: [...sessions.values()].map(({ snapshot }) => snapshot) }
        await changed
      }
    }
    const client = {
      goOn: recordingSession.bind(null, connection),
      scope: SCOPE,
      startSession: (options: SessionOptions) => openSession(connection, options),
      sessions: async () => [...sessions.values()].map(({ snapshot }) => snapshot),
      chunks: async (id: SessionId) =>
        [...of(id).chunks.values()].sort((a, b) => a.index - b.index) as unknown as ChunkView[],
      watch,
      pause: asked('pause'),
      resume: asked('resume'),
      discard: (sessionId: SessionId, { confirm, signal }: { confirm?: string; signal?: AbortSignal } = {}) =>
        unlessAborted(
          signal,
          async () => void (await ask({ type: 'discard', sessionId, ...(confirm && { confirm }) })),
        ),
    }
    return client as unknown as Client
  }

  return {
    page,
    told,
    sessions,
    only: () => {
      expect(sessions.size).toBe(1)
      return [...sessions.values()][0]!
    },
    /** The store and the chain have all of it. */
    settle(id: SessionId) {
      const { snapshot } = of(id)
      const storedBytes = bytesOf(of(id))
      set(id, { upload: 'confirmed', progress: { ...snapshot.progress, storedBytes } })
    },
    /** The record of a part is gone from its disk, and is missed. */
    lose(id: SessionId, index: number) {
      of(id).chunks.delete(index)
      set(id, { ending: 'interrupted', upload: 'confirmed', missing: 1 })
    },
    pagesDie(id: SessionId) {
      deaths++
      locks.die()
      set(id, { ending: 'interrupted' })
    },
    take(which: (index: number) => Promise<void>) {
      takes = which
    },
    handed: () => told.flatMap((each) => (each.type === 'chunk' ? [each.chunk.index] : [])),
  }
}

const all = async () => {}

/** What a reader with the group's key gets. */
async function readBack({ start, snapshot: { name }, chunks }: Kept): Promise<string> {
  const sessionKey = await openSessionKey({ groupKey: toHex(group.privateKey), name, groups: start.access })
  let text = ''
  for (const [index, chunk] of [...chunks].sort(([a], [b]) => a - b)) {
    if (!chunk.seal) throw new Error('It was not sealed.')
    const { iv, chunkKey } = chunk.seal
    const ciphertext = await chunk.payload.arrayBuffer()
    const plaintext = await openChunk({ name, sessionKey, index, iv, chunkKey, ciphertext })
    text += new TextDecoder().decode(plaintext)
  }
  return text
}

const TEXT = 'The quick brown fox jumps over the lazy dog, seven times.'
const PARTS = Math.ceil(TEXT.length / PART)
const fileOf = (text = TEXT, name = 'fox.txt') =>
  new File([text], name, { type: 'text/plain', lastModified: 7 })
const options: UploadOptions = { groups: [group], partBytes: PART }

let worker: ReturnType<typeof fakeWorker>
let locks: ReturnType<typeof pageLocks>
beforeEach(() => {
  worker = fakeWorker()
  locks = pageLocks()
  vi.stubGlobal('navigator', { locks })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** An upload whose page dies once the worker has exactly these parts. */
async function dieWith(indexes: readonly number[], file = fileOf(), asked = options): Promise<Kept> {
  worker.take((index) => (indexes.includes(index) ? Promise.resolve() : never))
  const started = upload(worker.page(), file, asked)
  await expect.poll(() => worker.sessions.size).toBe(1)
  const kept = worker.only()
  await expect.poll(() => kept.chunks.size).toBe(indexes.length)
  expect(started.sessionId).toBe(kept.snapshot.id)
  worker.pagesDie(kept.snapshot.id)
  worker.take(all)
  worker.told.length = 0
  return kept
}

describe('an upload', () => {
  it('is a session of parts that is whole, and tells where it is once it is confirmed', async () => {
    const started = upload(worker.page(), fileOf(), options)
    await started.handedOver
    const kept = worker.only()
    expect(kept.snapshot).toMatchObject({ ending: 'complete', mimeType: 'text/plain' })
    expect(await readBack(kept)).toBe(TEXT)
    worker.settle(kept.snapshot.id)
    const { id, name, parts } = await started.done
    expect({ id, name }).toEqual({ id: kept.snapshot.id, name: kept.snapshot.name })
    const sealed = [...kept.chunks.values()].toSorted((a, b) => a.index - b.index)
    expect(parts).toEqual(
      sealed.map((chunk) => ({
        cid: 'cid' in chunk ? chunk.cid : undefined,
        plaintextHash: chunk.plaintextHash,
      })),
    )
  })

  it('of an empty file has one part, so that a reader finds it', async () => {
    await upload(worker.page(), new Blob([]), options).handedOver
    const kept = worker.only()
    expect(kept.chunks.size).toBe(1)
    expect(kept.snapshot).toMatchObject({ ending: 'complete', mimeType: 'application/octet-stream' })
    expect(await readBack(kept)).toBe('')
  })

  it('of a file whose own type nobody could keep has none', async () => {
    const file = new File([TEXT], 'fox.txt', { type: `text/${'x'.repeat(300)}` })
    await upload(worker.page(), file, options).handedOver
    expect(worker.only().snapshot.mimeType).toBe('application/octet-stream')
    const asked = { ...options, mimeType: 'x'.repeat(300) }
    await expect(upload(worker.page(), fileOf(), asked).done).rejects.toMatchObject({ code: 'bad-input' })
  })

  it('seals its metadata for readers, and leaves labels in clear', async () => {
    const metadata = { title: 'secret title' }
    const asked = { ...options, metadata, labels: { tenant: 'a7' } }
    await upload(worker.page(), fileOf(), asked).handedOver
    const { start, snapshot } = worker.only()
    expect(start.labels).toEqual({ tenant: 'a7' })
    const { name } = snapshot
    const sessionKey = await openSessionKey({ groupKey: toHex(group.privateKey), name, groups: start.access })
    const sealed = start.metadata ?? ''
    expect(await openNote({ sessionKey, name, atMs: start.startedAtMs, sealed })).toEqual(metadata)
    expect(JSON.stringify(start)).not.toContain('secret')
  })

  // Promise 7 of docs/guarantees.md.
  it('has the app data that it was asked for with, whatever the app makes of them for the next file', async () => {
    const groups = [group]
    const asked = { ...options, groups, metadata: { number: 0 }, labels: { number: '0' } }
    const files = ['one', 'two'].map((text, at) => {
      asked.metadata.number = at
      asked.labels.number = `${at}`
      return upload(worker.page(), fileOf(text, text), asked)
    })
    groups[0] = { ...group, publicKey: '9'.padStart(64, '0') }
    await Promise.all(files.map(({ handedOver }) => handedOver))
    for (const [at, { sessionId }] of files.entries()) {
      const { start, snapshot } = worker.sessions.get(sessionId!)!
      expect(start.labels).toEqual({ number: `${at}` })
      const { name } = snapshot
      const groupKey = toHex(group.privateKey)
      const sessionKey = await openSessionKey({ groupKey, name, groups: start.access })
      const terms = { sessionKey, name, atMs: start.startedAtMs, sealed: start.metadata ?? '' }
      expect(await openNote(terms)).toEqual({ number: at })
    }
  })

  // Promise 9 of docs/guarantees.md.
  it('has at most three parts in memory, however large the file', async () => {
    const count = 300
    let [inMemory, most] = [0, 0]
    const read: ArrayBuffer[] = []
    const part = (text: string) =>
      Object.assign(new Blob([text]), {
        arrayBuffer: async () => {
          most = Math.max(most, ++inMemory)
          const { buffer } = new TextEncoder().encode(text)
          read.push(buffer)
          return buffer
        },
      })
    const huge = Object.assign(new Blob([]), { slice: (from: number) => part(`part ${from}`) })
    Object.defineProperty(huge, 'size', { value: count * PART })
    worker.take(async () => {
      // The others have had their turn meanwhile.
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
      inMemory--
    })
    await upload(worker.page(), huge, options).handedOver
    expect(worker.only().chunks.size).toBe(count)
    expect(most).toBe(3)
    // Nor does any wait for the garbage collector.
    expect(read.map(({ byteLength }) => byteLength)).toEqual(Array(count).fill(0))
  })

  it('tells how far it is, by callback and by loop, and ends with it', async () => {
    const heard: FileProgress[] = []
    const started = upload(worker.page(), fileOf(), { ...options, onProgress: (now) => heard.push(now) })
    const looped: FileProgress[] = []
    const loop = (async () => {
      for await (const now of started.progress) looped.push(now)
    })()
    await started.handedOver
    worker.settle(worker.only().snapshot.id)
    await started.done
    await loop
    const whole = {
      totalBytes: TEXT.length,
      handedBytes: TEXT.length,
      storedBytes: TEXT.length,
      settled: true,
    }
    expect(looped.at(-1)).toMatchObject(whole)
    expect(heard.at(-1)).toMatchObject(whole)
    const handed = heard.map(({ handedBytes }) => handedBytes)
    expect(handed).toEqual(handed.toSorted((a, b) => a - b))
    expect(new Set(handed).size).toBeGreaterThan(PARTS)
  })

  it('lets go at once of who leaves the loop between two changes, and tells another nothing twice', async () => {
    worker.take(() => never)
    const { progress } = upload(worker.page(), fileOf(), options)
    const [leaving, staying] = [progress[Symbol.asyncIterator](), progress[Symbol.asyncIterator]()]
    await expect.poll(() => worker.handed().length).toBe(3)
    for (const each of [leaving, staying]) await each.next()
    const [left, next] = [leaving.next(), staying.next()]
    expect(await leaving.return?.()).toEqual({ done: true, value: undefined })
    expect(await left).toEqual({ done: true, value: undefined })
    worker.take(all)
    await worker.page().pause(worker.only().snapshot.id)
    expect((await next).value).toMatchObject({ paused: true })
  })

  it('goes on where the callback throws', async () => {
    vi.stubGlobal('queueMicrotask', () => undefined)
    const onProgress = () => {
      throw new Error('The app is wrong.')
    }
    const started = upload(worker.page(), fileOf(), { ...options, onProgress })
    await started.handedOver
    worker.settle(worker.only().snapshot.id)
    await started.done
    expect(await readBack(worker.only())).toBe(TEXT)
  })

  it.each([0, 1.5, 64 * 1024 * 1024, Number.NaN])('refuses parts of %s bytes', async (partBytes) => {
    const { done } = upload(worker.page(), fileOf(), { ...options, partBytes })
    await expect(done).rejects.toMatchObject({ code: 'bad-input' })
    expect(worker.told).toEqual([])
  })

  it.each([
    ['metadata', { metadata: { big: 'x'.repeat(60_000) } }],
    ['metadata', { metadata: { at: 5n } }],
    ['labels', { labels: { 'a b': '' } }],
    ['labels', { labels: { a: 'x'.repeat(1_024) } }],
    ['labels', { labels: { a: 5n as unknown as string } }],
  ] as const)('refuses %s that cannot be kept', async (which, wrong) => {
    const { done } = upload(worker.page(), fileOf(), { ...options, labels: { a: 'b' }, ...wrong })
    const message = expect.stringContaining(`${which}: `) as unknown
    await expect(done).rejects.toMatchObject({ code: 'bad-input', message })
    expect(worker.told).toEqual([])
  })

  it.each([
    ['file', undefined, {}],
    ['file', 'a.txt', {}],
    ['groups', fileOf(), { groups: undefined }],
    ['groups', fileOf(), { groups: 'ab' }],
    ['partSize', fileOf(), { partSize: 5 }],
    ['partBytes', fileOf(), { partBytes: '5' }],
    ['partBytes', Object.defineProperty(fileOf(), 'size', { value: 2 ** 40 }), { partBytes: 1 }],
  ])('names what is wrong with the call: %s', async (name, file, wrong) => {
    const started = upload(worker.page(), file as File, { ...options, ...(wrong as object) })
    const message = expect.stringMatching(`^${name}: `) as unknown
    await expect(started.done).rejects.toMatchObject({ code: 'bad-input', message })
    expect(worker.told).toEqual([])
  })

  it('names what it lacks first, called without options', async () => {
    const started = upload(worker.page(), fileOf(), undefined as never)
    const message = expect.stringMatching(/^groups: /) as unknown
    await expect(started.done).rejects.toMatchObject({ code: 'bad-input', message })
  })

  it('has no list of its parts: a large file of the smallest takes no memory before the first', async () => {
    const huge = Object.defineProperty(fileOf(), 'size', { value: 2 ** 31 })
    worker.take(() => never)
    const before = process.memoryUsage().heapUsed
    upload(worker.page(), huge, { ...options, partBytes: 1 })
    await expect.poll(() => worker.handed().length).toBe(3)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
  })

  it.each(['sessions', 'chunks', 'resume', 'pause'] as const)(
    'goes on where the worker was stopped before it answered: %s',
    async (question) => {
      await dieWith([0])
      const page = worker.page()
      const answer = page[question] as (...asked: unknown[]) => Promise<never>
      let silent = true
      page[question] = async (...asked: unknown[]) => {
        if (silent) {
          silent = false
          throw new HoldfastError('worker-timeout', 'Stopped.')
        }
        return answer(...asked)
      }
      const started = upload(page, fileOf(), options)
      if (question === 'pause') {
        await started.pause()
        await expect.poll(() => worker.only().snapshot.paused).toBe(true)
        await started.resume()
      }
      await started.handedOver
      worker.settle(worker.only().snapshot.id)
      expect((await started.done).parts).toHaveLength(PARTS)
      expect(silent).toBe(false)
    },
  )

  it('on a device that fails as it begins is told as an error of ours', async () => {
    const failure = new DOMException('The operation failed', 'OperationError')
    vi.spyOn(crypto.subtle, 'digest').mockRejectedValueOnce(failure)
    const { done } = upload(worker.page(), fileOf(), options)
    await expect(done).rejects.toMatchObject({ name: 'HoldfastError', code: 'defect', cause: failure })
    vi.restoreAllMocks()
  })

  it('whose file cannot be read any more is told as that, and is interrupted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const gone = Object.assign(new Blob([]), {
      arrayBuffer: () => Promise.reject(new DOMException('Gone', 'NotReadableError')),
    })
    const file = Object.assign(fileOf(), { slice: () => gone })
    let failed: unknown
    upload(worker.page(), file, options).done.catch((error: unknown) => (failed = error))
    const later = () => vi.advanceTimersByTimeAsync(1_000).then(() => failed)
    await expect.poll(later).toMatchObject({ code: 'payload-unreadable' })
    vi.useRealTimers()
    await expect.poll(() => worker.only().snapshot.ending).toBe('interrupted')
    await expect.poll(() => locks.exclusive()).toBe(0)
  })

  it.each([
    ['deleted', () => Promise.reject(new DOMException('Gone', 'NotFoundError'))],
    ['cut short', async () => new ArrayBuffer(1)],
  ])(
    'whose file is %s between two reads goes on in the same session once it is there again',
    async (_what, arrayBuffer) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const file = fileOf()
      const slice = file.slice.bind(file)
      const changed = Object.assign(fileOf(), {
        slice: (from: number, to: number) =>
          Object.assign(slice(from, to), from >= 2 * PART && { arrayBuffer }),
      })
      let failed: unknown
      upload(worker.page(), changed, options).done.catch((error: unknown) => (failed = error))
      await expect.poll(() => worker.handed().toSorted()).toEqual([0, 1])
      const later = () => vi.advanceTimersByTimeAsync(1_000).then(() => failed)
      await expect.poll(later).toMatchObject({ code: 'payload-unreadable' })
      vi.useRealTimers()
      const { snapshot, chunks } = worker.only()
      expect(chunks.size).toBe(2)
      await expect.poll(() => worker.only().snapshot.ending).toBe('interrupted')
      await expect.poll(() => locks.exclusive()).toBe(0)

      const again = upload(worker.page(), file, options)
      await again.handedOver
      expect(again.sessionId).toBe(snapshot.id)
      expect(worker.only().snapshot.ending).toBe('complete')
      expect(await readBack(worker.only())).toBe(TEXT)
    },
  )

  it.each(['when it is ended', 'after its end'])(
    'of which the device loses a part %s is told, and the same call brings that again',
    async (when) => {
      if (when === 'when it is ended')
        worker.take(async (index) => {
          if (index === PARTS - 1) worker.only().chunks.delete(0)
        })
      const started = upload(worker.page(), fileOf(), options)
      await started.handedOver.catch(() => undefined)
      worker.take(all)
      if (when === 'after its end') worker.lose(worker.only().snapshot.id, 0)
      await expect(started.done).rejects.toMatchObject({ code: 'defect' })
      worker.told.length = 0
      await upload(worker.page(), fileOf(), options).handedOver
      expect(worker.handed()).toEqual([0])
      expect(await readBack(worker.only())).toBe(TEXT)
    },
  )

  it('that an app discards as soon as it is confirmed has no address to tell', async () => {
    const page = worker.page()
    const { chunks } = page
    const started = upload(page, fileOf(), options)
    await started.handedOver
    const { id } = worker.only().snapshot
    page.chunks = async (of) => {
      await page.discard(id)
      return chunks(of).catch(() => [])
    }
    worker.settle(id)
    await expect(started.done).rejects.toMatchObject({ code: 'unknown-session' })
  })

  it('that is discarded elsewhere is over', async () => {
    const page = worker.page()
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const { done } = upload(page, fileOf(), options)
    await expect.poll(() => worker.sessions.size && worker.only().chunks.size).toBe(1)
    await page.discard(worker.only().snapshot.id, { confirm: 'discard-unconfirmed' })
    await expect(done).rejects.toMatchObject({ code: 'unknown-session' })
  })
})

// Promise 1 of docs/guarantees.md.
describe('an upload whose page died', () => {
  it.each([[[]], [[0, 1]], [[1, 3]], [[0, 1, 2, 3, 4, 5].slice(0, PARTS)]])(
    'goes on with the same file where the worker has parts %j, in the same session',
    async (had) => {
      const { snapshot } = await dieWith(had)
      const again = upload(worker.page(), fileOf(), options)
      await again.handedOver
      const kept = worker.only()
      expect(kept.snapshot).toMatchObject({ id: snapshot.id, ending: 'complete' })
      expect(await readBack(kept)).toBe(TEXT)
      const missing = Array.from({ length: PARTS }, (_none, index) => index).filter(
        (each) => !had.includes(each),
      )
      expect(worker.handed().toSorted()).toEqual(missing)
      await expect.poll(() => locks.exclusive()).toBe(0)
    },
  )

  it('counts what the worker had as handed over', async () => {
    await dieWith([0, 1])
    const heard: FileProgress[] = []
    const again = upload(worker.page(), fileOf(), { ...options, onProgress: (now) => heard.push(now) })
    await again.handedOver
    expect(heard.at(-1)?.handedBytes).toBe(TEXT.length)
  })

  it('is not gone on with by a file of other bytes', async () => {
    const { snapshot } = await dieWith([0, 1])
    const other = TEXT.replace('quick', 'QUICK')
    await upload(worker.page(), fileOf(other), options).handedOver
    expect(worker.sessions.size).toBe(2)
    const kept = [...worker.sessions.values()].find(({ snapshot: { id } }) => id !== snapshot.id)!
    expect(await readBack(kept)).toBe(other)
  })

  it.each([
    ['metadata', { metadata: { ticket: 18 } }],
    ['labels', { labels: { ticket: '18' } }],
    ['groups', { groups: [group, { publicKey: '9'.padStart(64, '0') }] }],
    ['parts', { partBytes: PART + 1 }],
  ])('is not gone on with by a call with other %s', async (_what, other) => {
    await dieWith([0, 1])
    await upload(worker.page(), fileOf(), { ...options, ...other }).handedOver
    expect(worker.sessions.size).toBe(2)
  })

  it('is left to another page that has it and lives', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    upload(worker.page(), fileOf(), options)
    await expect.poll(() => worker.sessions.size === 1 && worker.only().chunks.size === 1).toBe(true)
    worker.take(all)
    const second = upload(worker.page(), fileOf(), options)
    await expect.poll(() => locks.waits()).toBe(1)
    await vi.advanceTimersByTimeAsync(10_000)
    await second.handedOver
    expect(worker.sessions.size).toBe(2)
  })

  it.each(['whole', 'in part'])(
    'is gone on with where another page that has it is done with it meanwhile, %s',
    async (how) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      let go = () => {}
      const held = new Promise<void>((resolve) => (go = resolve))
      worker.take((index) => (index === 0 ? Promise.resolve() : held))
      const leaving = new AbortController()
      const first = upload(worker.page(), fileOf(), { ...options, signal: leaving.signal })
      await expect.poll(() => worker.sessions.size === 1 && worker.only().chunks.size === 1).toBe(true)
      const second = upload(worker.page(), fileOf(), options)
      await expect.poll(() => locks.waits()).toBe(1)
      if (how === 'in part') leaving.abort('enough')
      go()
      await first.handedOver.catch(() => undefined)
      await second.handedOver
      expect(worker.only().snapshot.ending).toBe('complete')
      expect(await readBack(worker.only())).toBe(TEXT)
      await expect.poll(() => locks.exclusive()).toBe(0)
    },
  )

  it('is not begun twice by a person who presses twice', async () => {
    const both = [upload(worker.page(), fileOf(), options), upload(worker.page(), fileOf(), options)]
    await Promise.all(both.map(({ handedOver }) => handedOver))
    expect(await readBack(worker.only())).toBe(TEXT)
    await expect.poll(() => locks.exclusive()).toBe(0)
  })

  it.each(['the same', 'another'])(
    'is not taken for that of other bytes with the same name, size and time, begun in %s moment',
    async (when) => {
      let go = () => {}
      const held = new Promise<void>((resolve) => (go = resolve))
      if (when === 'another') worker.take(() => held)
      const texts = ['aaaa', 'bbbb'] as const
      const first = upload(worker.page(), new Blob([texts[0]]), options)
      if (when === 'another') await expect.poll(() => worker.handed()).toEqual([0])
      const second = upload(worker.page(), new Blob([texts[1]]), options)
      if (when === 'another') await expect.poll(() => locks.waits()).toBe(1)
      go()
      await Promise.all([first.handedOver, second.handedOver])
      const kept = await Promise.all([...worker.sessions.values()].map(readBack))
      expect(kept.toSorted()).toEqual(texts)
      await expect.poll(() => locks.exclusive()).toBe(0)
    },
  )

  it('that is discarded while it is looked at is begun anew', async () => {
    const { snapshot } = await dieWith([0, 1])
    const page = worker.page()
    const { resume } = page
    page.resume = async (id) => {
      await page.discard(id, { confirm: 'discard-unconfirmed' })
      return resume(id)
    }
    await upload(page, fileOf(), options).handedOver
    expect(worker.only().snapshot.id).not.toBe(snapshot.id)
    expect(await readBack(worker.only())).toBe(TEXT)
    await expect.poll(() => locks.exclusive()).toBe(0)
  })

  it('once it was handed over whole is followed, and nothing is handed over', async () => {
    await upload(worker.page(), fileOf(), options).handedOver
    worker.told.length = 0
    const again = upload(worker.page(), fileOf(), options)
    await again.handedOver
    worker.settle(worker.only().snapshot.id)
    expect((await again.done).parts).toHaveLength(PARTS)
    expect(worker.told.map(({ type }) => type)).toEqual(['resume'])
  })

  it('once it was handed over whole and paused goes on', async () => {
    const first = upload(worker.page(), fileOf(), options)
    await first.handedOver
    await first.pause()
    expect(worker.only().snapshot.paused).toBe(true)
    await upload(worker.page(), fileOf(), options).handedOver
    expect(worker.only().snapshot.paused).toBe(false)
  })

  it('once it is confirmed is uploaded again', async () => {
    await upload(worker.page(), fileOf(), options).handedOver
    worker.settle(worker.only().snapshot.id)
    await upload(worker.page(), fileOf(), options).handedOver
    expect(worker.sessions.size).toBe(2)
  })
})

describe('an upload that a person', () => {
  it('pauses hands nothing over until it is resumed', async () => {
    const started = upload(worker.page(), fileOf(), options)
    await started.pause()
    await expect.poll(() => worker.sessions.size && worker.only().snapshot.paused).toBe(true)
    expect(worker.handed()).toEqual([])
    await started.resume()
    await started.handedOver
    expect(worker.only().snapshot).toMatchObject({ paused: false, ending: 'complete' })
  })

  it('pauses before the worker answers, and resumes while it is asked again, is not paused', async () => {
    const page = worker.page()
    const { pause } = page
    let silent = () => {}
    const silence = new Promise<void>((resolve) => (silent = resolve))
    page.pause = async () => {
      page.pause = pause
      await silence
      throw new HoldfastError('worker-timeout', 'Stopped.')
    }
    const started = upload(page, fileOf(), options)
    await started.pause()
    await expect.poll(() => page.pause).toBe(pause)
    await started.resume()
    silent()
    await started.handedOver
    expect(worker.only().snapshot).toMatchObject({ paused: false, ending: 'complete' })
  })

  it('cancels without the word goes on; with it nothing is left', async () => {
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const started = upload(worker.page(), fileOf(), options)
    await expect.poll(() => worker.sessions.size && worker.only().chunks.size).toBe(1)
    await expect(started.cancel()).rejects.toMatchObject({ code: 'not-confirmed' })
    expect(worker.only().snapshot.ending).toBe('recording')
    await started.cancel({ confirm: 'discard-unconfirmed' })
    await expect(started.done).rejects.toMatchObject({ code: 'aborted' })
    expect(worker.sessions.size).toBe(0)
    await expect.poll(() => locks.exclusive()).toBe(0)
  })

  it('cancels with another word than the one goes on', async () => {
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const started = upload(worker.page(), fileOf(), options)
    await expect.poll(() => worker.sessions.size && worker.only().chunks.size).toBe(1)
    const confirm = 'discard' as unknown as 'discard-unconfirmed'
    await expect(started.cancel({ confirm })).rejects.toMatchObject({ code: 'bad-input' })
    expect(worker.only().snapshot.ending).toBe('recording')
    expect(worker.told.some(({ type }) => type === 'session-end')).toBe(false)
  })

  it('cancels twice, pauses and resumes then, is told nothing of it', async () => {
    const confirm = 'discard-unconfirmed'
    worker.take(() => never)
    const heard: FileProgress[] = []
    const started = upload(worker.page(), fileOf(), { ...options, onProgress: (now) => heard.push(now) })
    await expect.poll(() => worker.sessions.size).toBe(1)
    await Promise.all([started.cancel({ confirm }), started.cancel({ confirm })])
    await expect(started.done).rejects.toMatchObject({ code: 'aborted' })
    await started.cancel({ confirm })
    await started.cancel()
    heard.length = 0
    await started.pause()
    await started.resume()
    expect(heard).toEqual([])
  })

  it('cancels once it is over is forgotten: with the word where it is not confirmed', async () => {
    const confirmed = upload(worker.page(), fileOf(), options)
    await confirmed.handedOver
    worker.settle(worker.only().snapshot.id)
    await confirmed.done
    await confirmed.cancel()
    expect(worker.sessions.size).toBe(0)

    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const leaving = new AbortController()
    const stopped = upload(worker.page(), fileOf(), { ...options, signal: leaving.signal })
    await expect.poll(() => worker.sessions.size && worker.only().chunks.size).toBe(1)
    leaving.abort('enough')
    await expect(stopped.done).rejects.toBe('enough')
    await expect(stopped.cancel()).rejects.toMatchObject({ code: 'not-confirmed' })
    await stopped.cancel({ confirm: 'discard-unconfirmed' })
    expect(worker.sessions.size).toBe(0)
  })

  it('cancels before it has begun leaves nothing', async () => {
    const started = upload(worker.page(), fileOf(), options)
    await started.cancel()
    await expect(started.done).rejects.toMatchObject({ code: 'aborted' })
    expect([...worker.sessions.values()].filter(({ chunks }) => chunks.size > 0)).toEqual([])
    await expect.poll(() => locks.exclusive()).toBe(0)
  })

  it.each([
    ['forgets it with the word', { confirm: 'discard-unconfirmed' }, 0],
    ['lets it be without the word', {}, 1],
  ] as const)('cancels while it is compared with what an earlier page had %s', async (_what, how, left) => {
    await dieWith([0, 1])
    let go = () => {}
    const readable = new Promise<void>((resolve) => (go = resolve))
    let reads = 0
    const file = fileOf()
    const slice = file.slice.bind(file)
    file.slice = (...range) => {
      const part = slice(...range)
      const read = part.arrayBuffer.bind(part)
      const arrayBuffer = () => (reads++, readable.then(read))
      return Object.assign(part, { arrayBuffer })
    }
    const started = upload(worker.page(), file, options)
    await expect.poll(() => reads).toBe(1)
    const cancelled = started.cancel(how)
    await expect(started.done).rejects.toMatchObject({ code: 'aborted' })
    go()
    await cancelled
    expect(reads).toBe(2 - left)
    expect(worker.sessions.size).toBe(left)
    await expect.poll(() => locks.exclusive()).toBe(0)
    for (const { snapshot, chunks } of worker.sessions.values())
      expect([snapshot.ending, chunks.size]).toEqual(['interrupted', 2])
  })

  const confirm = 'discard-unconfirmed'

  it.each(['the first', 'the second'])(
    'asked for twice, and cancels in %s of them, goes on in the other, until both are cancelled',
    async (which) => {
      const both = [upload(worker.page(), fileOf(), options)]
      await both[0]!.handedOver
      both.push(upload(worker.page(), fileOf(), options))
      await both[1]!.handedOver
      if (which === 'the second') both.reverse()
      const [one, other] = both
      await one!.cancel({ confirm })
      await expect(one!.done).rejects.toMatchObject({ code: 'aborted' })
      expect(worker.sessions.size).toBe(1)
      const third = upload(worker.page(), fileOf(), options)
      await third.handedOver
      await other!.cancel({ confirm })
      worker.settle(worker.only().snapshot.id)
      expect((await third.done).parts).toHaveLength(PARTS)
      await third.cancel({ confirm })
      expect(worker.sessions.size).toBe(0)
      await expect.poll(() => locks.held.size).toBe(0)
    },
  )

  it('asked for twice, and cancels in the one that hands it over, is handed over by the other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const first = upload(worker.page(), fileOf(), options)
    await expect.poll(() => worker.sessions.size === 1 && worker.only().chunks.size === 1).toBe(true)
    const { id } = worker.only().snapshot
    const second = upload(worker.page(), fileOf(), options)
    await expect.poll(() => locks.waits()).toBe(1)
    worker.take(all)
    await first.cancel({ confirm })
    await second.handedOver
    expect(worker.only().snapshot.id).toBe(id)
    expect(await readBack(worker.only())).toBe(TEXT)
  })

  it('cancels where the browser never says whether another wants it waits for no longer than a minute, and loses nothing', async () => {
    const started = upload(worker.page(), fileOf(), options)
    await started.handedOver
    const { request } = locks
    locks.request = async (name, ...rest) =>
      (rest[0] as LockOptions).ifAvailable ? never : request(name, ...rest)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const leaving = new AbortController()
    const left = started.cancel({ confirm, signal: leaving.signal })
    const cancelled = vi.fn()
    void started.cancel({ confirm }).catch(cancelled)
    await vi.advanceTimersByTimeAsync(1)
    leaving.abort('enough')
    await expect(left).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(cancelled).toHaveBeenCalledWith(expect.objectContaining({ name: 'HoldfastError', code: 'defect' }))
    expect(worker.sessions.size).toBe(1)
    locks.request = request
    await started.cancel({ confirm })
    expect(worker.sessions.size).toBe(0)
  })

  it('pauses whenever it is told of its progress is not told of that in turn', async () => {
    let [times, depth, deepest] = [0, 0, 0]
    const started: FileUpload = upload(worker.page(), fileOf(), {
      ...options,
      onProgress() {
        deepest = Math.max(deepest, ++depth)
        if (++times < 20) void started.pause()
        depth--
      },
    })
    await expect.poll(() => worker.told.some(({ type }) => type === 'pause')).toBe(true)
    expect(deepest).toBe(2)
  })

  it('asked for twice, and cancels in both at once, is gone', async () => {
    const both = [upload(worker.page(), fileOf(), options)]
    await both[0]!.handedOver
    both.push(upload(worker.page(), fileOf(), options))
    await both[1]!.handedOver
    await Promise.all(both.map((each) => each.cancel({ confirm })))
    await expect.poll(() => worker.sessions.size).toBe(0)
    await expect.poll(() => locks.held.size).toBe(0)
  })

  it('asks for again, and has cancelled elsewhere meanwhile, is begun anew', async () => {
    const first = upload(worker.page(), fileOf(), options)
    await first.handedOver
    const { id } = worker.only().snapshot
    const page = worker.page()
    const { chunks } = page
    page.chunks = async (of) => {
      const found = await chunks(of)
      await first.cancel({ confirm })
      page.chunks = chunks
      return found
    }
    await upload(page, fileOf(), options).handedOver
    expect(worker.only().snapshot.id).not.toBe(id)
    expect(await readBack(worker.only())).toBe(TEXT)
  })

  it('stops by its signal, or whose page died, keeps nobody from cancelling it', async () => {
    const leaving = new AbortController()
    const first = upload(worker.page(), fileOf(), { ...options, signal: leaving.signal })
    await first.handedOver
    leaving.abort('enough')
    await expect(first.done).rejects.toBe('enough')
    const second = upload(worker.page(), fileOf(), options)
    await second.handedOver
    worker.pagesDie(worker.only().snapshot.id)
    const third = upload(worker.page(), fileOf(), options)
    await third.handedOver
    await third.cancel({ confirm })
    expect(worker.sessions.size).toBe(0)
  })

  it('cancels while the worker is silent waits no longer than the signal says', async () => {
    worker.take(() => never)
    const started = upload(worker.page(), fileOf(), options)
    await expect.poll(() => worker.handed().length).toBe(3)
    worker.pagesDie(worker.only().snapshot.id)
    const leaving = new AbortController()
    const cancelled = started.cancel({ confirm: 'discard-unconfirmed', signal: leaving.signal })
    leaving.abort('enough')
    await expect(cancelled).rejects.toBe('enough')
  })

  it('stops by its signal is interrupted, however much of it was handed over, and can be gone on with', async () => {
    const leaving = new AbortController()
    worker.take((index) => (index === 0 ? Promise.resolve() : never))
    const started = upload(worker.page(), fileOf(), { ...options, signal: leaving.signal })
    await expect.poll(() => worker.sessions.size && worker.only().chunks.size).toBe(1)
    leaving.abort('enough')
    await expect(started.done).rejects.toBe('enough')
    await expect(started.handedOver).rejects.toBe('enough')
    await expect.poll(() => locks.held.size).toBe(0)
    expect(worker.told.at(-1)).toMatchObject({ type: 'session-end', indexes: PARTS })
    worker.take(all)
    await upload(worker.page(), fileOf(), options).handedOver
    expect(await readBack(worker.only())).toBe(TEXT)
  })
})
