import { describe, expect, it } from 'vitest'
import { openFormat1, format1Sessions } from './format-1.ts'
import { groupIdOf, groupOf } from './group.ts'
import { carFile, folder } from './node/sources.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { RecordingSession } from './api.ts'
import { record } from './capture/record.ts'
import { roomFor, roomUpTo, storageForecast, watchForLoss } from './storage/index.ts'
import { snapshotStore } from './store.ts'
import { fakeWorker } from './testing.ts'
import { upload } from './upload/upload.ts'
import { car } from './verify/car.ts'
import {
  anchorHead,
  formatLink,
  keyText,
  listSessions,
  openInSteps,
  openSession,
  parseKey,
  parseLink,
} from './verify/index.ts'

type Call = (given: never) => unknown

const NONE = [undefined, null, 5, 'text', {}, []]
const name = 'ab'.repeat(32)
const groupKey = new Uint8Array(32).fill(7)
const chain = { rpcUrl: 'http://127.0.0.1:9/', registry: `0x${'ab'.repeat(20)}` }
const reading = { name, groupKey, chain, gateway: 'http://127.0.0.1:9' }
const listing = { chain, group: { publicKey: name } }
const recording = { append: async () => undefined } as unknown as RecordingSession
const stream = {
  getTracks: () => [],
  getVideoTracks: () => [],
  getAudioTracks: () => [],
} as unknown as MediaStream
const onLost = () => undefined
const wrong = (base: object, field: string, values: readonly unknown[]) =>
  values.map((value): [string, unknown] => [`${field}: ${shown(value)}`, { ...base, [field]: value }])
const plain = (values: readonly unknown[]) => values.map((value): [string, unknown] => [shown(value), value])
const shown = (value: unknown) =>
  value instanceof Uint8Array ? `${value.length} bytes` : `${JSON.stringify(value)}`
const OPENING = [
  ...plain(NONE),
  ...wrong(reading, 'name', NONE),
  ...wrong(reading, 'groupKey', [...NONE, new Uint8Array(31), new Uint8Array(33), 'ab'.repeat(32)]),
  ...wrong(reading, 'chain', NONE),
  ...wrong(reading, 'chain', [
    { ...chain, registry: undefined },
    { ...chain, rpcUrl: 5 },
    { ...chain, rpcUrl: 'ftp://a' },
  ]),
  ...wrong(reading, 'chain', [
    { ...chain, registry: 5, rpcUrls: [] },
    { registry: chain.registry, rpcUrls: 'http://a' },
    { registry: chain.registry, rpcUrls: [5] },
  ]),
  ...wrong(reading, 'gateway', [null, undefined, 5, 'text', {}, [5]]),
  ...wrong(reading, 'sources', [null, 5, 'text', {}, [5], [{}], [null]]),
  ...wrong(reading, 'timeoutMs', [null, 0, -1, NaN, 'text', {}]),
  ...wrong(reading, 'cidProfile', [5, 'text', {}, []]),
  ...wrong(reading, 'seen', [null, 5, 'text', {}]),
  ...wrong({ ...reading, chain: undefined }, 'head', [null, 5, 'text', {}, [], new Uint8Array(3)]),
] as const

const starting = { groups: [{ publicKey: name }], mimeType: 'video/webm' }
const STARTING = [
  ...plain(NONE),
  ...wrong(starting, 'groups', [...NONE, [{ publicKey: 'ab' }]]),
  ...wrong(
    starting,
    'mimeType',
    [...NONE, ''].filter((value) => value !== 'text'),
  ),
  ...wrong(starting, 'metadata', [null, 5, 'text', [], { at: NaN }]),
  ...wrong(starting, 'labels', [null, 5, 'text', [], { a: 5 }]),
  ...wrong(starting, 'mimetype', ['video/webm']),
]
const fakeSession = () => fakeWorker().connect().startSession(starting)

