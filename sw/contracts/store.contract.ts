import {
  chunkIdOf,
  type ChunkId,
  type Cid,
  type GroupId,
  type SessionId,
  type SessionName,
  type Sha256Hex,
} from '../../src/protocol/ids.ts'
import type { ChunkRecord, DueKey, HeadRecord, LogEntry, SessionRecord } from '../core/record.ts'
import { newSession } from '../core/session.ts'
import type { QueueRange, Store } from '../ports/store.ts'
import { rejection, rejectsWith, same } from './assert.ts'

/** What every store must do; each case gets an empty store. */
export interface StoreCase {
  readonly title: string
  run(store: Store): Promise<void>
}

const sessionId = (number: number) =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as SessionId
const A = sessionId(1)
const B = sessionId(2)
const ALL: QueueRange = [[-Infinity], [Infinity]]

const hash = (digit: string) => digit.repeat(64) as Sha256Hex

const aSession = (id: SessionId, startedAtMs = 1_000): SessionRecord =>
  newSession(
    {
      sessionId: id,
      publicKey: hash('4').repeat(2),
      signingKey: new ArrayBuffer(),
      sealingKey: hash('5'),
      mimeType: 'video/webm',
      startedAtMs,
      access: [{ id: `0x${hash('1')}` as GroupId, tag: hash('2'), sealedKey: '3'.repeat(160) }],
      seal: 'page',
    },
    hash('6') as string as SessionName,
  )

const aChunk = (id: SessionId, index: number, due?: DueKey): ChunkRecord => ({
  id: chunkIdOf(id, index),
  sessionId: id,
  index,
  plaintextHash: 'a'.repeat(64) as Sha256Hex,
  capturedAtMs: 1,
  durationMs: 2,
  sizeBytes: 3,
  state: {
    status: 'uploading',
    seal: { encryptedHash: hash('e'), iv: 'a'.repeat(24), chunkKey: 'b'.repeat(160), cid: 'bcid' as Cid },
  },
  effort: { failures: 0, notBeforeMs: 0 },
  retryCount: 0,
  ...(due && { due }),
})

const bytesOf = (...values: number[]) => Uint8Array.from(values).buffer
const nothing: ReadonlySet<ChunkId> = new Set()
const idsOf = (chunks: readonly ChunkRecord[]) => chunks.map(({ id }) => id)
const line = (event: string): LogEntry => ({ atMs: 1, sessionId: A, event })

