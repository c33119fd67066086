import { afterEach, describe, expect, it, vi } from 'vitest'
import { pageLocks } from '../e2e/in-page/page-locks.ts'
import type { Holdfast } from './api.ts'
import { isCid, isSha256Hex, type SessionId, type Sha256Hex } from './protocol/ids.ts'
import { snapshotStore } from './store.ts'
import { fakeWorker } from './testing.ts'
import { upload } from './upload/upload.ts'

const group = { publicKey: 'a'.repeat(64) }
const bytes = (text: string) => new Blob([text])

async function recorded() {
  const worker = fakeWorker(() => 1_000)
  const holdfast = worker.connect()
  const session = await holdfast.startSession({ groups: [group], mimeType: 'text/plain' })
  return { worker, holdfast, session }
}

it('takes a recording from its start to its confirmation, and tells a watch of it', async () => {
  const { worker, holdfast, session } = await recorded()
  const store = snapshotStore(holdfast)
  const leave = store.subscribe(() => undefined)
  expect(await session.append(bytes('one'))).toEqual({ id: `${session.id}/0`, index: 0 })
  await session.append(bytes('two!'), { durationMs: 5 })
  await expect.poll(() => store.getSnapshot()?.sessions[0]?.chunks.uploading).toBe(2)
  expect(await session.end()).toMatchObject({ ending: 'complete', upload: 'uploading', localBytes: 7 })
  worker.advance('uploaded')
  expect(await holdfast.sessions()).toMatchObject([{ upload: 'publishing', progress: { storedBytes: 7 } }])
  worker.advance('confirmed')
  await expect
    .poll(() => store.getSnapshot()?.sessions)
    .toMatchObject([{ upload: 'confirmed', localBytes: 0 }])
  leave()
  const events = (await holdfast.log(session.id)).map(({ event, index }) => [event, index])
  expect(events).toEqual([
    ['session-started', undefined],
    ['acknowledged', 0],
    ['acknowledged', 1],
    ['session-ended', undefined],
    ['uploaded', 0],
    ['uploaded', 1],
    ['confirmed', 0],
    ['confirmed', 1],
  ])
  expect(await Promise.all(worker.taken.map(async ({ bytes }) => bytes.text()))).toEqual(['one', 'two!'])
})

it('takes notes, and none after the end', async () => {
  const { worker, holdfast, session } = await recorded()
  await session.note({ what: 'a' })
  worker.refuse('storage-full')
  const later = session.note({ what: 'b' }, { atMs: 5 })
  expect(session.waiting).toBe(1)
  worker.refuse()
  await later
  expect(worker.notes.map(({ atMs, value }) => [atMs, value])).toEqual([
    [1_000, { what: 'a' }],
    [5, { what: 'b' }],
  ])
  await expect(session.note({ text: 'x'.repeat(60_000) })).rejects.toMatchObject({ code: 'bad-input' })
  await session.end()
  await expect(session.note({})).rejects.toMatchObject({ code: 'session-ended' })
  expect((await holdfast.log(session.id)).map(({ event }) => event)).toContain('noted')
})

it('refuses, and takes what waits once it no longer does', async () => {
  const { worker, session } = await recorded()
  worker.refuse('storage-full')
  const stalled = vi.fn()
  const appended = session.append(bytes('one'), { onStalled: stalled })
  await expect.poll(() => session.stalledBy?.code).toBe('storage-full')
  expect(session.waiting).toBe(1)
  worker.refuse()
  await appended
  expect(session.waiting).toBe(0)
  expect(stalled).toHaveBeenCalledOnce()
})

it('loses a chunk that was given up, and ends as interrupted', async () => {
  const { worker, session } = await recorded()
  worker.refuse('storage-full')
  const leaving = new AbortController()
  const appended = session.append(bytes('one'), { signal: leaving.signal })
  const lost = expect(appended).rejects.toBe('enough')
  leaving.abort('enough')
  await lost
  expect(await session.end()).toMatchObject({ ending: 'interrupted', missing: 1 })
  await expect(session.append(bytes('late'))).rejects.toMatchObject({ code: 'session-ended' })
})

