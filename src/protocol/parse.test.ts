import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS, HoldfastError } from './errors.ts'
import { MAX_CHUNK_BYTES, PROTOCOL_VERSION, type Request, type RequestType } from './messages.ts'
import { isOurs, parseRequest } from './parse.ts'

const sessionId = '00000000-0000-4000-8000-000000000001'
const member = { id: `0x${'1'.repeat(64)}`, tag: '7'.repeat(64), sealedKey: 'c'.repeat(160) }
const later = { ...member, id: `0x${'2'.repeat(64)}` }

const start = {
  sessionId,
  publicKey: 'b'.repeat(128),
  signingKey: new ArrayBuffer(138),
  sealingKey: '5'.repeat(64),
  mimeType: 'video/webm',
  startedAtMs: 5,
  access: [member, later],
  seal: 'page',
}
const { privateKey: signingKey } = await crypto.subtle.generateKey(
  { name: 'ECDSA', namedCurve: 'P-256' },
  false,
  ['sign'],
)
const NAME = '9'.repeat(64)
const raw = {
  sessionId,
  index: 0,
  plaintextHash: 'a'.repeat(64),
  capturedAtMs: 1,
  durationMs: 2,
  payload: new Blob(['at least 16 bytes']),
}
const seal = {
  encryptedHash: 'e'.repeat(64),
  iv: 'f'.repeat(24),
  chunkKey: 'd'.repeat(160),
}
const sealed = { ...raw, seal }

const note = { sessionId, index: 999, atMs: 3, sealed: 'ab'.repeat(60_048) }

type Body = Readonly<Record<string, unknown>>

/** One good message of each type; the type leaves none out. */
const MESSAGES: Readonly<Record<RequestType, Body>> = {
  hello: {},
  'session-start': { session: start },
  chunk: { chunk: sealed },
  note,
  'session-end': { sessionId },
  sessions: {},
  chunks: { sessionId },
  bytes: { sessionId, index: 3 },
  log: { sessionId },
  pause: { sessionId },
  resume: { sessionId },
  adopt: { sessionId },
  policy: { policy: 'unmetered' },
  discard: { sessionId, confirm: 'discard-unconfirmed' },
}

const message = (type: string, body: Body = {}) => ({ holdfast: PROTOCOL_VERSION, type, ...body })

/** The code and message with which these data are refused. */
function refusal(data: unknown): HoldfastError {
  try {
    parseRequest(data)
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw new Error(`Another throw than ours: ${String(error)}`, { cause: error })
  }
  throw new Error('It was accepted.')
}
const expectBad = (data: unknown, field: string) =>
  expect(refusal(data)).toMatchObject({
    code: 'bad-message',
    message: expect.stringContaining(`"${field}"`) as unknown,
  })

describe('parseRequest', () => {
  it.each(Object.entries(MESSAGES))('accepts %s', (type, body) => {
    expect(parseRequest(message(type, body))).toEqual({ type, ...body })
  })

  it('accepts what may be left out or added', () => {
    expect(parseRequest(message('discard', { sessionId }))).toEqual({ type: 'discard', sessionId })
    expect(parseRequest(message('chunk', { chunk: raw }))).toEqual({ type: 'chunk', chunk: raw })
    expect(parseRequest(message('policy'))).toEqual({ type: 'policy' })
    expect(parseRequest(message('session-end', { sessionId, indexes: 7, how: 'interrupted' }))).toEqual({
      type: 'session-end',
      sessionId,
      indexes: 7,
      how: 'interrupted',
    })
    const own = { metadata: 'ab'.repeat(60_048), labels: { tenant: 'a7' }, fingerprint: NAME }
    expect(parseRequest(message('session-start', { session: { ...start, ...own } }))).toEqual({
      type: 'session-start',
      session: { ...start, ...own },
    })
    const session = { ...start, seal: 'worker', stores: ['ipfs', 'tus'], atLeast: 1, continues: NAME }
    expect(parseRequest(message('session-start', { session }))).toEqual({ type: 'session-start', session })
  })

  it('leaves behind what the protocol does not define', () => {
    const chunk = { ...sealed, seal: { ...seal, extra: 1 }, extra: 1, access: [{ ...member, extra: 1 }] }
    expect(parseRequest(message('chunk', { chunk, extra: 1 }))).toEqual({ type: 'chunk', chunk: sealed })
    const session = { ...start, access: [{ ...member, privateKey: 1 }, later], privateKey: 1 }
    expect(parseRequest(message('session-start', { session }))).toEqual({
      type: 'session-start',
      session: start,
    })
  })

  it('tells another protocol version from a bad message', () => {
    for (const holdfast of [0, PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1, String(PROTOCOL_VERSION), null])
      expect(refusal({ ...message('hello'), holdfast }).code).toBe('protocol-mismatch')
  })

  it('bounds what the app says of a session', () => {
    for (const [field, wrong] of [
      ['metadata', 'a'.repeat(2 * 60_048 + 1)],
      ['metadata', 5],
      ['labels', { tenant: 5 }],
      ['labels', ['a']],
      ['labels', { tenant: 'x'.repeat(1_024) }],
      ['labels', Object.fromEntries(Array.from({ length: 500 }, (_none, at) => [`name${at}`, '']))],
      ['fingerprint', 'fox.txt'],
    ] as const)
      expectBad(message('session-start', { session: { ...start, [field]: wrong } }), field)
  })

  it('takes of a hello whether the page says it again, where it is a boolean', () => {
    expect(parseRequest(message('hello', { again: true }))).toEqual({ type: 'hello', again: true })
    expectBad(message('hello', { again: 1 }), 'again')
  })

  it.each([undefined, null, 1, 'text', [], new Map(), {}, { type: 'hello' }])('refuses %s', (data) => {
    expectBad(data, 'holdfast')
  })

  it.each([undefined, 'unknown', 'toString', '__proto__', 7, ['hello']])('refuses the type %s', (type) => {
    expectBad({ holdfast: PROTOCOL_VERSION, type }, 'type')
  })
})