export const STORE_CASES: readonly StoreCase[] = [
  {
    title: 'fills in what another version did not write, wherever a record is read',
    async run(store) {
      const { totalBytes: _bytes, ...rest } = aSession(A)
      const { anchoring: _status, ...tally } = rest.tally
      const { retryCount: _count, ...chunk } = aChunk(A, 0, [5, 1_000, 0])
      await store.write(async (tx) => {
        await tx.putSession({ ...rest, tally } as SessionRecord)
        await tx.putChunk(chunk as ChunkRecord)
      })
      await store.read(async (tx) => {
        for (const session of [await tx.session(A), ...(await tx.sessions()), ...(await tx.openSessions())])
          same([session?.totalBytes, session?.tally.anchoring], [0, 0], 'what the session lacks')
        const chunks = [await tx.chunk(chunk.id), await tx.nextDue(ALL, nothing), ...(await tx.chunksOf(A))]
        same(
          chunks.map((read) => read?.retryCount),
          [0, 0, 0],
          'what the chunk lacks',
        )
      })
    },
  },
  {
    title: 'knows nothing at first',
    async run(store) {
      await store.read(async (tx) => {
        same(await tx.session(A), undefined, 'session')
        same(await tx.chunk(chunkIdOf(A, 0)), undefined, 'chunk')
        same(await tx.sessions(), [], 'sessions')
        same(await tx.openSessions(), [], 'open sessions')
        same(await tx.chunksOf(A), [], 'chunks')
        same(await tx.nextDue(ALL, nothing), undefined, 'next due')
        same(await tx.meta('name'), undefined, 'meta')
        same(await tx.log(10), [], 'log')
      })
    },
  },
  {
    title: 'gives back what was written, in the same transaction and after it',
    async run(store) {
      const session = aSession(A)
      const chunk = aChunk(A, 0, [0, 1_000, 0])
      await store.write(async (tx) => {
        await tx.putSession(session)
        await tx.putChunk(chunk)
        await tx.putMeta('name', { any: ['value'] })
        await tx.addLog([line('first')])
        same(await tx.session(A), session, 'session within')
        same(await tx.chunk(chunk.id), chunk, 'chunk within')
        same(await tx.meta('name'), { any: ['value'] }, 'meta within')
      })
      await store.read(async (tx) => {
        same(await tx.session(A), session, 'session')
        same(await tx.chunk(chunk.id), chunk, 'chunk')
        same(await tx.chunksOf(A), [chunk], 'chunks')
        same([await tx.count(A), await tx.count(B)], [1, 0], 'how many chunks')
        same([await tx.chunkAfter(''), await tx.chunkAfter(A)], [chunk, undefined], 'the next session’s')
        same(await tx.nextDue(ALL, nothing), chunk, 'queue')
        same((await tx.log(1))[0], line('first'), 'log')
        same(await tx.meta('name'), { any: ['value'] }, 'meta')
      })
    },
  },
  {
    title: 'returns what the work returns',
    async run(store) {
      same(await store.read(async () => 7), 7, 'read')
      same(await store.write(async (tx) => (await tx.sessions()).length), 0, 'write')
    },
  },
  {
    title: 'changes nothing at all when the work throws, and throws the same',
    async run(store) {
      await store.write(async (tx) => {
        await tx.putSession(aSession(A))
        await tx.putChunk(aChunk(A, 0, [0, 0, 0]))
        await tx.putPayload(chunkIdOf(A, 0), bytesOf(1, 2, 3))
        await tx.putMeta('kept', 1)
        await tx.addLog([line('kept')])
      })
      const thrown = await rejection(
        store.write(async (tx) => {
          await tx.putSession({ ...aSession(A), paused: true })
          await tx.putSession(aSession(B))
          await tx.putChunk(aChunk(A, 0))
          await tx.putChunk(aChunk(A, 1, [0, 0, 1]))
          await tx.putPayload(chunkIdOf(A, 1), bytesOf(4))
          await tx.deletePayload(chunkIdOf(A, 0))
          await tx.deleteMeta('kept')
          await tx.putMeta('lost', 1)
          await tx.addLog([line('lost')])
          await tx.deleteSession(A)
          throw new Error('Halfway')
        }),
        'a throwing work',
      )
      same(thrown instanceof Error && thrown.message, 'Halfway', 'the error')
      await store.read(async (tx) => {
        same(await tx.sessions(), [aSession(A)], 'sessions')
        same(await tx.chunksOf(A), [aChunk(A, 0, [0, 0, 0])], 'chunks')
        same((await tx.nextDue(ALL, nothing))?.due, [0, 0, 0], 'queue')
        same(await tx.meta('kept'), 1, 'kept meta')
        same(await tx.meta('lost'), undefined, 'lost meta')
        same(await tx.log(10), [line('kept')], 'log')
      })
      same(await store.payload(chunkIdOf(A, 0)), bytesOf(1, 2, 3), 'payload')
      await rejectsWith('payload-unreadable', store.payload(chunkIdOf(A, 1)), 'the payload that was not kept')
    },
  },
  {
    title: 'lets concurrent writers through one after the other, so that no update is lost',
    async run(store) {
      await store.write((tx) => tx.putMeta('count', 0))
      const increment = () =>
        store.write(async (tx) => {
          const count = Number(await tx.meta('count'))
          await tx.meta('another read in between')
          await tx.putMeta('count', count + 1)
        })
      await Promise.all(Array.from({ length: 10 }, increment))
      same(await store.read((tx) => tx.meta('count')), 10, 'count')
    },
  },
  {
    title: 'never shows a reader half of a write',
    async run(store) {
      const writing = store.write(async (tx) => {
        await tx.putMeta('one', 1)
        await tx.meta('a read in between')
        await tx.putMeta('two', 1)
      })
      const [one, two] = await store.read(async (tx) => [await tx.meta('one'), await tx.meta('two')])
      same(one === two, true, 'both or neither')
      await writing
    },
  },
  {
    title: 'goes on after a transaction that failed',
    async run(store) {
      await rejection(
        store.write(() => Promise.reject(new Error('No'))),
        'a rejecting work',
      )
      await rejection(
        store.read(() => Promise.reject(new Error('No'))),
        'a rejecting read',
      )
      await store.write((tx) => tx.putMeta('after', 1))
      same(await store.read((tx) => tx.meta('after')), 1, 'what was written after')
    },
  },
  {
    title: 'gives out copies: changing one changes nothing stored, and nor does changing what was stored',
    async run(store) {
      const session = { ...aSession(A), tally: { ...aSession(A).tally } }
      const chunk = { ...aChunk(A, 0, [0, 0, 0]) }
      const bytes = bytesOf(1, 2, 3)
      await store.write(async (tx) => {
        await tx.putSession(session)
        await tx.putChunk(chunk)
        await tx.putPayload(chunk.id, bytes)
        await tx.putMeta('name', { inner: 1 })
      })
      session.tally.uploading = 99
      new Uint8Array(bytes)[0] = 99
      const taken = await store.read(async (tx) => [
        await tx.session(A),
        await tx.chunk(chunk.id),
        (await tx.sessions())[0],
        (await tx.openSessions())[0],
        (await tx.chunksOf(A))[0],
        await tx.nextDue(ALL, nothing),
        await tx.meta('name'),
      ])
      for (const copy of taken) Object.assign(copy as object, { index: 99, mimeType: 'changed', inner: 99 })
      new Uint8Array(await store.payload(chunk.id))[0] = 99
      await store.read(async (tx) => {
        same(await tx.session(A), aSession(A), 'session')
        same(await tx.chunk(chunk.id), aChunk(A, 0, [0, 0, 0]), 'chunk')
        same(await tx.meta('name'), { inner: 1 }, 'meta')
      })
      same(await store.payload(chunk.id), bytesOf(1, 2, 3), 'payload')
    },
  },
  {
    title: 'lists sessions newest first, and open ones oldest first',
    async run(store) {
      const { open: _settled, ...settled } = aSession(sessionId(4), 2_500)
      await store.write(async (tx) => {
        await tx.putSession(aSession(sessionId(2), 2_000))
        await tx.putSession(aSession(sessionId(3), 1_000))
        await tx.putSession(settled)
        await tx.putSession(aSession(sessionId(1), 3_000))
      })
      await store.read(async (tx) => {
        same(
          (await tx.sessions()).map(({ startedAtMs }) => startedAtMs),
          [3_000, 2_500, 2_000, 1_000],
          'all',
        )
        same(
          (await tx.openSessions()).map(({ startedAtMs }) => startedAtMs),
          [1_000, 2_000, 3_000],
          'open ones',
        )
      })
    },
  },
  {
    title: 'takes a session off the open ones when it is stored without the mark',
    async run(store) {
      const { open: _settled, ...settled } = aSession(A)
      await store.write((tx) => tx.putSession(aSession(A)))
      await store.write((tx) => tx.putSession(settled))
      same(await store.read((tx) => tx.openSessions()), [], 'open sessions')
    },
  },
  {
    title: 'lists the chunks of one session by index, as numbers',
    async run(store) {
      await store.write(async (tx) => {
        for (const index of [10, 2, 0xffff_ffff, 0, 1]) await tx.putChunk(aChunk(A, index))
        await tx.putChunk(aChunk(B, 5))
      })
      const chunks = await store.read((tx) => tx.chunksOf(A))
      same(
        chunks.map(({ index }) => index),
        [0, 1, 2, 10, 0xffff_ffff],
        'indexes',
      )
    },
  },
  {
    title: 'has one chunk for each place in a session',
    async run(store) {
      await store.write((tx) => tx.putChunk(aChunk(A, 0)))
      await rejection(
        store.write((tx) => tx.putChunk({ ...aChunk(A, 0), id: chunkIdOf(A, 99) })),
        'another chunk in the same place',
      )
      same(idsOf(await store.read((tx) => tx.chunksOf(A))), [chunkIdOf(A, 0)], 'chunks')
      await store.write((tx) => tx.putChunk({ ...aChunk(A, 0), retryCount: 5 }))
      same((await store.read((tx) => tx.chunk(chunkIdOf(A, 0))))?.retryCount, 5, 'the same chunk, changed')
    },
  },
  {
    title: 'takes waiting chunks by time, then by the age of their session, then by index',
    async run(store) {
      const queue: ChunkRecord[] = [
        aChunk(A, 10, [0, 1_000, 10]),
        aChunk(A, 2, [0, 1_000, 2]),
        aChunk(B, 0, [0, 2_000, 0]),
        aChunk(A, 3, [500, 1_000, 3]),
        aChunk(B, 1, [400, 2_000, 1]),
      ]
      await store.write(async (tx) => {
        for (const chunk of queue) await tx.putChunk(chunk)
        await tx.putChunk(aChunk(A, 4))
      })
      const taken: ChunkId[] = []
      await store.read(async (tx) => {
        for (;;) {
          const next = await tx.nextDue(ALL, new Set(taken))
          if (next === undefined) break
          taken.push(next.id)
        }
      })
      same(
        taken,
        [chunkIdOf(A, 2), chunkIdOf(A, 10), chunkIdOf(B, 0), chunkIdOf(B, 1), chunkIdOf(A, 3)],
        'order',
      )
    },
  },
  {
    title: 'takes waiting chunks of one part of the queue, both its ends included',
    async run(store) {
      await store.write(async (tx) => {
        for (let index = 0; index < 20; index++) await tx.putChunk(aChunk(A, index, [0, 1_000, index]))
        await tx.putChunk(aChunk(B, 0, [-1, 0, 2_000, 0]))
        await tx.putChunk(aChunk(B, 1, [0, 2_000, 1]))
        await tx.putChunk(aChunk(A, 20, [400, 1_000, 20]))
        await tx.putChunk(aChunk(A, 21))
      })
      const next = (from: readonly number[], to: readonly number[], skip: readonly ChunkId[] = []) =>
        store.read(async (tx) => (await tx.nextDue([from, to], new Set(skip)))?.id)
      same(await next([-1], [500]), chunkIdOf(B, 0), 'all of it')
      same(await next([0], [500]), chunkIdOf(A, 0), 'without what is to be sealed')
      same(await next([0, 1_000, 3], [500]), chunkIdOf(A, 3), 'its own place')
      same(await next([0, 1_001], [500]), chunkIdOf(B, 1), 'sessions begun later')
      same(await next([0, 1_001], [500], [chunkIdOf(B, 1)]), chunkIdOf(A, 20), 'and what has failed')
      same(await next([0, 2_001], [400, Infinity]), chunkIdOf(A, 20), 'at its time')
      same(await next([0, 2_001], [399, Infinity]), undefined, 'not before its time')
    },
  },
  {
    title: 'keeps what is to be sealed apart, by time',
    async run(store) {
      await store.write(async (tx) => {
        await tx.putChunk(aChunk(A, 0, [-1, 700, 1_000, 0]))
        await tx.putChunk(aChunk(A, 1, [-1, 500, 1_000, 1]))
        await tx.putChunk(aChunk(A, 2, [0, 1_000, 2]))
        // As an older version wrote it.
        await tx.putChunk(aChunk(B, 0, [-1, 600, 0]))
      })
      const taken: ChunkId[] = []
      await store.read(async (tx) => {
        for (;;) {
          const next = await tx.nextDue([[-1], [0]], new Set(taken))
          if (next === undefined) break
          taken.push(next.id)
        }
      })
      same(taken, [chunkIdOf(A, 1), chunkIdOf(B, 0), chunkIdOf(A, 0)], 'order')
    },
  },
  {
    title: 'moves a chunk in the queue, or out of it, as it is stored',
    async run(store) {
      await store.write((tx) => tx.putChunk(aChunk(A, 0, [500, 0, 0])))
      await store.write((tx) => tx.putChunk(aChunk(A, 0, [900, 0, 0])))
      same((await store.read((tx) => tx.nextDue(ALL, nothing)))?.due, [900, 0, 0], 'later')
      await store.write((tx) => tx.putChunk(aChunk(A, 0)))
      same(await store.read((tx) => tx.nextDue(ALL, nothing)), undefined, 'out')
    },
  },
  {
    title: 'finds what comes into the queue before where it was looked at last',
    async run(store) {
      const next = async () => (await store.read((tx) => tx.nextDue([[0], [500, Infinity]], nothing)))?.id
      same(await next(), undefined, 'nothing yet')
      await store.write((tx) => tx.putChunk(aChunk(B, 4, [0, 2_000, 4])))
      same(await next(), chunkIdOf(B, 4), 'the first')
      await store.write((tx) => tx.putChunk(aChunk(A, 3, [0, 1_000, 3])))
      same(await next(), chunkIdOf(A, 3), 'of an older session')
      await store.write((tx) => tx.putChunk(aChunk(A, 3)))
      same(await next(), chunkIdOf(B, 4), 'the next once that is out')
      await Promise.all([next(), store.write((tx) => tx.putChunk(aChunk(A, 2, [0, 1_000, 2]))), next()])
      same(await next(), chunkIdOf(A, 2), 'what was written beside a look')
      await store.write((tx) => tx.putChunk(aChunk(A, 2)))
      await store.write((tx) => tx.putChunk(aChunk(B, 4)))
      same(await next(), undefined, 'nothing left')
      await store.write((tx) => tx.putChunk(aChunk(A, 1, [400, 1_000, 1])))
      same(await next(), chunkIdOf(A, 1), 'what has failed before')
      const isRefused = store.write(async (tx) => {
        await tx.putChunk(aChunk(A, 0, [0, 1_000, 0]))
        throw new Error('not written')
      })
      await isRefused.catch(() => undefined)
      same(await next(), chunkIdOf(A, 1), 'the same after a write that failed')
    },
  },
  {
    title: 'lists what is proved by its place in the log, as numbers, and only while it has the mark',
    async run(store) {
      const proved = (index: number, position: number): ChunkRecord => ({
        ...aChunk(A, index),
        position,
        proved: [A, position],
      })
      await store.write(async (tx) => {
        await tx.putChunk(proved(0, 10))
        await tx.putChunk(proved(1, 9))
        await tx.putChunk({ ...aChunk(A, 2), position: 8 })
        await tx.putChunk({ ...aChunk(B, 0), position: 9, proved: [B, 9] })
      })
      await store.read(async (tx) => {
        same(idsOf(await tx.provedChunks(A, 0, 100)), [chunkIdOf(A, 1), chunkIdOf(A, 0)], 'all')
        same(idsOf(await tx.provedChunks(A, 9, 10)), [chunkIdOf(A, 1)], 'up to before 10')
        same(idsOf(await tx.provedChunks(A, 10, 11)), [chunkIdOf(A, 0)], 'from 10')
      })
    },
  },
  {
    title: 'keeps the log of each session in its order, and gives a part of it',
    async run(store) {
      await store.write(async (tx) => {
        for (const position of [0, 1, 2, 10, 9, 8, 7, 6, 5, 4, 3])
          await tx.putEntry(A, position, Uint8Array.of(position))
        await tx.putEntry(B, 0, Uint8Array.of(99))
      })
      const given = await store.read((tx) => tx.entries(A, 2, 5))
      same(
        given.map((entry) => Array.from(entry)),
        [[2], [3], [4]],
        'the part',
      )
      same((await store.read((tx) => tx.entries(A, 9, 100))).length, 2, 'as many as there are')
    },
  },
  {
    title: 'keeps heads by their size',
    async run(store) {
      const head = (id: SessionId, size: number): HeadRecord => ({
        sessionId: id,
        size,
        root: hash('a'),
        page: hash('b'),
        previous: null,
        end: false,
        signature: 'c'.repeat(128),
        frame: { number: 1, from: 0, frontier: [], links: [] },
        provedAtMs: 1,
      })
      await store.write(async (tx) => {
        for (const size of [3, 7, 5]) await tx.putHead(head(A, size))
        await tx.putHead(head(B, 4))
      })
      same(await store.read((tx) => tx.head(A, 3)), head(A, 3), 'the head')
      same(await store.read((tx) => tx.head(A, 4)), undefined, "another session's")
      const sizes = async (from: number, to: number) =>
        (await store.read((tx) => tx.heads(A, from, to))).map(({ size }) => size)
      same(await sizes(0, 9), [3, 5, 7], 'by size')
      same(await sizes(3, 7), [5, 7], 'above one size, up to another')
      await store.write((tx) => tx.deleteSession(A))
      same(await store.read((tx) => tx.head(A, 3)), undefined, 'the head of a session that was deleted')
      same((await store.read((tx) => tx.head(B, 4)))?.size, 4, 'that of another')
    },
  },
  {
    title: 'keeps bytes as they are, and replaces them whole',
    async run(store) {
      const id = chunkIdOf(A, 0)
      const large = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251).buffer
      await store.write((tx) => tx.putPayload(id, large))
      same(await store.payload(id), large, 'bytes')
      await store.write((tx) => tx.putPayload(id, bytesOf(7)))
      same(await store.payload(id), bytesOf(7), 'replaced bytes')
      await store.write((tx) => tx.putPayload(id, bytesOf()))
      same(await store.payload(id), bytesOf(), 'no bytes at all')
    },
  },
  {
    title: 'says which bytes are missing, and deletes them only once',
    async run(store) {
      const id = chunkIdOf(A, 0)
      await rejectsWith('payload-unreadable', store.payload(id), 'bytes that never were')
      await store.write((tx) => tx.putPayload(id, bytesOf(1)))
      await store.write((tx) => tx.deletePayload(id))
      await rejectsWith('payload-unreadable', store.payload(id), 'bytes that were deleted')
      await store.write((tx) => tx.deletePayload(id))
    },
  },
  {
    title: 'forgets what the custody log has of a session, of this transaction too, and nothing else',
    async run(store) {
      const lineOf = (sessionId: SessionId, event: string) => ({ ...line(event), sessionId })
      await store.write(async (tx) => {
        for (const id of [A, B]) await tx.addLog([lineOf(id, 'earlier')])
      })
      await store.write((tx) => tx.addLog([lineOf(A, 'alone')]))
      await store.write(async (tx) => {
        for (const id of [A, B]) await tx.addLog([lineOf(id, 'now')])
        await tx.forgetLog(A)
      })
      const left = await store.read((tx) => tx.log(10))
      same(
        left.map(({ sessionId, event }) => [sessionId, event]),
        [
          [B, 'now'],
          [B, 'earlier'],
        ],
        'log',
      )
    },
  },
  {
    title: 'deletes a session with all that is its own, and nothing else',
    async run(store) {
      await store.write(async (tx) => {
        for (const id of [A, B]) {
          await tx.putSession(aSession(id))
          for (const index of [0, 1, 0xffff_ffff]) {
            await tx.putChunk(aChunk(id, index, [0, 0, index]))
            await tx.putPayload(chunkIdOf(id, index), bytesOf(1))
          }
        }
        await tx.addLog([line('stays')])
      })
      await store.write((tx) => tx.deleteSession(A))
      await store.read(async (tx) => {
        same(await tx.session(A), undefined, 'session')
        same(await tx.chunksOf(A), [], 'chunks')
        same((await tx.openSessions()).length, 1, 'open sessions')
        same((await tx.nextDue(ALL, nothing))?.sessionId, B, 'queue')
        same(await tx.session(B), aSession(B), 'the other session')
        same((await tx.chunksOf(B)).length, 3, 'its chunks')
        same((await tx.log(10)).length, 1, 'log')
      })
      for (const index of [0, 1, 0xffff_ffff]) {
        await rejectsWith('payload-unreadable', store.payload(chunkIdOf(A, index)), 'a payload of it')
        same(await store.payload(chunkIdOf(B, index)), bytesOf(1), 'a payload of the other')
      }
    },
  },
  {
    title: 'keeps named values, CryptoKeys too, until they are deleted',
    async run(store) {
      const key = await crypto.subtle.importKey('raw', new Uint8Array(32), 'HKDF', false, ['deriveKey'])
      await store.write(async (tx) => {
        await tx.putMeta('key', key)
        await tx.putMeta('other', 2)
      })
      const found = await store.read((tx) => tx.meta('key'))
      same(found instanceof CryptoKey && found.extractable, false, 'a key that gives nothing away')
      await store.write((tx) => tx.deleteMeta('key'))
      await store.read(async (tx) => {
        same(await tx.meta('key'), undefined, 'deleted')
        same(await tx.meta('other'), 2, 'the other')
      })
    },
  },
  {
    title: 'gives the newest lines of the log first',
    async run(store) {
      await store.write(async (tx) => {
        for (const event of ['first', 'second', 'third']) await tx.addLog([line(event)])
      })
      const events = (await store.read((tx) => tx.log(2))).map(({ event }) => event)
      same(events, ['third', 'second'], 'newest lines')
    },
  },
]