it('ends as interrupted where the page says so, though nothing is missing, and whatever it says later', async () => {
  const { session } = await recorded()
  await session.append(bytes('one'))
  expect(await session.end({ how: 'interrupted' })).toMatchObject({ ending: 'interrupted', missing: 0 })
  expect(await session.end()).toMatchObject({ ending: 'interrupted' })
})

it('takes nothing more from the call of end on, which a signal ends the waiting for', async () => {
  const { worker, holdfast, session } = await recorded()
  worker.refuse('storage-full')
  const appended = session.append(bytes('one'))
  const leaving = new AbortController()
  const ended = session.end({ signal: leaving.signal })
  await expect(session.append(bytes('late'))).rejects.toMatchObject({ code: 'session-ended' })
  leaving.abort('enough')
  await expect(ended).rejects.toBe('enough')
  worker.refuse()
  await appended
  await expect.poll(() => holdfast.sessions()).toMatchObject([{ ending: 'complete', missing: 0 }])
})

it('takes files, and knows what is discarded confirmed no more', async () => {
  const { worker, holdfast } = await recorded()
  const uploading = upload(holdfast, bytes('a file'), { groups: [group], partBytes: 4 })
  await uploading.handedOver
  const id = uploading.sessionId!
  worker.advance('confirmed', id)
  expect(await uploading.done).toMatchObject({ id, parts: [{}, {}] })
  expect(await holdfast.log(id)).not.toEqual([])
  await holdfast.discard(id)
  expect(await holdfast.log(id)).toEqual([])
})

it('has troubles and dead pages, and refuses as the worker does', async () => {
  const { worker, holdfast, session } = await recorded()
  await session.append(bytes('one'))
  worker.trouble(session.id, 'sign-in-needed', 2_000)
  expect(await holdfast.sessions()).toMatchObject([
    { lastError: { code: 'sign-in-needed' }, retryAtMs: 2_000 },
  ])
  const [resumed] = [await holdfast.resume(session.id)]
  expect(resumed.lastError).toBeUndefined()
  worker.interrupt(session.id)
  expect(await holdfast.sessions()).toMatchObject([{ ending: 'interrupted' }])
  await expect(holdfast.discard(session.id)).rejects.toMatchObject({ code: 'not-confirmed' })
  await holdfast.discard(session.id, { confirm: 'discard-unconfirmed' })
  expect(await holdfast.sessions()).toEqual([])
  await expect(holdfast.pause(session.id)).rejects.toMatchObject({ code: 'unknown-session' })
})

it('ends every watch of a page that closes', async () => {
  const { holdfast } = await recorded()
  const states: unknown[] = []
  const watching = (async () => {
    for await (const state of holdfast.watch()) states.push(state)
  })()
  await expect.poll(() => states).toHaveLength(1)
  holdfast.close()
  await watching
})

it.each(['unknown-session', 'index-taken', 'payload-unreadable'] as const)(
  'gives a chunk up for what does not pass: %s',
  async (code) => {
    const { worker, session } = await recorded()
    worker.refuse(code)
    await expect(session.append(bytes('one'))).rejects.toMatchObject({ code })
    worker.refuse()
    expect(await session.end()).toMatchObject({ ending: 'interrupted', missing: 1 })
  },
)