/** What is no hex of so many bytes, as the protocol writes it. */
const notHex = (bytes: number) => {
  const good = 'a'.repeat(2 * bytes)
  return [
    good.toUpperCase(),
    good.slice(1),
    `${good}a`,
    `${good}aa`,
    `${good}\n`,
    good.replace('a', 'g'),
    '',
    7,
    [good],
  ]
}
const HEX = notHex(32)
const TIMES = [-1, 1.5, Number.NaN, Infinity, 8.64e15 + 1, '5']
const IDS = [sessionId.toUpperCase(), `${sessionId} `, sessionId.replace('-4', '-1'), 'x', 7, [sessionId]]

/** For each field of a part of a message, what it must not be (missing, apart). */
const CHUNK_FIELDS: Readonly<Record<keyof typeof raw, readonly unknown[]>> = {
  sessionId: IDS.map((id) => (id === sessionId.toUpperCase() ? 'ABCDEF00-0000-4000-8000-000000000001' : id)),
  index: [-1, 0.5, 2 ** 32 - 1, Number.NaN, '0'],
  plaintextHash: HEX,
  capturedAtMs: TIMES,
  durationMs: [...TIMES, 2 ** 32],
  payload: ['bytes', new ArrayBuffer(4), new Uint8Array(4), { size: 4, arrayBuffer: () => 0 }],
}
const SEAL_FIELDS: Readonly<Record<keyof typeof seal, readonly unknown[]>> = {
  encryptedHash: HEX,
  iv: notHex(12),
  chunkKey: notHex(80),
}
const SESSION_FIELDS: Readonly<
  Record<keyof typeof start | 'stores' | 'atLeast' | 'continues', readonly unknown[]>
> = {
  sessionId: CHUNK_FIELDS.sessionId,
  publicKey: notHex(64),
  signingKey: ['key', {}, new Uint8Array(138), new ArrayBuffer(256), signingKey],
  sealingKey: notHex(32),
  mimeType: ['', 'x'.repeat(256), 'é'.repeat(128), 7, ['video/webm']],
  startedAtMs: TIMES,
  access: [
    [],
    {},
    'list',
    [null],
    [member, member],
    [later, member],
    [member, later, member],
    Array.from({ length: 17 }, (_none, at) => ({ ...member, id: `0x${String(at).padStart(64, '0')}` })),
    Array.from({ length: 1_000_000 }),
    Object.assign([member], { length: 2 }),
    Object.assign([], { length: 1 }),
    Object.assign([], { length: 4_000_000_000 }),
  ],
  stores: [
    'ipfs',
    {},
    [7],
    [['ipfs']],
    ['x'.repeat(65)],
    Array.from({ length: 9 }, () => 'ipfs'),
    Object.assign([], { length: 1 }),
    Object.assign([], { length: 4_000_000_000 }),
  ],
  atLeast: [0, -1, 1.5, 9, '1', Number.NaN, null],
  continues: [...HEX, sessionId],
  seal: ['nobody', '', 7, true, ['page']],
}
const MEMBER_FIELDS: Readonly<Record<keyof typeof member, readonly unknown[]>> = {
  id: ['1'.repeat(64), `0x${'1'.repeat(63)}`, `0x${'A'.repeat(64)}`, 7],
  tag: HEX,
  sealedKey: notHex(80),
}