const TABLE: readonly (readonly [string, Call, readonly (readonly [string, unknown])[]])[] = [
  ['openSession', openSession as Call, OPENING],
  ['openInSteps', ((given: never) => openInSteps(given).next()) as Call, OPENING],
  [
    'listSessions',
    listSessions as Call,
    [
      ...plain(NONE),
      ...wrong(listing, 'chain', NONE),
      ...wrong(listing, 'group', [
        ...NONE,
        { publicKey: 5 },
        { privateKey: new Uint8Array(31) },
        { privateKey: name },
      ]),
      ...wrong(listing, 'limit', [null, 0, 1.5, 'text', {}]),
      ...wrong(listing, 'agree', [null, 0, 2, 'text']),
      ...wrong(listing, 'after', [5, 'text', { before: 'a' }, { before: -1 }]),
      ...wrong(listing, 'timeoutMs', [null, 0, NaN, 'text']),
    ],
  ],
  [
    'anchorHead',
    anchorHead as Call,
    [...plain(NONE), ...wrong({ chain, relay: { url: 'http://127.0.0.1:9' } }, 'head', NONE)],
  ],
  [
    'parseLink',
    parseLink as Call,
    plain([undefined, null, 5, {}, [], '', 'text', '#holdfast=1', `#holdfast=2&name=${name}&key=a`]),
  ],
  ['parseKey', parseKey as Call, plain([undefined, null, 5, {}, [], '', 'text', 'ab', new Uint8Array(32)])],
  ['keyText', keyText as Call, plain([undefined, null, 5, 'text', {}, [], new Uint8Array(31)])],
  [
    'formatLink',
    ((given: never) => formatLink('https://a.example', given)) as Call,
    [
      ...plain(NONE),
      ...wrong({ name, rpcUrls: [], gateways: [] }, 'rpcUrls', [undefined, null, 5]),
      ...wrong({ name, rpcUrls: [], gateways: [] }, 'gateways', [undefined, null, 5]),
      ...wrong({ name, rpcUrls: [], gateways: [] }, 'name', NONE),
      ...wrong({ name, rpcUrls: [], gateways: [] }, 'groupKey', [null, 5, 'text', new Uint8Array(31)]),
    ],
  ],
  ['groupOf', groupOf as Call, plain([...NONE, new Uint8Array(31), name])],
  ['groupIdOf', groupIdOf as Call, plain([...NONE, { publicKey: 'AB'.repeat(32) }])],
  [
    'openFormat1',
    ((given: never) => openFormat1('https://app.example/', 'id', given).next()) as Call,
    plain([...NONE, new Uint8Array(31), new Uint8Array(33)]),
  ],
  [
    'openFormat1, id',
    ((given: never) => openFormat1('https://app.example/', given, groupKey).next()) as Call,
    plain([undefined, null, 5, {}]),
  ],
  [
    'openFormat1, scope',
    ((given: never) => openFormat1(given, 'id', groupKey).next()) as Call,
    plain([undefined, null, 5, {}]),
  ],
  ['format1Sessions', format1Sessions as Call, plain([undefined, null, 5, {}])],
  ['car', car as Call, plain(NONE)],
  ['folder', folder as Call, plain([undefined, null, 5, {}])],
  ['carFile', carFile as Call, plain([undefined, null, 5, {}])],
  ['roomFor', roomFor as Call, plain([undefined, null, -1, NaN, 'text', {}])],
  [
    'roomUpTo',
    ((given: never) => roomUpTo(given, 100, async () => true)) as Call,
    plain([undefined, null, 0, -1, NaN, 'text', {}]),
  ],
  [
    'roomUpTo, most',
    ((given: never) => roomUpTo(1, given, async () => true)) as Call,
    plain([undefined, null, NaN, 'text', {}]),
  ],
  ['record', ((given: never) => record(given, stream, 'video/webm')) as Call, plain(NONE)],
  ['record, stream', ((given: never) => record(recording, given, 'video/webm')) as Call, plain(NONE)],
  [
    'record, mimeType',
    ((given: never) => record(recording, stream, given)) as Call,
    plain([...NONE, ''].filter((value) => value !== 'text')),
  ],
  [
    'record, options',
    ((given: never) => record(recording, stream, 'video/webm', given)) as Call,
    [
      ...wrong({}, 'timesliceMs', [-1, NaN, 'text', {}]),
      ...wrong({}, 'chunkMs', [-1, NaN, 'text', {}]),
      ...wrong({}, 'maxWaitingBytes', [-1, NaN, 'text', {}]),
      ...wrong({}, 'timeSliceMs', [500]),
    ],
  ],
  ['watchForLoss', ((given: never) => watchForLoss(given, { onLost })) as Call, plain(NONE)],
  [
    'watchForLoss, options',
    ((given: never) => watchForLoss(fakeWorker().connect(), given)) as Call,
    [...plain(NONE), ...wrong({}, 'onLost', NONE), ...wrong({ onLost }, 'onlost', [onLost])],
  ],
  [
    'storageForecast',
    storageForecast as Call,
    [...plain(NONE), ...wrong({ sessions: [] }, 'triedbytes', [5])],
  ],
  ['snapshotStore', snapshotStore as Call, plain(NONE)],
  [
    'snapshotStore, onError',
    ((given: never) => snapshotStore(fakeWorker().connect(), given)) as Call,
    plain(NONE.slice(1)),
  ],
  [
    'fakeWorker, startSession',
    ((given: never) => fakeWorker().connect().startSession(given)) as Call,
    STARTING,
  ],
  [
    'fakeWorker, note',
    (async (given: never) => (await fakeSession()).note(given)) as Call,
    plain(NONE.slice(0, 4)),
  ],
  [
    'upload',
    ((given: never) => upload(given, new Blob(['a']), { groups: [{ publicKey: name }] }).done) as Call,
    plain(NONE),
  ],
]

describe.each(TABLE)('%s', (_name, call, inputs) => {
  it.each(inputs)('says what is wrong with %s', async (_what, given) => {
    const failed: unknown = await (async () => call(given as never))().then(
      (value) => ({ value }),
      (error: unknown) => error,
    )
    expect(isHoldfastError(failed, 'bad-input'), `${String(failed)} ${JSON.stringify(failed)}`).toBe(true)
    expect((failed as Error).message).not.toMatch(/undefined|is not a function|read propert/)
  })
})
