import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import type {
  AppendOptions,
  ConnectOptions,
  DiscardOptions,
  EndOptions,
  Holdfast,
  NoteOptions,
  RecordingSession,
  SessionOptions,
  WatchOptions,
} from './api.ts'
import { record, type RecordOptions } from './capture/record.ts'
import { connect } from './client.ts'
import type { Source } from './elements/camera.ts'
import { HoldfastError } from './protocol/errors.ts'
import type { SessionId } from './protocol/ids.ts'
import type { Envelope } from './protocol/messages.ts'
import type { ForecastOptions, LossOptions } from './storage/index.ts'
import { fakeWorker } from './testing.ts'
import { upload, type UploadOptions } from './upload/upload.ts'

const asked = vi.hoisted(() => [] as Envelope[])
vi.mock('workbox-window/messageSW.js', () => ({
  messageSW: async (_worker: object, envelope: Envelope) => {
    // A browser posts no function, and no proxy.
    asked.push(structuredClone(envelope))
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

it.each(['isTestPicture', 'reopen', 'onContinued', 'onProgress'])(
  'record() refuses what is no function as %s before it begins',
  async (name) => {
    const session = await fakeWorker().connect().startSession(starting)
    const failed = await failureOf(() => record(session, stream, 'video/webm', { [name]: {} }))
    expectRefused(failed, name, ['function'])
  },
)

it.each([null, undefined])('%s are no options, and no failure', async (none) => {
  const session = await (await connect({ scriptUrl: '/sw.js' })).startSession(starting)
  await session.note({}, none as undefined)
  await session.end(none as undefined)
})

/** Each option of which there are few values, with one that is none of them. */
const WRONG: Record<string, readonly [Call, object, readonly string[]]> = {
  'startSession, seal': [CALLS['startSession']![0], { seal: 'Worker' }, ['page', 'worker']],
  'startSession, no seal': [CALLS['startSession']![0], { seal: null }, ['page', 'worker']],
  'startSession, atLeast': [CALLS['startSession']![0], { atLeast: 0 }, ['1', '8']],
  'startSession, atLeast as a text': [CALLS['startSession']![0], { atLeast: '2' }, ['1', '8']],
  'upload, atLeast': [CALLS['upload']![0], { atLeast: 1.5 }, ['1', '8']],
  end: [CALLS['end']![0], { how: 'complete' }, ['interrupted']],
  discard: [CALLS['discard']![0], { confirm: 'yes' }, ['discard-unconfirmed']],
  'startSession, no stores': [CALLS['startSession']![0], { stores: [] }, ['1', '8']],
  'startSession, nine stores': [CALLS['startSession']![0], { stores: [...'abcdefghi'] }, ['1', '8']],
  'startSession, a hole in stores': [CALLS['startSession']![0], { stores: Array(2) }, ['1', '8']],
  'startSession, a store’s address': [CALLS['startSession']![0], { stores: ['a'.repeat(65)] }, ['64']],
  'startSession, fingerprint': [CALLS['startSession']![0], { fingerprint: 'AB'.repeat(32) }, ['64']],
  'startSession, one store by itself': [CALLS['startSession']![0], { stores: 'ipfs' }, ['1', '8']],
  'startSession, stores by name': [CALLS['startSession']![0], { stores: { ipfs: true } }, ['1', '8']],
  'upload, stores': [CALLS['upload']![0], { stores: [] }, ['1', '8']],
  'append, onStalled': [CALLS['append']![0], { onStalled: {} }, ['function']],
  'watch, onStalled': [CALLS['watch']![0], { onStalled: 'told' }, ['function']],
  'upload, onProgress': [CALLS['upload']![0], { onProgress: null }, ['function']],
}
// The controller in its signal's place is an easy mistake.
for (const [name, [call]] of Object.entries(CALLS))
  WRONG[`${name}, signal`] = [call, { signal: new AbortController() }, ['AbortSignal']]

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

it('connect() says what is no function', async () => {
  const failed = await failureOf(() => connect({ scriptUrl: '/sw.js', onUpdate: {} as never }))
  expectRefused(failed, 'onUpdate', ['function'])
})

it('connect() says what a signal is', async () => {
  const failed = await failureOf(() =>
    connect({ scriptUrl: '/sw.js', signal: new AbortController() as never }),
  )
  expectRefused(failed, 'signal', ['AbortSignal'])
})

const session = { id, name: 'ab'.repeat(32) }
const NO_IDS = [
  undefined,
  null,
  5,
  '',
  'text',
  session.name,
  id.replaceAll('-', ''),
  `${id}/0`,
  session,
  [id],
]
type OfSession = (of: Holdfast, id: SessionId) => Promise<unknown>
const OF_SESSION: Readonly<Record<string, OfSession>> = {
  chunks: (of, id) => of.chunks(id),
  bytes: (of, id) => of.bytes(id, 0),
  log: (of, id) => of.log(id),
  pause: (of, id) => of.pause(id),
  resume: (of, id) => of.resume(id),
  adopt: (of, id) => of.adopt(id),
  discard: (of, id) => of.discard(id),
}

// Promise 1 of docs/guarantees.md.
describe.each(Object.entries(PAGES))('of %s', (_page, open) => {
  it.each(Object.entries(OF_SESSION))('%s: says what an id is, and asks nothing', async (_call, call) => {
    const holdfast = await open()
    asked.length = 0
    for (const none of NO_IDS)
      expectRefused(await failureOf(() => call(holdfast, none as never)), 'sessionId', [])
    expect(asked).toEqual([])
  })

  it.each([undefined, null, -1, 0.5, NaN, Infinity, {}, '0', [[0]]])(
    'bytes: says that %s is no index',
    async (index) => {
      const holdfast = await open()
      expectRefused(await failureOf(() => holdfast.bytes(id, index as never)), 'index', [])
    },
  )

  it.each([undefined, null, 5, '', 'Always', {}])(
    'setPolicy: %s sets none, and is told with those that there are',
    async (policy) => {
      const holdfast = await open()
      asked.length = 0
      const failed = await failureOf(() => holdfast.setPolicy(policy as never))
      expectRefused(failed, 'policy', ['always', 'unmetered', 'paused'])
      expect(asked).toEqual([])
    },
  )

  // One that is right is under way for as long as a store takes.
  const answered = Object.entries(CALLS).filter(([name]) => name !== 'upload')
  it.each(answered)('%s: an option that is undefined is none', async (_call, [call, allowed]) => {
    const holdfast = await open()
    const session = await holdfast.startSession(starting)
    const fixed = new Set(['groups', 'mimeType'])
    const none = allowed.filter((name) => !fixed.has(name)).map((name) => [name, undefined])
    const plainly = await failureOf(() => call(holdfast, {} as never, session))
    const given = await failureOf(() => call(holdfast, Object.fromEntries(none) as never, session))
    expect(Object(given).message).toBe(Object(plainly).message)
  })
})

/** As Vue and Svelte make of what a component holds. */
function reactive<Given extends object>(given: Given): Given {
  return new Proxy(given, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'object' && value !== null ? reactive(value) : value
    },
  })
}

it('takes what a framework has made proxies of, as it is when it is given', async () => {
  const holdfast = await connect({ scriptUrl: '/sw.js' })
  asked.length = 0
  const given = reactive({
    ...starting,
    stores: ['ipfs', 'tus'],
    atLeast: 1,
    labels: { tenant: 'a7' },
    metadata: { visit: { room: [12] } },
  })
  const started = holdfast.startSession(given)
  given.stores.push('put')
  await (await started).note(reactive({ marks: [{ at: 1 }] }))
  const [start] = asked.flatMap((each) => (each.type === 'session-start' ? [each.session] : []))
  expect(start).toMatchObject({ stores: ['ipfs', 'tus'], atLeast: 1, labels: { tenant: 'a7' } })
  expect(asked.map(({ type }) => type)).toContain('note')
})

/** The same options in an app whose compiler tells one that is undefined from one that is absent. */
type Loose<Options> = {
  readonly [Name in keyof Options]: Options[Name] | (object extends Pick<Options, Name> ? undefined : never)
}

it('has types that say that an option which is undefined is none', () => {
  expectTypeOf<Loose<ConnectOptions>>().toExtend<ConnectOptions>()
  expectTypeOf<Loose<SessionOptions>>().toExtend<SessionOptions>()
  expectTypeOf<Loose<AppendOptions>>().toExtend<AppendOptions>()
  expectTypeOf<Loose<NoteOptions>>().toExtend<NoteOptions>()
  expectTypeOf<Loose<EndOptions>>().toExtend<EndOptions>()
  expectTypeOf<Loose<DiscardOptions>>().toExtend<DiscardOptions>()
  expectTypeOf<Loose<WatchOptions>>().toExtend<WatchOptions>()
  expectTypeOf<Loose<RecordOptions>>().toExtend<RecordOptions>()
  expectTypeOf<Loose<UploadOptions>>().toExtend<UploadOptions>()
  expectTypeOf<Loose<LossOptions>>().toExtend<LossOptions>()
  expectTypeOf<Loose<ForecastOptions>>().toExtend<ForecastOptions>()
  expectTypeOf<Loose<Source>>().toExtend<Source>()
})