describe('a field that is wrong is named', () => {
  const cases = [
    ...casesOf(CHUNK_FIELDS, (wrong) => message('chunk', { chunk: { ...sealed, ...wrong } })),
    ...casesOf(SEAL_FIELDS, (wrong) =>
      message('chunk', { chunk: { ...sealed, seal: { ...seal, ...wrong } } }),
    ),
    // Without one it is raw.
    ...['sealed', 7, null, [seal]].map((wrong) => ({
      field: 'seal',
      shown: String(wrong),
      data: message('chunk', { chunk: { ...sealed, seal: wrong } }),
    })),
    ...casesOf(SESSION_FIELDS, (wrong) => message('session-start', { session: { ...start, ...wrong } })),
    ...casesOf(MEMBER_FIELDS, (wrong) =>
      message('session-start', { session: { ...start, access: [{ ...member, ...wrong }] } }),
    ),
    ...(['session-end', 'chunks', 'log', 'pause', 'resume', 'discard'] as const).flatMap((type) =>
      casesOf({ sessionId: IDS.slice(1) }, (wrong) => message(type, { sessionId, ...wrong })),
    ),
    ...casesOf(
      {
        sessionId: IDS.slice(1),
        index: [-1, 0.5, 1_000, '0'],
        atMs: TIMES,
        sealed: ['a'.repeat(2 * 60_048 + 1), 7, ['ab']],
      },
      (wrong) => message('note', { ...note, ...wrong }),
    ),
    ...casesOf({ sessionId: IDS.slice(1), index: [-1, 1.5, 2 ** 32 - 1, '1', null] }, (wrong) =>
      message('bytes', { sessionId, index: 0, ...wrong }),
    ),
    ...casesOf({ confirm: ['x'.repeat(65), 7, null] }, (wrong) =>
      message('discard', { sessionId, ...wrong }),
    ),
    ...casesOf(
      { indexes: [-1, 1.5, 2 ** 32 - 1, '1', null], how: ['complete', 'recording', '', null] },
      (wrong) => message('session-end', { sessionId, ...wrong }),
    ),
    ...casesOf({ policy: ['never', '', 7, null, ['paused']] }, (wrong) => message('policy', wrong)),
    ...casesOf({ session: [[], 'x', 7] }, (wrong) => message('session-start', wrong)),
    ...casesOf({ chunk: [[], 'x', 7] }, (wrong) => message('chunk', wrong)),
  ]
  it.each(cases)('$field: $shown', ({ field, data }) => expectBad(data, field))

  function casesOf(fields: Readonly<Record<string, readonly unknown[]>>, build: (wrong: Body) => unknown) {
    const optional = new Set(['confirm', 'policy', 'stores', 'atLeast', 'continues', 'indexes', 'how'])
    return Object.entries(fields).flatMap(([field, values]) =>
      [...(optional.has(field) ? [] : [undefined]), ...values].map((value) => ({
        field,
        shown: Array.isArray(value) ? `a list of ${value.length}` : String(value).slice(0, 30),
        data: build({ [field]: value }),
      })),
    )
  }
})

describe('the largest that fits', () => {
  const taken = (fields: Body) => parseRequest(message('session-start', { session: { ...start, ...fields } }))
  it('is taken', () => {
    const access = Array.from({ length: 16 }, (_none, at) => ({
      ...member,
      id: `0x${String(at).padStart(64, '0')}`,
    }))
    for (const fields of [{ mimeType: 'x'.repeat(255) }, { mimeType: `x${'é'.repeat(127)}` }, { access }])
      expect(taken(fields)).toMatchObject({ session: fields })
    const chunk = { ...sealed, index: 2 ** 32 - 2, durationMs: 2 ** 32 - 1, capturedAtMs: 8.64e15 }
    expect(parseRequest(message('chunk', { chunk }))).toEqual({ type: 'chunk', chunk })
    const indexes = 2 ** 32 - 2
    expect(parseRequest(message('session-end', { sessionId, indexes }))).toMatchObject({ indexes })
  })
})

describe('the size of a chunk', () => {
  const sized = (size: number) =>
    message('chunk', {
      chunk: { ...sealed, payload: Object.defineProperty(new Blob(), 'size', { value: size }) },
    })

  it('may be 64 MiB exactly', () => {
    expect(parseRequest(sized(MAX_CHUNK_BYTES))).toMatchObject({ type: 'chunk' })
    const mebibyte = new Uint8Array(1024 * 1024)
    const payload = new Blob(Array.from({ length: 64 }, () => mebibyte))
    expect(parseRequest(message('chunk', { chunk: { ...raw, payload } }))).toMatchObject({ type: 'chunk' })
  })

  it('may not be a byte more, and is told apart from a malformed message', () => {
    expect(refusal(sized(MAX_CHUNK_BYTES + 1))).toMatchObject({ code: 'chunk-too-large', class: 'refused' })
  })
})

