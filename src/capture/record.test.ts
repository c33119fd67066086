import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { seeded } from '../../e2e/soak/seeded-random.ts'
import type { AppendOptions, RecordingSession } from '../api.ts'
import { HoldfastError } from '../protocol/errors.ts'
import type { ChunkId, SessionId, SessionName } from '../protocol/ids.ts'
import {
  record,
  supportedMimeType,
  type Recording,
  type Continued,
  type RecordOptions,
  type SourceState,
} from './record.ts'

const supported = new Set<string>()
/** Window and document in one. */
let fakePage: EventTarget & { hidden: boolean }
/** Screen locks that are held. */
let locks = 0
/** As a browser drops a lock by itself. */
let dropLocks = () => {}

function fakeWakeLock() {
  locks = 0
  dropLocks = () => void (locks = 0)
  return {
    request: async () => {
      locks++
      return { release: async () => void (locks = Math.max(0, locks - 1)) }
    },
  }
}

class FakeRecorder extends EventTarget {
  static isTypeSupported = (type: string) => supported.has(type)
  static last: FakeRecorder
  state = 'inactive'
  /** What it gives as it is stopped. */
  rest = 'the rest'
  timesliceMs = 0
  static failsAt: 'construction' | 'start' | undefined
  readonly options: object
  constructor(_stream: MediaStream, options: object) {
    super()
    this.options = options
    if (FakeRecorder.failsAt === 'construction') throw new DOMException('No such format', 'NotSupportedError')
    FakeRecorder.last = this
  }
  start(timesliceMs: number) {
    if (FakeRecorder.failsAt === 'start') throw new DOMException('No tracks', 'NotSupportedError')
    this.state = 'recording'
    this.timesliceMs = timesliceMs
  }
  stop() {
    if (this.state === 'inactive') return
    this.state = 'inactive'
    this.slice(this.rest)
    this.dispatchEvent(new Event('stop'))
  }
  requestData() {
    this.slice('cut early')
  }
  pause() {
    this.state = 'paused'
  }
  resume() {
    this.state = 'recording'
    this.dispatchEvent(new Event('resume'))
  }
  slice(data: string | Blob) {
    this.dispatchEvent(Object.assign(new Event('dataavailable'), { data: new Blob([data]) }))
  }
}

/** What a worker has, by session, while it may lose one. */
function fakeWorker() {
  const sessions: {
    readonly text: string[]
    readonly notes: unknown[]
    known: boolean
    ended: boolean
    how?: string
    continues: number | undefined
  }[] = []
  const held: (() => void)[] = []
  let holds = false
  function begin(continues?: number): RecordingSession {
    const number = sessions.length
    const has = { text: [] as string[], notes: [] as unknown[], known: true, ended: false, continues }
    sessions.push(has)
    const ask = async () => {
      if (holds) await new Promise<void>((resolve) => held.push(resolve))
      if (!has.known) throw new HoldfastError('unknown-session', 'Gone.')
    }
    const appends = new Set<Promise<unknown>>()
    let isEnded = false
    return {
      id: `00000000-0000-4000-8000-00000000000${number}` as SessionId,
      name: `${number}`.repeat(64) as SessionName,
      waiting: 0,
      stalledBy: undefined,
      append: async (bytes) => {
        if (isEnded) throw new HoldfastError('session-ended', 'Ended by its page.')
        const index = has.text.length
        const appended = ask().then(async () => void has.text.push(await bytes.text()))
        appends.add(appended)
        await appended
        return { id: `x/${index}` as ChunkId, index }
      },
      note: async (value) => {
        if (isEnded) throw new HoldfastError('session-ended', 'Ended by its page.')
        const noted = ask().then(() => void has.notes.push(value))
        appends.add(noted)
        await noted
      },
      end: async ({ how = 'complete' } = {}) => {
        isEnded = true
        await Promise.allSettled(appends)
        await ask()
        Object.assign(has, { ended: true, how })
        return { ending: how } as Awaited<ReturnType<RecordingSession['end']>>
      },
      restart: async () => begin(number),
    }
  }
  return {
    sessions,
    begin,
    /** The worker answers nothing until it is told to. */
    hold: () => void (holds = true),
    release: () => {
      holds = false
      for (const go of held.splice(0)) go()
    },
  }
}

