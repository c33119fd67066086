import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Holdfast, RecordingSession } from './api.ts'
import { record } from './capture/record.ts'
import { connect } from './client.ts'
import { HoldfastError } from './protocol/errors.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Envelope } from './protocol/messages.ts'
import { fakeWorker } from './testing.ts'
import { upload } from './upload/upload.ts'

const asked = vi.hoisted(() => [] as Envelope[])
vi.mock('workbox-window/messageSW.js', () => ({
  messageSW: async (_worker: object, envelope: Envelope) => {
    asked.push(envelope)
    return { value: envelope.type === 'sessions' ? [] : {} }
  },
}))

const locks = { request: async (_name: string, _options: object, work: () => Promise<void>) => work() }
const register = async () => Object.assign(new EventTarget(), { active: {}, scope: 'https://app.example/' })

beforeEach(() => {
  vi.stubGlobal('navigator', { serviceWorker: Object.assign(new EventTarget(), { register }), locks })
  vi.stubGlobal('indexedDB', {})
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('addEventListener', () => undefined)
  asked.length = 0
})
afterEach(() => vi.unstubAllGlobals())

const id = '00000000-0000-4000-8000-000000000001' as SessionId
const groups = [{ publicKey: 'ab'.repeat(32) }]
const starting = { groups, mimeType: 'video/webm' }
const blob = new Blob(['a'])
const stream = { getTracks: () => [], getVideoTracks: () => [], getAudioTracks: () => [] } as never
const WAIT = ['signal']

type Call = (of: Holdfast, options: never, session: RecordingSession) => unknown

/** Each call with the options that it takes. */
const CALLS: Readonly<Record<string, readonly [Call, readonly string[]]>> = {
  startSession: [
    (of, options: object) => of.startSession({ ...starting, ...options }),
    'groups mimeType startedAtMs seal stores atLeast metadata labels fingerprint signal'.split(' '),
  ],
  append: [
    (_of, options, session) => session.append(blob, options),
    ['capturedAtMs', 'durationMs', 'onStalled', 'signal'],
  ],
  note: [(_of, options, session) => session.note({}, options), ['atMs', 'signal']],
  end: [(_of, options, session) => session.end(options), ['how', 'signal']],
  sessions: [(of, options) => of.sessions(options), WAIT],
  chunks: [(of, options) => of.chunks(id, options), WAIT],
  bytes: [(of, options) => of.bytes(id, 0, options), WAIT],
  log: [(of, options) => of.log(id, options), WAIT],
  watch: [(of, options) => of.watch(options)[Symbol.asyncIterator]().next(), ['onStalled', 'signal']],
  pause: [(of, options) => of.pause(id, options), WAIT],
  resume: [(of, options) => of.resume(id, options), WAIT],
  adopt: [(of, options) => of.adopt(id, options), WAIT],
  policy: [(of, options) => of.policy(options), WAIT],
  setPolicy: [(of, options) => of.setPolicy('always', options), WAIT],
  discard: [(of, options) => of.discard(id, options), ['confirm', 'signal']],
  capabilities: [(of, options) => of.capabilities(options), WAIT],
  upload: [
    (of, options: object) => upload(of, blob, { groups, ...options }).done,
    'groups metadata labels stores atLeast mimeType partBytes onProgress signal'.split(' '),
  ],
  'cancel, of an upload': [
    (of, options) => upload(of, blob, { groups }).cancel(options),
    ['confirm', 'signal'],
  ],
}

const PAGES = {
  'the page': () => connect({ scriptUrl: '/sw.js' }),
  'a test’s worker': async () => fakeWorker().connect(),
}

const failureOf = (call: () => unknown): Promise<unknown> =>
  (async () => call())().then(
    (value) => ({ value }),
    (error: unknown) => error,
  )

