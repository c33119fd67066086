import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AppendOptions, RecordingSession } from '../api.ts'
import { HoldfastError } from '../protocol/errors.ts'
import type { ChunkId, SessionId } from '../protocol/ids.ts'
import { record, supportedMimeType } from './record.ts'

const supported = new Set<string>()

class FakeRecorder extends EventTarget {
  static isTypeSupported = (type: string) => supported.has(type)
  static last: FakeRecorder
  state = 'inactive'
  timesliceMs = 0
  constructor() {
    super()
    FakeRecorder.last = this
  }
  start(timesliceMs: number) {
    this.state = 'recording'
    this.timesliceMs = timesliceMs
  }
  stop() {
    this.state = 'inactive'
    this.slice('the rest')
    this.dispatchEvent(new Event('stop'))
  }
  slice(text: string) {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob([text]) }))
  }
}

function fakeSession() {
  const appended: { readonly text: Promise<string>; readonly options: AppendOptions }[] = []
  let ended = 0
  let endHeld: Promise<void> | undefined
  let refuses: HoldfastError | undefined
  const session: RecordingSession = {
    id: '00000000-0000-4000-8000-000000000001' as SessionId,
    waiting: 0,
    stalledBy: undefined,
    append: async (bytes, options = {}) => {
      appended.push({ text: bytes.text(), options })
      if (refuses) throw refuses
      return { id: `x/${appended.length - 1}` as ChunkId, index: appended.length - 1 }
    },
    end: async () => {
      ended++
      await endHeld
      return {} as Awaited<ReturnType<RecordingSession['end']>>
    },
  }
  return {
    session,
    appended,
    ended: () => ended,
    holdEnd: () => {
      let release = () => {}
      endHeld = new Promise((resolve) => (release = resolve))
      return release
    },
    refuse: (error: HoldfastError) => {
      refuses = error
    },
  }
}

const stream = {} as MediaStream

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  vi.stubGlobal('MediaRecorder', FakeRecorder)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  supported.clear()
})

describe('record', () => {
  it('appends each slice with the time at which it began, and its length', async () => {
    const { session, appended, ended } = fakeSession()
    const recording = record(session, stream, 'video/webm', { timesliceMs: 500 })
    expect(FakeRecorder.last.timesliceMs).toBe(500)
    vi.setSystemTime(1_000_500)
    FakeRecorder.last.slice('one')
    vi.setSystemTime(1_001_100)
    FakeRecorder.last.slice('two')
    await recording.stop()
    await recording.finished
    expect(await Promise.all(appended.map(({ text }) => text))).toEqual(['one', 'two', 'the rest'])
    expect(appended.map(({ options }) => options)).toMatchObject([
      { capturedAtMs: 1_000_000, durationMs: 500 },
      { capturedAtMs: 1_000_500, durationMs: 600 },
      { capturedAtMs: 1_001_100, durationMs: 0 },
    ])
    expect(ended()).toBe(1)
  })

  it('leaves out empty slices', async () => {
    const { session, appended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.slice('')
    await recording.stop()
    expect(appended).toHaveLength(1)
  })

  it('tells what was cut and what is durable', async () => {
    const { session } = fakeSession()
    const progress: unknown[] = []
    const recording = record(session, stream, 'video/webm', { onProgress: (now) => progress.push(now) })
    FakeRecorder.last.slice('one')
    await vi.advanceTimersByTimeAsync(0)
    await recording.stop()
    expect(progress.slice(0, 2)).toMatchObject([
      { captured: 1, acknowledged: 0 },
      { captured: 1, acknowledged: 1 },
    ])
  })

  it('ends with the stream, without being stopped', async () => {
    const { session, ended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.stop()
    await recording.finished
    await recording.stop()
    expect(ended()).toBe(1)
  })

  it('is ended all the same when nobody waits for its end any more', async () => {
    const { session, ended, holdEnd } = fakeSession()
    const release = holdEnd()
    const recording = record(session, stream, 'video/webm')
    const leaving = new AbortController()
    const stopped = recording.stop({ signal: leaving.signal })
    leaving.abort('enough')
    await expect(stopped).rejects.toBe('enough')
    expect(FakeRecorder.last.state).toBe('inactive')
    release()
    await recording.finished
    expect(ended()).toBe(1)
  })

  it('goes on where stop comes with a signal that is aborted already', async () => {
    const { session, ended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    await expect(recording.stop({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    expect(FakeRecorder.last.state).toBe('recording')
    expect(ended()).toBe(0)
  })

  it('tells a chunk that could not be kept, whether anybody awaits it or not', async () => {
    const { session, refuse } = fakeSession()
    refuse(new HoldfastError('unknown-session', 'Discarded.'))
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.slice('one')
    await expect(recording.finished).rejects.toMatchObject({ code: 'unknown-session' })
    await expect(recording.stop()).rejects.toMatchObject({ code: 'unknown-session' })
  })
})

describe('supportedMimeType', () => {
  it('prefers WebM, takes MP4, and says where nothing records', () => {
    expect(supportedMimeType()).toBeUndefined()
    supported.add('video/mp4')
    expect(supportedMimeType()).toBe('video/mp4')
    supported.add('video/webm')
    expect(supportedMimeType()).toBe('video/webm')
    vi.stubGlobal('MediaRecorder', undefined)
    expect(supportedMimeType()).toBeUndefined()
  })
})