function fakeSession() {
  const appended: { readonly text: Promise<string>; readonly options: AppendOptions }[] = []
  const ends: string[] = []
  /** With the number of chunks before each. */
  const notes: { readonly after: number; readonly value: unknown }[] = []
  let endHeld: Promise<void> | undefined
  let refuses: HoldfastError | undefined
  const session: RecordingSession = {
    id: '00000000-0000-4000-8000-000000000001' as SessionId,
    name: '1'.repeat(64) as SessionName,
    waiting: 0,
    stalledBy: undefined,
    append: async (bytes, options = {}) => {
      appended.push({ text: bytes.text(), options })
      if (refuses) throw refuses
      return { id: `x/${appended.length - 1}` as ChunkId, index: appended.length - 1 }
    },
    note: async (value) => {
      if (ends.length > 0) throw new HoldfastError('session-ended', 'Ended by its page.')
      notes.push({ after: appended.length, value })
      if (refuses) throw refuses
    },
    end: async ({ how = 'complete' } = {}) => {
      ends.push(how)
      await endHeld
      return {} as Awaited<ReturnType<RecordingSession['end']>>
    },
    restart: async () => session,
  }
  return {
    session,
    appended,
    notes,
    ends,
    ended: () => ends.length,
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

class FakeTrack extends EventTarget {
  readyState: MediaStreamTrackState = 'live'
  muted = false
  enabled = true
  readonly kind: 'video' | 'audio'
  constructor(kind: 'video' | 'audio') {
    super()
    this.kind = kind
  }
  stop() {
    this.readyState = 'ended'
  }
  /** As a browser ends, mutes or unmutes it. */
  becomes(type: 'ended' | 'mute' | 'unmute') {
    if (type === 'ended') this.readyState = 'ended'
    else this.muted = type === 'mute'
    this.dispatchEvent(new Event(type))
  }
}

function streamOf(...tracks: readonly FakeTrack[]): MediaStream {
  const of = (kind: string) => tracks.filter((track) => track.kind === kind)
  const fake = {
    getTracks: () => tracks,
    getVideoTracks: () => of('video'),
    getAudioTracks: () => of('audio'),
  }
  return fake as unknown as MediaStream
}

const happens = (type: string) => fakePage.dispatchEvent(new Event(type))
/** It was frozen, and runs again. */
const thaws = () => void (happens('freeze'), happens('resume'))

/** What a recording could save, file by file, run by run. */
const textOf = (recording: Recording) =>
  Promise.all(recording.unsavedRuns().map((runs) => Promise.all(runs.map((run) => run.text()))))

const stream = streamOf(new FakeTrack('video'), new FakeTrack('audio'))

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  vi.stubGlobal('MediaRecorder', FakeRecorder)
  fakePage = Object.assign(new EventTarget(), { hidden: false })
  vi.stubGlobal('document', fakePage)
  vi.stubGlobal('addEventListener', fakePage.addEventListener.bind(fakePage))
  vi.stubGlobal('navigator', { wakeLock: fakeWakeLock() })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  supported.clear()
  FakeRecorder.failsAt = undefined
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

  it('tells that its recorder gives nothing though it runs, and no more once it gives something, or is stopped', async () => {
    const told: (string | undefined)[] = []
    const onProgress: RecordOptions['onProgress'] = ({ stalledBy }) => void told.push(stalledBy?.code)
    const { session } = fakeSession()
    const recording = record(session, stream, 'video/webm', { onProgress })
    vi.advanceTimersByTime(9_000)
    FakeRecorder.last.slice('one')
    FakeRecorder.last.slice('')
    vi.advanceTimersByTime(9_000)
    expect(told.filter(Boolean)).toEqual([])
    FakeRecorder.last.slice('')
    vi.advanceTimersByTime(1_000)
    expect(told.at(-1)).toBe('recorder-failed')
    FakeRecorder.last.slice('two')
    expect(told.at(-1)).toBeUndefined()
    FakeRecorder.last.pause()
    vi.advanceTimersByTime(60_000)
    FakeRecorder.last.resume()
    vi.advanceTimersByTime(9_000)
    expect(told.filter(Boolean)).toEqual(['recorder-failed'])
    vi.advanceTimersByTime(1_000)
    expect(told.at(-1)).toBe('recorder-failed')
    await recording.stop()
    expect(told.at(-1)).toBeUndefined()
  })

  it('does not tell that of one whose slices are of nine days', () => {
    const told: unknown[] = []
    const { session } = fakeSession()
    const timesliceMs = 9 * 86_400_000
    record(session, stream, 'video/webm', { timesliceMs, onProgress: (now) => told.push(now.stalledBy) })
    vi.advanceTimersByTime(60_000)
    expect(told.filter(Boolean)).toEqual([])
  })

  it.each([
    ['back', -365 * 86_400_000],
    ['forward', 365 * 86_400_000],
  ])('knows how long a slice is where the clock is set %s by a year meanwhile', async (_where, byMs) => {
    const { session, appended } = fakeSession()
    const lengths: number[] = []
    const onProgress = ({ capturedMs }: { capturedMs: number }) => void lengths.push(capturedMs)
    const recording = record(session, stream, 'video/webm', { onProgress })
    vi.advanceTimersByTime(1_000)
    FakeRecorder.last.slice('one')
    vi.advanceTimersByTime(500)
    vi.setSystemTime(Date.now() + byMs)
    vi.advanceTimersByTime(500)
    FakeRecorder.last.slice('two')
    await recording.stop()
    expect(appended.map(({ options }) => options)).toMatchObject([
      { capturedAtMs: 1_000_000, durationMs: 1_000 },
      { capturedAtMs: 1_001_000, durationMs: 1_000 },
      { capturedAtMs: 1_002_000 + byMs, durationMs: 0 },
    ])
    expect(lengths.at(-1)).toBe(2_000)
  })

  it('counts no time in which it was paused', async () => {
    const worker = fakeWorker()
    const lengths: number[] = []
    const recording = record(worker.begin(), stream, 'video/webm', {
      maxWaitingBytes: 2,
      onProgress: ({ capturedMs }) => void lengths.push(capturedMs),
    })
    worker.hold()
    vi.advanceTimersByTime(1_000)
    FakeRecorder.last.slice('one')
    expect(FakeRecorder.last.state).toBe('paused')
    vi.advanceTimersByTime(600_000)
    worker.release()
    await recording.stop()
    expect(lengths.at(-1)).toBe(1_000)
  })

  it('leaves out empty slices', async () => {
    const { session, appended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.slice('')
    await recording.stop()
    expect(appended).toHaveLength(1)
  })

  it('loses no slice to a callback that throws', async () => {
    vi.stubGlobal('queueMicrotask', () => undefined)
    const throws = () => {
      throw new Error('The app is wrong.')
    }
    const worker = fakeWorker()
    const asked = { onProgress: throws, onContinued: throws }
    const recording = record(worker.begin(), stream, 'video/webm', asked)
    FakeRecorder.last.slice('one')
    thaws()
    await vi.advanceTimersByTimeAsync(0)
    FakeRecorder.last.slice('two')
    await recording.stop()
    await recording.finished
    const kept = worker.sessions.map(({ text }) => text)
    expect(kept).toEqual([
      ['one', 'the rest'],
      ['two', 'the rest'],
    ])
  })

  it('tells what was cut and what is durable', async () => {
    const { session } = fakeSession()
    const progress: unknown[] = []
    const recording = record(session, stream, 'video/webm', { onProgress: (now) => progress.push(now) })
    vi.setSystemTime(1_003_000)
    FakeRecorder.last.slice('one')
    await vi.advanceTimersByTimeAsync(0)
    await recording.stop()
    expect(progress.slice(0, 2)).toMatchObject([
      { captured: 1, acknowledged: 0, capturedMs: 3_000, acknowledgedMs: 0 },
      { captured: 1, acknowledged: 1, capturedMs: 3_000, acknowledgedMs: 3_000 },
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

  it.each(['asked to', 'by itself'])(
    'is over, as a failure, where the browser stops it %s and never says so',
    async (how) => {
      const { session, ends } = fakeSession()
      const camera = new FakeTrack('video')
      const recording = record(session, streamOf(camera), 'video/webm')
      FakeRecorder.last.slice('one')
      FakeRecorder.last.stop = () => void (FakeRecorder.last.state = 'inactive')
      if (how === 'asked to') recording.stop().catch(() => undefined)
      else {
        FakeRecorder.last.state = 'inactive'
        camera.becomes('ended')
      }
      const over = vi.fn()
      recording.finished.catch(over)
      await vi.advanceTimersByTimeAsync(50_000)
      expect(over).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(20_000)
      await expect(recording.finished).rejects.toMatchObject({ code: 'recorder-failed' })
      expect(ends).toEqual(['interrupted'])
      // Too late.
      FakeRecorder.last.dispatchEvent(new Event('stop'))
      await settle()
      expect(ends).toEqual(['interrupted'])
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('is whole where its page was frozen over the last slice, which comes after the time for it', async () => {
    const { session, ends, appended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    const { last } = FakeRecorder
    last.slice('one')
    last.stop = () => void (last.state = 'inactive')
    const stopped = recording.stop()
    // Of a page that runs again the timer goes off first.
    vi.advanceTimersByTime(60_000)
    last.slice('the last')
    last.dispatchEvent(new Event('stop'))
    await stopped
    expect(ends).toEqual(['complete'])
    expect(appended).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  /** One whose recorder never says that it has stopped, until it is not waited for any more. */
  async function givenUp(worker: ReturnType<typeof fakeWorker>) {
    const recording = record(worker.begin(), stream, 'video/webm')
    const { last } = FakeRecorder
    last.slice('one')
    last.stop = () => void (last.state = 'inactive')
    const stopped = recording.stop().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(70_000)
    expect(await stopped).toMatchObject({ code: 'recorder-failed' })
    return { recording, last }
  }

  it('keeps a last slice that comes after it was given up, in a session that goes on with it', async () => {
    const worker = fakeWorker()
    const { recording, last } = await givenUp(worker)
    last.slice('two')
    last.dispatchEvent(new Event('stop'))
    await settle()
    expect(worker.sessions).toMatchObject([
      { text: ['one'], how: 'interrupted' },
      { text: ['two'], how: 'interrupted', continues: 0 },
    ])
    expect(recording.unsaved()).toBeUndefined()
  })

  it('loses nothing to a slice that comes so late, where the worker has lost what was on its way before it', async () => {
    const worker = fakeWorker()
    worker.hold()
    const { recording, last } = await givenUp(worker)
    last.slice('two')
    await settle()
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    worker.release()
    await settle()
    expect(worker.sessions).toMatchObject([
      { text: [] },
      { text: ['two'], how: 'interrupted', continues: 0 },
      { text: ['one'], how: 'interrupted', continues: 1 },
    ])
    expect(recording.unsaved()).toBeUndefined()
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
    refuse(new HoldfastError('session-ended', 'Ended elsewhere.'))
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.slice('one')
    await expect(recording.finished).rejects.toMatchObject({ code: 'session-ended' })
    await expect(recording.stop()).rejects.toMatchObject({ code: 'session-ended' })
  })

  it('gives what the worker has not taken as a file that begins with the first slice', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    const unsaved = () => recording.unsaved()?.text()
    expect(recording.unsaved()).toBeUndefined()
    worker.hold()
    FakeRecorder.last.slice('header ')
    FakeRecorder.last.slice('one ')
    expect(recording.unsaved()?.type).toBe('video/webm')
    expect(await unsaved()).toBe('header one ')
    worker.release()
    await vi.advanceTimersByTimeAsync(0)
    await vi.advanceTimersByTimeAsync(0)
    expect(recording.unsaved()).toBeUndefined()
    worker.hold()
    FakeRecorder.last.slice('two ')
    const stopped = recording.stop()
    expect(await unsaved()).toBe('header two the rest')
    expect(await textOf(recording)).toEqual([['header ', 'two the rest']])
    worker.release()
    await stopped
    expect(recording.unsaved()).toBeUndefined()
  })

  it('begins with the whole header, of which Chromium’s first slice is one byte where the first picture is late', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    worker.hold()
    FakeRecorder.last.slice('h')
    expect(recording.unsaved()).toBeUndefined()
    FakeRecorder.last.slice('eader ')
    worker.release()
    await vi.advanceTimersByTimeAsync(0)
    await vi.advanceTimersByTimeAsync(0)
    worker.hold()
    FakeRecorder.last.slice('a')
    expect(await recording.unsaved()?.text()).toBe('header a')
    worker.release()
    await recording.stop()
    expect(worker.sessions[0]?.text.join('')).toBe('header athe rest')
  })

  it('gives what each recorder has made where a frozen page had more than one', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    worker.hold()
    FakeRecorder.last.slice('header one ')
    thaws()
    await settle()
    FakeRecorder.last.slice('header two ')
    expect(await textOf(recording)).toEqual([['header one the rest'], ['header two ']])
    worker.release()
    await recording.stop()
    expect(recording.unsavedRuns()).toEqual([])
  })

  it('gives what could not be kept, too, and what was being made then', async () => {
    const { session, refuse, ends } = fakeSession()
    refuse(new HoldfastError('chunk-too-large', 'No.'))
    const recording = record(session, stream, 'video/webm')
    FakeRecorder.last.slice('one ')
    await expect(recording.finished).rejects.toMatchObject({ code: 'chunk-too-large' })
    expect(await recording.unsaved()?.text()).toBe('one the rest')
    expect(FakeRecorder.last.state).toBe('inactive')
    expect(ends).toEqual(['interrupted'])
  })

  it.each([
    ['the recorder cannot be started anew', { failsAt: 'start' }],
    ['the session cannot go on in another', { restarts: false }],
  ] as const)('gives what was being made where %s', async (_why, how) => {
    const worker = fakeWorker()
    const session = worker.begin()
    if ('restarts' in how) session.restart = () => Promise.reject(new HoldfastError('bad-input', 'No.'))
    const recording = record(session, stream, 'video/webm')
    const first = FakeRecorder.last
    first.slice('one ')
    await settle()
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    let lastSlice = () => {}
    // As a browser does it: not at once.
    first.stop = () => {
      first.state = 'inactive'
      lastSlice = () => {
        first.slice('two')
        first.dispatchEvent(new Event('stop'))
      }
    }
    if ('failsAt' in how) FakeRecorder.failsAt = how.failsAt
    const over = vi.fn()
    recording.finished.catch(over)
    thaws()
    await settle()
    expect(over).not.toHaveBeenCalled()
    lastSlice()
    await expect(recording.finished).rejects.toBeInstanceOf(HoldfastError)
    expect(await recording.unsaved()?.text()).toBe('failsAt' in how ? 'one two' : 'one twothe rest')
  })

  it('cuts a slice that is too large for a chunk, and counts it once', async () => {
    const { session, appended } = fakeSession()
    const progress: { captured: number; acknowledged: number }[] = []
    const recording = record(session, stream, 'video/mp4', { onProgress: (now) => progress.push(now) })
    vi.setSystemTime(1_090_000)
    FakeRecorder.last.slice(new Blob(['a'.repeat(64 * 1024 * 1024 + 5), 'b']))
    await recording.stop()
    const texts = await Promise.all(appended.map(({ text }) => text))
    expect(texts.every((text) => text.length <= 64 * 1024 * 1024 - 16)).toBe(true)
    expect(texts.join('')).toBe(`${'a'.repeat(64 * 1024 * 1024 + 5)}bthe rest`)
    expect(appended.slice(0, 2).map(({ options }) => options)).toMatchObject([
      { capturedAtMs: 1_000_000, durationMs: 45_000 },
      { capturedAtMs: 1_045_000, durationMs: 45_000 },
    ])
    expect(progress.at(-1)).toMatchObject({ captured: 2, acknowledged: 2 })
  })

  it('refuses a session that it records into already, or has: chunks of two recorders would play as neither', async () => {
    const worker = fakeWorker()
    const session = worker.begin()
    const sessions = [session]
    const again = (into: RecordingSession) => () => record(into, stream, 'video/webm')
    FakeRecorder.failsAt = 'start'
    expect(again(session)).toThrow(expect.objectContaining({ code: 'recorder-failed' }))
    FakeRecorder.failsAt = undefined
    // Of one that did not begin there is nothing yet.
    const recording = record(session, stream, 'video/webm', {
      onContinued: (now) => sessions.push(now.session),
    })
    thaws()
    await settle()
    expect(sessions).toHaveLength(2)
    const refused = expect.objectContaining({ code: 'bad-input' }) as Error
    for (const each of sessions) expect(again(each)).toThrow(refused)
    await recording.stop()
    for (const each of sessions) expect(again(each)).toThrow(refused)
  })

  it.each(['construction', 'start'] as const)('throws our error where the recorder fails at its %s', (at) => {
    FakeRecorder.failsAt = at
    const { session } = fakeSession()
    expect(() => record(session, stream, 'video/webm')).toThrow(
      expect.objectContaining({ code: 'recorder-failed', cause: expect.any(DOMException) as unknown }),
    )
  })

  it('rejects with our error and its cause where the recorder fails, and ends the session all the same', async () => {
    const { session, ended } = fakeSession()
    const recording = record(session, stream, 'video/webm')
    const error = new DOMException('The track was removed', 'InvalidModificationError')
    FakeRecorder.last.dispatchEvent(Object.assign(new Event('error'), { error }))
    FakeRecorder.last.stop()
    await expect(recording.finished).rejects.toMatchObject({ code: 'recorder-failed', cause: error })
    expect(ended()).toBe(1)
  })
})

// Promise 1 of docs/guarantees.md.
describe('a recording whose session the worker has lost', () => {
  it('waits ever longer for the next where the worker loses each', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const worker = fakeWorker()
    const begin = (before: number | undefined): RecordingSession => {
      const session = worker.begin(before)
      for (const each of worker.sessions) each.known = false
      const number = worker.sessions.length - 1
      return { ...session, restart: async () => begin(number) }
    }
    record(begin(undefined), stream, 'video/webm').finished.catch(() => undefined)
    FakeRecorder.last.slice('one')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(worker.sessions.length).toBeGreaterThan(4)
    // Two each: what was not taken goes on in one, and the recorder in another.
    expect(worker.sessions.length).toBeLessThan(24)
    vi.useRealTimers()
  })

  it('goes on: what was not taken in a session after it, and the recorder anew in one after that', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    const first = FakeRecorder.last
    first.slice('one')
    await settle()
    const [lost] = worker.sessions
    if (lost) lost.known = false
    worker.hold()
    for (const text of ['two', 'three']) first.slice(text)
    worker.release()
    await settle()
    expect(first.state).toBe('inactive')
    const second = FakeRecorder.last
    expect(second).not.toBe(first)
    second.slice('header and four')
    await recording.stop()
    expect(worker.sessions.map(({ text, continues }) => ({ continues, text }))).toEqual([
      { continues: undefined, text: ['one'] },
      { continues: 0, text: ['two', 'three', 'the rest'] },
      { continues: 1, text: ['header and four', 'the rest'] },
    ])
    expect(worker.sessions.map(({ how }) => how)).toEqual([undefined, 'complete', 'complete'])
  })

  it('says in each what was said before, and which it goes on with', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm', { isTestPicture: () => true })
    FakeRecorder.last.slice('one')
    await settle()
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    FakeRecorder.last.slice('two')
    await settle()
    FakeRecorder.last.slice('header and three')
    await recording.stop()
    const test = { holdfast: 'test-picture' }
    expect(worker.sessions.map(({ notes }) => notes)).toEqual([
      [test],
      [test],
      [{ holdfast: 'continued', after: 'lost' }, test],
    ])
  })

  it('loses nothing when that is lost in its turn, and the recorder is not started again for it', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    const lose = (number: number) => Object.assign(worker.sessions[number] ?? {}, { known: false })
    worker.hold()
    FakeRecorder.last.slice('one')
    await settle()
    lose(0)
    worker.release()
    worker.hold()
    await settle()
    const running = FakeRecorder.last
    lose(1)
    worker.release()
    await settle()
    expect(FakeRecorder.last).toBe(running)
    await recording.stop()
    const kept = worker.sessions.filter(({ known }) => known).flatMap(({ text }) => text)
    expect(kept.toSorted()).toEqual(['one', 'the rest', 'the rest'])
  })

  it('is over, with its last slices in a session of their own, where it was found out after the end', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm', { isTestPicture: () => true })
    worker.hold()
    FakeRecorder.last.slice('one')
    const stopped = recording.stop()
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    worker.release()
    await stopped
    expect(worker.sessions.map(({ text, ended, notes }) => ({ ended, text, notes }))).toEqual([
      { ended: false, text: [], notes: [] },
      { ended: true, text: ['one', 'the rest'], notes: [{ holdfast: 'test-picture' }] },
    ])
  })

  it('tells where all of it was lost, and nothing is left to hand over', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    FakeRecorder.last.slice('one')
    await settle()
    FakeRecorder.last.stop = function stop() {
      this.state = 'inactive'
      this.dispatchEvent(new Event('stop'))
    }
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    await expect(recording.stop()).rejects.toMatchObject({ code: 'unknown-session' })
  })
})

/** Runs all that waits for no time. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await vi.advanceTimersByTimeAsync(0)
}

describe('slices that the worker does not take as they come', () => {
  /** Slices of a second each. */
  const sliceEachSecond = (texts: readonly string[]) => {
    for (const text of texts) {
      vi.setSystemTime(Date.now() + 1_000)
      FakeRecorder.last.slice(text)
    }
  }

  it('are joined while they wait, and none is lost or counted twice', async () => {
    const worker = fakeWorker()
    const progress: { captured: number; acknowledged: number; waitingBytes: number }[] = []
    const recording = record(worker.begin(), stream, 'video/webm', {
      chunkMs: 2_000,
      onProgress: (now) => progress.push(now),
    })
    sliceEachSecond(['aa'])
    await settle()
    worker.hold()
    sliceEachSecond(['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
    await settle()
    worker.release()
    await settle()
    await recording.stop()
    const kept = worker.sessions.map(({ text }) => text.toSorted())
    expect(kept).toEqual([['aa', 'b', 'c', 'd', 'ef', 'gh', 'i', 'the rest']])
    expect(progress.at(-1)).toMatchObject({ captured: 10, acknowledged: 10, waitingBytes: 0 })
  })

  it('are each a chunk where the app wants that, and where the recorder had paused between them', async () => {
    for (const [chunkMs, pausesMs, expected] of [
      [0, 0, ['aa', 'b', 'c', 'd', 'e', 'the rest']],
      [5_000, 100, ['aa', 'b', 'c', 'd', 'e', 'the rest']],
    ] as const) {
      const worker = fakeWorker()
      const recording = record(worker.begin(), stream, 'video/webm', { chunkMs })
      worker.hold()
      for (const text of ['aa', 'b', 'c', 'd', 'e']) {
        sliceEachSecond([text])
        vi.setSystemTime(Date.now() + pausesMs)
        if (pausesMs > 0) FakeRecorder.last.resume()
      }
      worker.release()
      await settle()
      await recording.stop()
      expect(worker.sessions[0]?.text).toEqual(expected)
    }
  })

  it('are handed over at the end, before the session is ended', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm', { chunkMs: 0 })
    worker.hold()
    sliceEachSecond(['aa', 'b', 'c', 'd', 'e'])
    const stopped = recording.stop()
    worker.release()
    await stopped
    expect(worker.sessions).toMatchObject([{ text: ['aa', 'b', 'c', 'd', 'e', 'the rest'], ended: true }])
  })
})