describe('a sealed chunk without room for its tag', () => {
  it('is no ciphertext: no reader would take the entry that listed it', () => {
    const sized = (size: number) => ({ payload: new Blob(['x'.repeat(size)]) })
    expectBad(message('chunk', { chunk: { ...sealed, ...sized(15) } }), 'payload')
    expect(parseRequest(message('chunk', { chunk: { ...sealed, ...sized(16) } }))).toMatchObject({
      type: 'chunk',
    })
    expect(parseRequest(message('chunk', { chunk: { ...raw, ...sized(0) } }))).toMatchObject({
      type: 'chunk',
    })
  })
})

describe('a message that plays tricks', () => {
  const inherits = (own: object, inherited: object) => Object.assign(Object.create(inherited) as object, own)

  it('counts only with its own fields', () => {
    expectBad(inherits({}, message('hello')), 'holdfast')
    expectBad(inherits({ holdfast: PROTOCOL_VERSION }, { type: 'hello' }), 'type')
    expectBad(inherits(message('pause'), { sessionId }), 'sessionId')
    expectBad(inherits(message('chunk'), { chunk: sealed }), 'chunk')
    const { payload, ...rest } = sealed
    expectBad(message('chunk', { chunk: inherits(rest, { payload }) }), 'payload')
    const { access, ...bare } = start
    expectBad(message('session-start', { session: inherits(bare, { access }) }), 'access')
  })

  it('cannot reach a prototype', () => {
    const evil = JSON.parse(
      `{"holdfast":${PROTOCOL_VERSION},"type":"pause","__proto__":{"sessionId":"${sessionId}","polluted":true}}`,
    ) as unknown
    expectBad(evil, 'sessionId')
    const kept = parseRequest({ ...(evil as object), sessionId })
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype)
    expect('polluted' in kept).toBe(false)
    expect('polluted' in {}).toBe(false)
  })

  it('is refused in our terms when reading it throws', () => {
    const explosive = (name: string, body: Body) =>
      Object.defineProperty({ ...body }, name, {
        enumerable: true,
        get: () => {
          throw new TypeError('Gotcha')
        },
      })
    for (const data of [
      explosive('holdfast', message('hello')),
      explosive('type', message('hello')),
      explosive('sessionId', message('pause')),
      message('chunk', { chunk: explosive('payload', sealed) }),
      message('session-start', { session: explosive('access', start) }),
      message('session-start', { session: { ...start, access: [explosive('tag', member)] } }),
      new Proxy({}, { has: () => fail(), getOwnPropertyDescriptor: () => fail(), get: () => fail() }),
    ])
      expect(refusal(data).code).toBe('bad-message')
    function fail(): never {
      throw new TypeError('Gotcha')
    }
  })
})

describe('anything at all', () => {
  const types = Object.keys(MESSAGES)
  const nearly = (good: Body): fc.Arbitrary<unknown> =>
    fc
      .tuple(fc.constantFrom(...Object.keys(good)), fc.anything())
      .map(([field, value]) => Object.assign({}, good, { [field]: value }))
  const anyMessage = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
    fc.record({ holdfast: fc.constant(1), type: fc.constantFrom(...types), session: fc.anything() }),
    nearly(sealed).map((chunk) => message('chunk', { chunk })),
    nearly(seal).map((each) => message('chunk', { chunk: { ...raw, seal: each } })),
    nearly(raw).map((chunk) => message('chunk', { chunk })),
    nearly(start).map((session) => message('session-start', { session })),
    nearly(member).map((each) => message('session-start', { session: { ...start, access: [each] } })),
    nearly(message('discard', { sessionId, confirm: 'x' })),
  )

  it('is either a request or one of our refusals', () => {
    fc.assert(
      fc.property(anyMessage, (data) => {
        let request: Request | undefined
        try {
          request = parseRequest(data)
        } catch (error) {
          expect(error).toBeInstanceOf(HoldfastError)
          expect(ERRORS).toHaveProperty(HoldfastError.from(error).code)
        }
        if (request) expect(types).toContain(request.type)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is parsed the same again from what was parsed', () => {
    fc.assert(
      fc.property(anyMessage, (data) => {
        let request: Request
        try {
          request = parseRequest(data)
        } catch {
          return
        }
        expect(parseRequest({ ...request, holdfast: PROTOCOL_VERSION })).toEqual(request)
      }),
    )
  })
})

describe('isOurs', () => {
  it('knows our messages by their mark, and leaves the app its own', () => {
    expect(isOurs({ holdfast: 99 })).toBe(true)
    for (const data of [undefined, null, 'holdfast', 7, ['holdfast'], { type: 'hello' }])
      expect(isOurs(data)).toBe(false)
  })
})
