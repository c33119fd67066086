import { expect, it, vi } from 'vitest'
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