describe('a page that records', () => {
  const becomes = (seen: 'visible' | 'hidden') => {
    fakePage.hidden = seen === 'hidden'
    happens('visibilitychange')
  }

  it('hands over what there is when it is hidden', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    becomes('hidden')
    becomes('visible')
    await settle()
    expect(worker.sessions[0]?.text).toEqual(['cut early'])
    await recording.stop()
    becomes('hidden')
    expect(worker.sessions[0]?.text).toEqual(['cut early', 'the rest'])
  })

  it('keeps the screen on until the recording is kept, and asks again when it is seen again', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    await settle()
    expect(locks).toBe(1)
    becomes('hidden')
    dropLocks()
    becomes('visible')
    await settle()
    expect(locks).toBe(1)
    worker.hold()
    const stopped = recording.stop()
    await settle()
    expect(locks).toBe(1)
    worker.release()
    await stopped
    await settle()
    expect(locks).toBe(0)
    becomes('visible')
    expect(locks).toBe(0)
  })

  it('lets go of each lock that it was given, however late the browser gives one', async () => {
    const request = fakeWakeLock().request
    const gives: (() => void)[] = []
    const late = async () => {
      await new Promise<void>((give) => gives.push(give))
      return request()
    }
    vi.stubGlobal('navigator', { wakeLock: { request: late } })
    const recording = record(fakeWorker().begin(), stream, 'video/webm')
    becomes('hidden')
    becomes('visible')
    gives.forEach((give) => give())
    await settle()
    expect(locks).toBe(2)
    await recording.stop()
    await settle()
    expect(locks).toBe(0)
  })

  it('lets the screen sleep where the app wants that, and where the browser has no such lock', async () => {
    const recording = record(fakeWorker().begin(), stream, 'video/webm', { keepAwake: false })
    await settle()
    expect(locks).toBe(0)
    await recording.stop()
    vi.stubGlobal('navigator', {})
    await record(fakeWorker().begin(), stream, 'video/webm').stop()
  })

  it.each([
    ['was frozen', () => thaws()],
    ['was put aside for Back', () => (happens('pagehide'), happens('pageshow'))],
  ])('and %s goes on in a new session, and learns what became of the one before', async (_what, back) => {
    const worker = fakeWorker()
    const told: Continued[] = []
    const recording = record(worker.begin(), stream, 'video/webm', { onContinued: (now) => told.push(now) })
    const first = FakeRecorder.last
    first.slice('header one')
    back()
    await settle()
    expect(first.state).toBe('inactive')
    expect(FakeRecorder.last).not.toBe(first)
    FakeRecorder.last.slice('header two')
    await recording.stop()
    expect(worker.sessions).toMatchObject([
      { text: ['header one', 'the rest'], continues: undefined, how: 'interrupted' },
      { text: ['header two', 'the rest'], continues: 0, how: 'complete' },
    ])
    expect(told).toMatchObject([{ before: { ending: 'interrupted' }, session: { name: '1'.repeat(64) } }])
    expect(worker.sessions.map(({ notes }) => notes)).toEqual([
      [],
      [{ holdfast: 'continued', after: 'frozen' }],
    ])
  })

  it('and goes on where the session before cannot be ended is told nothing more once it has failed', async () => {
    const worker = fakeWorker()
    const told: Continued[] = []
    const session = worker.begin()
    const { restart } = session
    let go = () => {}
    session.end = () => Promise.reject(new HoldfastError('bad-message', 'No.'))
    session.restart = () => new Promise<void>((resolve) => (go = resolve)).then(restart)
    const recording = record(session, stream, 'video/webm', { onContinued: (now) => told.push(now) })
    FakeRecorder.last.slice('one')
    thaws()
    await settle()
    await expect(recording.stop()).rejects.toMatchObject({ code: 'bad-message' })
    go()
    await settle()
    expect(told).toEqual([])
    expect(worker.sessions).toMatchObject([{}, { ended: true, continues: 0 }])
  })

  it('and is told twice that it is back goes on once, and again after the next time', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    const isBack = [() => happens('resume'), () => happens('pageshow')]
    const away = [() => happens('pagehide'), () => happens('freeze')]
    const rounds = [
      [...away, ...isBack],
      [away[1], isBack[0]],
      [away[0], isBack[1]],
    ]
    const begun: number[] = []
    for (const events of rounds) {
      FakeRecorder.last.slice('some')
      for (const happen of events) happen?.()
      await settle()
      begun.push(worker.sessions.length)
    }
    FakeRecorder.last.slice('more')
    await recording.stop()
    expect(begun).toEqual([2, 3, 4])
    expect(worker.sessions.map(({ ended }) => ended)).toEqual([true, true, true, true])
  })

  it('and was frozen goes on though its old recorder never says that it has stopped', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    const old = FakeRecorder.last
    old.slice('header one')
    old.stop = () => void (old.state = 'inactive')
    thaws()
    await settle()
    FakeRecorder.last.slice('header two')
    await vi.advanceTimersByTimeAsync(70_000)
    expect(worker.sessions).toMatchObject([
      { text: ['header one'], how: 'interrupted' },
      { text: ['header two'], continues: 0 },
    ])
    // It does after all: no reason to end what goes on.
    old.slice('late')
    await settle()
    FakeRecorder.last.slice('three')
    await recording.stop()
    expect(worker.sessions).toMatchObject([
      { text: ['header one'], how: 'interrupted' },
      { text: ['header two', 'three', 'the rest'], how: 'complete' },
      { text: ['late'], how: 'interrupted', continues: 0 },
    ])
  })

  it.each([
    ['while another camera is being opened', false],
    ['once the next one runs', true],
  ])('and was frozen goes on though its old recorder fails %s', async (_when, isLate) => {
    const worker = fakeWorker()
    const camera = new FakeTrack('video')
    let open = (_stream: MediaStream) => {}
    const recording = record(worker.begin(), streamOf(camera), 'video/webm', {
      reopen: () => new Promise<MediaStream>((resolve) => (open = resolve)),
    })
    const old = FakeRecorder.last
    old.slice('header one')
    camera.readyState = 'ended'
    thaws()
    const fails = () => {
      old.dispatchEvent(Object.assign(new Event('error'), { error: new DOMException('', 'EncodingError') }))
      old.stop()
    }
    if (!isLate) fails()
    open(streamOf(new FakeTrack('video')))
    await settle()
    if (isLate) fails()
    await settle()
    expect(FakeRecorder.last).not.toBe(old)
    expect(FakeRecorder.last.state).toBe('recording')
    FakeRecorder.last.slice('header two')
    await recording.stop()
    expect(worker.sessions).toMatchObject([
      { text: ['header one', 'the rest'], how: 'interrupted' },
      { text: ['header two', 'the rest'], how: 'complete', continues: 0 },
    ])
  })

  it('and is shown for the first time is no page that comes back', async () => {
    const worker = fakeWorker()
    const recording = record(worker.begin(), stream, 'video/webm')
    happens('pageshow')
    await settle()
    await recording.stop()
    thaws()
    await settle()
    expect(worker.sessions).toHaveLength(1)
  })

  it('and learns that its session was lost meanwhile goes on all the same', async () => {
    const worker = fakeWorker()
    const told: Continued[] = []
    const recording = record(worker.begin(), stream, 'video/webm', { onContinued: (now) => told.push(now) })
    FakeRecorder.last.slice('header one')
    await settle()
    Object.assign(worker.sessions[0] ?? {}, { known: false })
    thaws()
    await settle()
    FakeRecorder.last.slice('header two')
    await recording.stop()
    const kept = worker.sessions.filter(({ known }) => known).map(({ text }) => text)
    expect(kept).toContainEqual(['the rest'])
    expect(kept).toContainEqual(['header two', 'the rest'])
    expect(worker.sessions.filter(({ known, ended }) => known && !ended)).toEqual([])
    expect(told).toMatchObject([{ before: undefined }])
  })

  it('and has lost its camera meanwhile goes on with another, where the app gives one', async () => {
    const worker = fakeWorker()
    const [gone, other] = [new FakeTrack('video'), new FakeTrack('video')]
    const sources: SourceState[] = []
    const recording = record(worker.begin(), streamOf(gone), 'video/webm', {
      reopen: async () => streamOf(other),
      onProgress: ({ source }) => sources.push(source),
    })
    // Both are told in the order in which they are found, once it runs again.
    gone.readyState = 'ended'
    thaws()
    FakeRecorder.last.stop()
    await settle()
    expect(FakeRecorder.last.state).toBe('recording')
    expect(sources.at(-1)).toEqual({ video: 'live', audio: 'none' })
    other.becomes('mute')
    expect(sources.at(-1)).toEqual({ video: 'muted', audio: 'none' })
    await recording.stop()
    expect(worker.sessions).toMatchObject([{ ended: true }, { ended: true, continues: 0 }])
  })

  it('and has lost its camera alone goes on with another, or with the sound where there is none', async () => {
    for (const [another, picture] of [
      [new FakeTrack('video'), 'live'],
      [undefined, 'lost'],
    ] as const) {
      const [gone, microphone] = [new FakeTrack('video'), new FakeTrack('audio')]
      const sources: SourceState[] = []
      const worker = fakeWorker()
      const recording = record(worker.begin(), streamOf(gone, microphone), 'video/webm', {
        reopen: () =>
          another ? Promise.resolve(streamOf(another, microphone)) : Promise.reject(new Error()),
        onProgress: ({ source }) => sources.push(source),
      })
      gone.becomes('ended')
      thaws()
      await settle()
      expect(FakeRecorder.last.state).toBe('recording')
      expect(sources.at(-1)).toEqual({ video: picture, audio: 'live' })
      await recording.stop()
      expect(worker.sessions.map(({ how }) => how)).toEqual([
        'interrupted',
        another ? 'complete' : 'interrupted',
      ])
    }
  })

  it('and is stopped while another camera is being opened is over, and leaves no camera on', async () => {
    const [gone, late] = [new FakeTrack('video'), new FakeTrack('video')]
    const { session, ends } = fakeSession()
    let open = (_stream: MediaStream) => {}
    const recording = record(session, streamOf(gone), 'video/webm', {
      reopen: () => new Promise<MediaStream>((resolve) => (open = resolve)),
    })
    gone.readyState = 'ended'
    thaws()
    FakeRecorder.last.stop()
    await settle()
    await recording.stop()
    expect(ends).toEqual(['interrupted'])
    open(streamOf(late))
    await settle()
    expect(late.readyState).toBe('ended')
    expect(FakeRecorder.last.state).toBe('inactive')
  })

  it.each([
    ['has none to give', {}],
    ['cannot', { reopen: () => Promise.reject(new DOMException('No', 'NotAllowedError')) }],
    ['cannot even be asked', { reopen: () => (undefined as unknown as MediaDevices).getUserMedia() }],
    ['gives nothing', { reopen: () => undefined as unknown as Promise<MediaStream> }],
  ])('and has lost its camera meanwhile is over where the app %s', async (_what, options: RecordOptions) => {
    const camera = new FakeTrack('video')
    const { session, ends } = fakeSession()
    const recording = record(session, streamOf(camera), 'video/webm', options)
    camera.readyState = 'ended'
    thaws()
    await recording.finished
    expect(ends).toEqual(['interrupted'])
  })
})