it('refuses as the worker does what takes no index, and forgets twice', async () => {
  const { holdfast, session } = await recorded()
  await expect(session.append(bytes('one'), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  await expect(session.append('one' as never)).rejects.toMatchObject({ code: 'bad-input' })
  const huge = Object.defineProperty(bytes('one'), 'size', { value: 65 * 1024 * 1024 })
  await expect(session.append(huge)).rejects.toMatchObject({ code: 'chunk-too-large' })
  expect(await session.end()).toMatchObject({ ending: 'complete', missing: 0 })
  const confirm = 'discard-unconfirmed'
  await holdfast.discard(session.id, { confirm })
  await holdfast.discard(session.id)
  const leaving = { signal: AbortSignal.abort('enough') }
  await expect(holdfast.sessions(leaving)).rejects.toBe('enough')
  await expect(session.end(leaving)).rejects.toBe('enough')
})

it('takes the Blobs of jsdom, which cannot be read', async () => {
  const { worker, holdfast, session } = await recorded()
  const ofJsdom = (blob: Blob): Blob =>
    Object.assign(blob, {
      arrayBuffer: undefined,
      text: undefined,
      slice: (from: number, to: number) => ofJsdom(bytes('a file'.slice(from, to))),
    })
  await session.append(ofJsdom(bytes('one')))
  const uploading = upload(holdfast, ofJsdom(bytes('a file')), { groups: [group], partBytes: 4 })
  await uploading.handedOver
  expect(worker.taken.map(({ bytes }) => bytes.size)).toEqual([3, 4, 2])
  await expect(session.append('one' as never)).rejects.toMatchObject({ code: 'bad-input' })
})

it('tells where a file is once it is confirmed, in the forms in which a store does', async () => {
  const { worker, holdfast } = await recorded()
  const uploading = upload(holdfast, bytes('a file'), { groups: [group], partBytes: 4 })
  await uploading.handedOver
  worker.advance('confirmed', uploading.sessionId)
  const { parts, anchor } = await uploading.done
  expect(parts.map(({ cid, plaintextHash }) => [isCid(cid), isSha256Hex(plaintextHash)])).toEqual([
    [true, true],
    [true, true],
  ])
  expect(new Set(parts.map(({ cid }) => cid)).size).toBe(2)
  expect(anchor).toMatchObject({ size: 3, confirmedAtMs: 1_000 })
  expect(isCid(anchor?.address)).toBe(true)
  const chunks = await holdfast.chunks(uploading.sessionId!)
  expect(chunks).toMatchObject([{ uploadedAtMs: 1_000, confirmedAtMs: 1_000 }, {}])
})

it('knows a recording by its fingerprint, and begins a file anew whose page has died', async () => {
  const { worker, holdfast } = await recorded()
  const fingerprint = 'b'.repeat(64) as Sha256Hex
  await holdfast.startSession({ groups: [group], mimeType: 'text/plain', fingerprint })
  expect((await holdfast.sessions()).map((session) => session.fingerprint)).toContain(fingerprint)
  worker.refuse('storage-full')
  const [first, again] = [0, 1].map(() => upload(holdfast, bytes('a file'), { groups: [group] }))
  await expect.poll(() => first!.sessionId).toBeDefined()
  worker.refuse()
  await Promise.all([first!.handedOver, again!.handedOver])
  expect(worker.taken.map(({ sessionId }) => sessionId)).toEqual(
    expect.arrayContaining([first!.sessionId, again!.sessionId]),
  )
})

describe('where there are Web Locks', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const begin = async () => {
    vi.stubGlobal('navigator', { locks: pageLocks() })
    const worker = fakeWorker()
    const holdfast = worker.connect()
    worker.refuse('storage-full')
    const options = { groups: [group], partBytes: 4 }
    const uploads = (signal?: AbortSignal) => upload(holdfast, bytes('a file'), { ...options, signal })
    const leaving = new AbortController()
    const first = uploads(leaving.signal)
    await expect.poll(() => first.sessionId).toBeDefined()
    return { worker, holdfast, uploads, first, leaving }
  }

  it('goes on with a file whose page died before any of it was taken, as the worker does', async () => {
    const { worker, holdfast, uploads, first, leaving } = await begin()
    leaving.abort('enough')
    await expect(first.done).rejects.toBe('enough')
    worker.refuse()
    const again = uploads()
    await again.handedOver
    expect(again.sessionId).toBe(first.sessionId)
    expect(worker.taken.map(({ index }) => index)).toEqual([0, 1])
    expect(await holdfast.sessions()).toMatchObject([{ ending: 'complete', missing: 0 }])
  })

  it('begins a file anew whose page lives, and goes on with it once that one is taken for dead', async () => {
    const { worker, uploads, first } = await begin()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const second = uploads()
    await vi.advanceTimersByTimeAsync(5_000)
    vi.useRealTimers()
    await expect.poll(() => second.sessionId).toBeDefined()
    expect(second.sessionId).not.toBe(first.sessionId)
    for (const { sessionId } of [first, second]) worker.interrupt(sessionId!)
    const third = uploads()
    await expect.poll(() => third.sessionId).toBeDefined()
    expect([first.sessionId, second.sessionId]).toContain(third.sessionId)
  })
})

it('ends a recording once: what was whole stays so, and who is taken for dead and lives goes on', async () => {
  const { worker, holdfast, session } = await recorded()
  await session.append(bytes('one'))
  worker.interrupt(session.id)
  expect(await session.append(bytes('two'))).toMatchObject({ index: 1 })
  expect(await holdfast.sessions()).toMatchObject([{ ending: 'recording' }])
  const ended = await session.end()
  expect(ended.ending).toBe('complete')
  expect(await session.end({ how: 'interrupted' })).toEqual(ended)
  worker.interrupt(session.id)
  expect(await holdfast.sessions()).toEqual([ended])
  const ends = (await holdfast.log(session.id)).filter(({ event }) => event === 'session-ended')
  expect(ends).toHaveLength(2)
})

it('takes any number for a time, as the page does', async () => {
  const { holdfast, session } = await recorded()
  await session.append(bytes('one'), { capturedAtMs: -5, durationMs: 33.6 })
  expect(await holdfast.chunks(session.id)).toMatchObject([{ capturedAtMs: 0, durationMs: 34 }])
})

it('keeps a note as it was when it was given', async () => {
  const { worker, session } = await recorded()
  worker.refuse('storage-full')
  const state = { at: 1 }
  const noted = session.note(state)
  state.at = 2
  worker.refuse()
  await noted
  expect(worker.notes).toMatchObject([{ value: { at: 1 } }])
})

it('begins another where one is lost, at another time', async () => {
  let now = 1_000
  const holdfast = fakeWorker(() => now).connect()
  const session = await holdfast.startSession({ groups: [group], mimeType: 'text/plain', startedAtMs: 5 })
  now = 2_000
  await session.restart()
  expect((await holdfast.sessions()).map(({ startedAtMs }) => startedAtMs)).toEqual([2_000, 5])
})

type Options = { readonly signal: AbortSignal }
const CALLS: Readonly<Record<string, (of: Holdfast, id: SessionId, options: Options) => Promise<unknown>>> = {
  chunks: (of, id, options) => of.chunks(id, options),
  bytes: (of, id, options) => of.bytes(id, 0, options),
  log: (of, id, options) => of.log(id, options),
  pause: (of, id, options) => of.pause(id, options),
  resume: (of, id, options) => of.resume(id, options),
  adopt: (of, id, options) => of.adopt(id, options),
  policy: (of, _id, options) => of.policy(options),
  setPolicy: (of, _id, options) => of.setPolicy('paused', options),
  discard: (of, id, options) => of.discard(id, { confirm: 'discard-unconfirmed', ...options }),
  capabilities: (of, _id, options) => of.capabilities(options),
}

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  it('does nothing under a signal that is aborted already, as the worker does', async () => {
    const { holdfast, session } = await recorded()
    await session.append(bytes('one'))
    const before = [await holdfast.sessions(), await holdfast.policy()]
    await expect(call(holdfast, session.id, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect([await holdfast.sessions(), await holdfast.policy()]).toEqual(before)
  })
})

it('refuses a policy that there is not', async () => {
  const { holdfast } = await recorded()
  await expect(holdfast.setPolicy('never' as never)).rejects.toMatchObject({ code: 'bad-input' })
  expect(await holdfast.policy()).toMatchObject({ policy: 'always' })
})

it('ends a watch at once for whoever leaves it while it waits for the next state, as the page does', async () => {
  const states = fakeWorker().connect().watch()[Symbol.asyncIterator]()
  await states.next()
  const waiting = states.next()
  const soon = new Promise((resolve) => setTimeout(resolve))
  expect(await Promise.race([states.return?.(), soon])).toMatchObject({ done: true })
  expect(await waiting).toMatchObject({ done: true })
})