const expectRefused = (failed: unknown, name: string, allowed: readonly string[]) => {
  expect(failed).toBeInstanceOf(HoldfastError)
  expect(failed).toMatchObject({ code: 'bad-input' })
  const { message } = failed as Error
  expect(message).toMatch(new RegExp(`^${name}: `))
  expect(message.match(/[\w-]+/g)).toEqual(expect.arrayContaining([...allowed]))
}

// Promise 1 of docs/guarantees.md.
describe.each(Object.entries(PAGES))('of %s', (_page, open) => {
  describe.each(Object.entries(CALLS))('%s', (_call, [call, allowed]) => {
    it('refuses an option that there is not, names those that there are, and does nothing', async () => {
      const holdfast = await open()
      const session = await holdfast.startSession(starting)
      asked.length = 0
      const failed = await failureOf(() => call(holdfast, { singal: undefined } as never, session))
      expectRefused(failed, 'singal', allowed)
      expect(asked).toEqual([])
    })
  })
})

const RECORD =
  'timesliceMs chunkMs videoBitsPerSecond maxWaitingBytes whenSourceLost isTestPicture keepAwake reopen onContinued onProgress'
const CONNECT = 'scriptUrl type scope onUpdate timeoutMs signal'

it('connect() refuses an option that there is not, and names those that there are', async () => {
  const misspelt = { scriptUrl: '/sw.js', scriptURL: '/sw.js' }
  expectRefused(await failureOf(() => connect(misspelt)), 'scriptURL', CONNECT.split(' '))
})

it('record() refuses an option that there is not, and what a source that is lost cannot do', async () => {
  const session = await fakeWorker().connect().startSession(starting)
  const begin = (options: object) => failureOf(() => record(session, stream, 'video/webm', options))
  expectRefused(await begin({ timeSliceMs: 500 }), 'timeSliceMs', RECORD.split(' '))
  expectRefused(await begin({ whenSourceLost: 'End' }), 'whenSourceLost', ['go-on', 'end'])
})

it.each([null, undefined])('%s are no options, and no failure', async (none) => {
  const session = await (await connect({ scriptUrl: '/sw.js' })).startSession(starting)
  await session.note({}, none as undefined)
  await session.end(none as undefined)
})

/** Each option of which there are few values, with one that is none of them. */
const WRONG: Readonly<Record<string, readonly [Call, object, readonly string[]]>> = {
  'startSession, seal': [CALLS['startSession']![0], { seal: 'Worker' }, ['page', 'worker']],
  'startSession, no seal': [CALLS['startSession']![0], { seal: null }, ['page', 'worker']],
  'startSession, atLeast': [CALLS['startSession']![0], { atLeast: 0 }, ['1', '8']],
  'startSession, atLeast as a text': [CALLS['startSession']![0], { atLeast: '2' }, ['1', '8']],
  'upload, atLeast': [CALLS['upload']![0], { atLeast: 1.5 }, ['1', '8']],
  end: [CALLS['end']![0], { how: 'complete' }, ['interrupted']],
}

describe.each(Object.entries(PAGES))('of %s', (_page, open) => {
  it.each(Object.entries(WRONG))(
    '%s: says what is allowed, and does nothing, where it is given something else',
    async (_call, [call, options, allowed]) => {
      const holdfast = await open()
      const session = await holdfast.startSession(starting)
      asked.length = 0
      const failed = await failureOf(() => call(holdfast, options as never, session))
      expectRefused(failed, Object.keys(options).join(), allowed)
      expect(asked).toEqual([])
    },
  )

  it('takes the session’s end after one that was refused', async () => {
    const session = await (await open()).startSession(starting)
    await failureOf(() => session.end({ how: 'complete' as never }))
    await expect(session.append(blob)).resolves.toMatchObject({ index: 0 })
  })
})

it('connect() says of what type a worker may be', async () => {
  const failed = await failureOf(() => connect({ scriptUrl: '/sw.js', type: 'Module' as never }))
  expectRefused(failed, 'type', ['module', 'classic'])
})