/** A history of a recording: what happens to its page, its source and its worker, by chance, until it is stopped. */
async function randomRecording(seed: number) {
  const { pick, chance, between } = seeded(seed)
  const worker = fakeWorker()
  const opened: FakeTrack[][] = []
  let letOpen = () => {}
  const open = () => {
    const tracks = [new FakeTrack('video'), new FakeTrack('audio')]
    opened.push(tracks)
    return streamOf(...tracks)
  }
  const reopen = async () => {
    if (chance(0.5)) await new Promise<void>((resolve) => (letOpen = resolve))
    if (chance(0.2)) throw new DOMException('Denied', 'NotAllowedError')
    return open()
  }
  const recording = record(worker.begin(), open(), 'video/webm', {
    whenSourceLost: pick(['go-on', 'end']),
    maxWaitingBytes: pick([30, 1_000_000]),
    chunkMs: pick([0, 5_000]),
    reopen: chance(0.5) ? reopen : undefined,
  })
  const recorders = new Set<FakeRecorder>()
  const slices: string[] = []
  const lastTracks = () => opened.at(-1)!
  const stop = () => void recording.stop().catch(() => undefined)
  const happenings = {
    slice() {
      const { last } = FakeRecorder
      if (last.state !== 'recording') return
      recorders.add(last)
      last.rest = `${recorders.size}.rest;`
      slices.push(`${recorders.size}.${slices.length};`)
      last.slice(slices.at(-1)!)
    },
    isFrozen: () => happens('freeze'),
    runsAgain: () => happens('resume'),
    isPutAsideForBack: () => void (happens('pagehide'), thaws(), happens('pageshow')),
    isHidden() {
      fakePage.hidden = true
      happens('visibilitychange')
    },
    losesATrack: () => pick(lastTracks()).becomes('ended'),
    losesItsPermission() {
      for (const track of lastTracks()) track.becomes('ended')
      FakeRecorder.last.stop()
    },
    opensAnother: () => letOpen(),
    workerAnswersNothing: () => worker.hold(),
    workerAnswers: () => worker.release(),
    workerLosesASession() {
      const session = pick(worker.sessions)
      session.known = session.ended
    },
    timePasses: () => vi.advanceTimersByTimeAsync(pick([500, 3_000, 70_000])),
    isStopped: stop,
  }
  const happened: string[] = []
  for (let count = between(3, 16); count > 0; count--) {
    const name = pick(['slice', 'slice', ...Object.keys(happenings)]) as keyof typeof happenings
    happened.push(name)
    await happenings[name]()
    if (chance(0.7)) await vi.advanceTimersByTimeAsync(0)
  }
  letOpen()
  worker.release()
  happens('resume')
  stop()
  await vi.advanceTimersByTimeAsync(200_000)
  // So it says where the worker has lost the last one and nothing is left to hand over.
  await recording.finished.catch((error: unknown) => expect(error).toMatchObject({ code: 'unknown-session' }))
  const texts = worker.sessions.map(({ known, text }) => (known ? text.join('') : ''))
  const lost = worker.sessions.flatMap(({ known, text }) => (known ? [] : text)).join('')
  return {
    happened,
    sessions: worker.sessions,
    opened,
    slices,
    texts,
    lost,
    unsaved: recording.unsavedRuns(),
  }
}

describe('a page that records, whatever happens to it', () => {
  it('loses no slice that no session was lost with, ends each session, and leaves no camera on', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const { happened, sessions, opened, slices, texts, lost, unsaved } = await randomRecording(seed)
      const kept = texts.join('')
      expect({
        seed,
        happened,
        nowhere: slices.filter((slice) => !kept.includes(slice) && !lost.includes(slice)),
        twice: slices.filter((slice) => kept.split(slice).length > 2),
        unsaved,
        // As neither they would play.
        ofTwoRecorders: texts.filter((text) => new Set(text.match(/\d+(?=\.)/g)).size > 1),
        notEnded: sessions.filter(({ known, ended }) => known && !ended),
        cameras: opened.slice(1).filter((tracks) => tracks.some(({ readyState }) => readyState === 'live')),
      }).toEqual({
        seed,
        happened,
        nowhere: [],
        twice: [],
        unsaved: [],
        ofTwoRecorders: [],
        notEnded: [],
        cameras: [],
      })
      fakePage.hidden = false
    }
  })
})

describe('MP4', () => {
  it('is cut as often as slices are wanted: by key frames', async () => {
    const worker = fakeWorker()
    const options = { timesliceMs: 1_500 }
    await record(worker.begin(), stream, 'video/mp4;codecs=avc1,opus', options).stop()
    expect(FakeRecorder.last.options).toMatchObject({ videoKeyFrameIntervalDuration: 1_500 })
    await record(worker.begin(), stream, 'video/webm', options).stop()
    expect(FakeRecorder.last.options).toMatchObject({ videoKeyFrameIntervalDuration: 2_000 })
  })
})

// Promise "an honest source" of docs/guarantees.md.
describe('a source', () => {
  function recorded(options: RecordOptions = {}) {
    const [camera, microphone] = [new FakeTrack('video'), new FakeTrack('audio')]
    const told: SourceState[] = []
    const { session, ends, notes } = fakeSession()
    const recording = record(session, streamOf(camera, microphone), 'video/webm', {
      ...options,
      onProgress: ({ source }) => told.push(source),
    })
    return { camera, microphone, told, ends, notes, recording }
  }

  // Promise 1 of docs/guarantees.md.
  it('is written into the recording, where it is, with each of its changes', async () => {
    const { camera, microphone, notes, recording } = recorded()
    FakeRecorder.last.slice('one')
    await settle()
    camera.becomes('mute')
    camera.becomes('unmute')
    microphone.becomes('ended')
    FakeRecorder.last.slice('two')
    await recording.stop()
    const source = (video: string, audio: string) => ({ holdfast: 'source', video, audio })
    expect(notes).toEqual([
      { after: 1, value: source('muted', 'live') },
      { after: 1, value: source('live', 'live') },
      { after: 1, value: source('live', 'lost') },
    ])
  })

  it('that is lost with its recording is written before the end', async () => {
    const { camera, microphone, notes, recording } = recorded()
    camera.readyState = microphone.readyState = 'ended'
    FakeRecorder.last.stop()
    await recording.finished
    expect(notes.map(({ value }) => value)).toEqual([{ holdfast: 'source', video: 'lost', audio: 'lost' }])
  })

  it('that is a test picture is marked in the recording, once there is something of it', async () => {
    const { notes, recording, microphone } = recorded({ isTestPicture: () => true })
    await settle()
    expect(notes).toEqual([])
    FakeRecorder.last.slice('one')
    await settle()
    expect(notes).toEqual([{ after: 1, value: { holdfast: 'test-picture' } }])
    microphone.enabled = false
    await recording.stop()
  })

  it('of which the app fails to say whether it is a test picture is recorded, and the failure told as uncaught', async () => {
    const uncaught: unknown[] = []
    vi.stubGlobal('queueMicrotask', (work: () => void) => {
      try {
        work()
      } catch (error) {
        uncaught.push(error)
      }
    })
    const worker = fakeWorker()
    const isTestPicture = () => {
      throw new Error('Who knows?')
    }
    const recording = record(worker.begin(), stream, 'video/webm', { isTestPicture })
    FakeRecorder.last.slice('one')
    thaws()
    await settle()
    await recording.stop()
    expect(worker.sessions).toMatchObject([
      { text: ['one', 'the rest'], notes: [], how: 'interrupted' },
      { text: ['the rest'], notes: [{ holdfast: 'continued', after: 'frozen' }], how: 'complete' },
    ])
    expect(uncaught).toMatchObject([{ message: 'Who knows?' }, { message: 'Who knows?' }])
  })

  it('of which the worker takes no note is recorded all the same', async () => {
    const { session, notes, ends } = fakeSession()
    const camera = new FakeTrack('video')
    const refusing = {
      ...session,
      note: async () => Promise.reject(new HoldfastError('bad-message', 'Old.')),
    }
    const recording = record(refusing, streamOf(camera), 'video/webm')
    FakeRecorder.last.slice('one')
    camera.becomes('mute')
    await recording.stop()
    expect([notes, ends]).toEqual([[], ['complete']])
  })

  it('is told at once when it is muted, unmuted or lost', () => {
    const { camera, microphone, told } = recorded()
    camera.becomes('mute')
    expect(told.at(-1)).toEqual({ video: 'muted', audio: 'live' })
    camera.becomes('unmute')
    expect(told.at(-1)).toEqual({ video: 'live', audio: 'live' })
    microphone.becomes('ended')
    expect(told.at(-1)).toEqual({ video: 'live', audio: 'lost' })
    expect(told).toHaveLength(3)
  })

  it('is told within a second where the browser tells nothing', () => {
    const { camera, microphone, told } = recorded()
    camera.readyState = 'ended'
    microphone.enabled = false
    vi.advanceTimersByTime(1_000)
    expect(told).toEqual([{ video: 'lost', audio: 'muted' }])
  })

  it('that is lost leaves the recorder running with what is left, and the recording interrupted', async () => {
    const { camera, recording, ends } = recorded()
    camera.becomes('ended')
    expect(FakeRecorder.last.state).toBe('recording')
    await recording.stop()
    expect(ends).toEqual(['interrupted'])
  })

  it('that is lost ends the recording where the app wants that', async () => {
    const { microphone, recording, ends } = recorded({ whenSourceLost: 'end' })
    microphone.becomes('ended')
    await recording.finished
    expect(ends).toEqual(['interrupted'])
  })

  it('of which nothing is left ends the recording as interrupted', async () => {
    const { camera, microphone, recording, ends } = recorded()
    camera.readyState = microphone.readyState = 'ended'
    vi.advanceTimersByTime(1_000)
    await recording.finished
    expect(ends).toEqual(['interrupted'])
  })

  it('that ends the recorder by itself, as a withdrawn permission does, is interrupted, and told', async () => {
    const { camera, microphone, recording, ends, told } = recorded()
    camera.readyState = microphone.readyState = 'ended'
    FakeRecorder.last.stop()
    await recording.finished
    expect(ends).toEqual(['interrupted'])
    expect(told.at(-1)).toEqual({ video: 'lost', audio: 'lost' })
  })

  it('that was lost just before the end is noticed then', async () => {
    const { microphone, recording, ends, notes } = recorded()
    microphone.readyState = 'ended'
    await recording.stop()
    expect(ends).toEqual(['interrupted'])
    expect(notes).toMatchObject([{ value: { holdfast: 'source', audio: 'lost' } }])
  })

  it('that was muted, or is let go after the end was asked for, leaves the recording complete', async () => {
    const { camera, microphone, recording, ends } = recorded()
    camera.becomes('mute')
    camera.becomes('unmute')
    const stopped = recording.stop()
    for (const track of [camera, microphone]) track.becomes('ended')
    vi.advanceTimersByTime(1_000)
    await stopped
    expect(ends).toEqual(['complete'])
  })

  it('is watched no longer than it is recorded', async () => {
    const { camera, recording, told } = recorded()
    await recording.stop()
    const before = told.length
    camera.becomes('ended')
    expect(told).toHaveLength(before)
    expect(vi.getTimerCount()).toBe(0)
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
