import type { Transport } from '../ports.ts'
import { contentAddress } from '../../src/evidence/cid.ts'
import { rejection, rejectsWith, same } from '../testing/assert.ts'

/** What the server does with the next requests, until told otherwise. */
export type ServerFault =
  | { readonly kind: 'none' }
  /** Nobody listens. */
  | { readonly kind: 'refuse' }
  /** The connection breaks before the server has read the request, or in the middle of its answer. */
  | { readonly kind: 'reset'; readonly when: 'request' | 'answer' }
  /** A status; `retryAfter` as the header's text. */
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  /** 200, with nothing in it or with something that is no answer. */
  | { readonly kind: 'body'; readonly body: string }
  /** The server keeps the bytes, and answers with another address. */
  | { readonly kind: 'wrong-address' }
  /** The server keeps the bytes, and its answer never comes. */
  | { readonly kind: 'lost-answer' }
  /** No answer, or no end of it. */
  | { readonly kind: 'stall'; readonly when: 'answer' | 'body' }

/** A transport, and the server behind it. */
export interface TransportHarness {
  readonly transport: Transport
  /** How often the server took and kept this object. */
  storedTimes(cid: string): Promise<number> | number
  fault(fault: ServerFault): Promise<void> | void
  /** The `authorization` headers of all requests so far. */
  authorizations(): Promise<readonly (string | undefined)[]> | readonly (string | undefined)[]
  close(): Promise<void>
}

export interface HarnessOptions {
  /** To be handed to the transport. */
  readonly authorize?: () => Promise<Readonly<Record<string, string>>>
}

export type MakeHarness = (options?: HarnessOptions) => Promise<TransportHarness>

/** What every transport must do. */
export interface TransportCase {
  readonly title: string
  run(make: MakeHarness): Promise<void>
}

const calm = new AbortController().signal

async function anObject(sizeBytes = 1_000) {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, at) => (at * 7 + (at >> 8)) % 256).buffer
  return { bytes, upload: { cid: await contentAddress(bytes), sizeBytes } }
}

/** A case with one object and a fresh server, which is closed in the end. */
const withServer =
  (
    course: (
      harness: TransportHarness,
      object: Awaited<ReturnType<typeof anObject>>,
      send: () => Promise<void>,
    ) => Promise<void>,
  ) =>
  async (make: MakeHarness) => {
    const harness = await make()
    const object = await anObject()
    try {
      await course(harness, object, () => harness.transport.send(object.upload, object.bytes, calm))
    } finally {
      await harness.close()
    }
  }

const failsWith = (title: string, code: string, fault: ServerFault): TransportCase => ({
  title: `${title} is ${code}, for sending and asking alike`,
  run: withServer(async ({ transport, fault: set, storedTimes }, { upload }, send) => {
    await set(fault)
    await rejectsWith(code, send(), 'send')
    await rejectsWith(code, transport.probe(upload, calm), 'probe')
    await set({ kind: 'none' })
    same(await storedTimes(upload.cid), 0, 'what is stored')
    await send()
    same(await storedTimes(upload.cid), 1, 'what is stored then')
  }),
})

const waits = (title: string, retryAfter: string, fromMs: number, toMs: number): TransportCase => ({
  title: `the wait that a server asks for is kept: ${title}`,
  run: withServer(async ({ fault }, _object, send) => {
    for (const status of [429, 503]) {
      await fault({ kind: 'status', status, retryAfter })
      const error = await rejection(send(), 'send')
      const found =
        typeof error === 'object' && error !== null && 'retryAfterMs' in error
          ? Number(error.retryAfterMs)
          : -1
      same(found >= fromMs && found <= toMs, true, `${found} ms for ${status}`)
    }
  }),
})

export const TRANSPORT_CASES: readonly TransportCase[] = [
  {
    title: 'what was sent is stored, and known from then on',
    run: withServer(async ({ transport, storedTimes }, { upload }, send) => {
      same(await transport.probe(upload, calm), 'missing', 'before')
      await send()
      same(await storedTimes(upload.cid), 1, 'what is stored')
      same(await transport.probe(upload, calm), 'stored', 'after')
    }),
  },
  {
    title: 'an object of several blocks is stored under our address',
    async run(make) {
      const harness = await make()
      const { upload, bytes } = await anObject(2 * 1024 * 1024 + 5)
      await harness.transport.send(upload, bytes, calm)
      same(await harness.storedTimes(upload.cid), 1, 'what is stored')
      await harness.close()
    },
  },
  {
    title: 'bytes that are not those of the address are not taken for stored',
    run: withServer(async ({ transport }, { upload }) => {
      const other = Uint8Array.of(1, 2, 3).buffer
      await rejectsWith('address-mismatch', transport.send(upload, other, calm), 'send')
    }),
  },
  failsWith('a refused connection', 'unreachable', { kind: 'refuse' }),
  failsWith('a connection that breaks in the request', 'unreachable', { kind: 'reset', when: 'request' }),
  {
    title: 'a connection that breaks in the answer is unreachable, and the object can be asked for',
    run: withServer(async ({ transport, fault }, { upload }, send) => {
      await fault({ kind: 'reset', when: 'answer' })
      await rejectsWith('unreachable', send(), 'send')
      await fault({ kind: 'none' })
      same(await transport.probe(upload, calm), 'stored', 'probe')
    }),
  },
  {
    title: 'an answer that is lost leaves an object that can be asked for',
    run: withServer(async ({ transport, fault, storedTimes }, { upload }, send) => {
      await fault({ kind: 'lost-answer' })
      await rejectsWith('unreachable', send(), 'send')
      await fault({ kind: 'none' })
      same(await transport.probe(upload, calm), 'stored', 'probe')
      same(await storedTimes(upload.cid), 1, 'what is stored')
    }),
  },
  failsWith('401', 'sign-in-needed', { kind: 'status', status: 401 }),
  failsWith('403', 'sign-in-needed', { kind: 'status', status: 403 }),
  failsWith('400', 'rejected-by-store', { kind: 'status', status: 400 }),
  failsWith('413', 'rejected-by-store', { kind: 'status', status: 413 }),
  failsWith('415', 'rejected-by-store', { kind: 'status', status: 415 }),
  failsWith('429', 'throttled', { kind: 'status', status: 429 }),
  failsWith('500', 'server-error', { kind: 'status', status: 500 }),
  failsWith('503', 'server-error', { kind: 'status', status: 503 }),
  waits('none', '', 0, 0),
  waits('seconds', '7', 7_000, 7_000),
  waits('a date', new Date(Date.now() + 60_000).toUTCString(), 30_000, 60_000),
  {
    title: 'a 200 that proves nothing is not taken for stored',
    run: withServer(async ({ fault, storedTimes }, { upload }, send) => {
      for (const body of ['', '\n', 'OK', '<html>', '[]', 'null', '{', '{"Hash":7}', '{}']) {
        await fault({ kind: 'body', body })
        const error = await rejection(send(), `send, answered ${JSON.stringify(body)}`)
        const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : error
        same(code === 'bad-answer' || code === 'address-mismatch', true, `${String(code)} for ${body}`)
      }
      await fault({ kind: 'body', body: '' })
      await rejectsWith('bad-answer', send(), 'send, answered nothing')
      same(await storedTimes(upload.cid), 0, 'what is stored')
    }),
  },
  {
    title: 'another address than ours is a mismatch',
    run: withServer(async ({ fault }, _object, send) => {
      await fault({ kind: 'wrong-address' })
      await rejectsWith('address-mismatch', send(), 'send')
    }),
  },
  ...(['answer', 'body'] as const).map((when): TransportCase => ({
    title: `a request that we stop while its ${when} is awaited is aborted`,
    run: withServer(async ({ transport, fault }, { upload, bytes }) => {
      await fault({ kind: 'stall', when })
      const stop = new AbortController()
      const sending = rejectsWith('aborted', transport.send(upload, bytes, stop.signal), 'send')
      const asking = rejectsWith('aborted', transport.probe(upload, stop.signal), 'probe')
      setTimeout(() => stop.abort(), 100)
      await Promise.all([sending, asking])
    }),
  })),
  {
    title: 'a request that was stopped before it began never leaves',
    run: withServer(async ({ transport, storedTimes }, { upload, bytes }) => {
      await rejectsWith('aborted', transport.send(upload, bytes, AbortSignal.abort()), 'send')
      same(await storedTimes(upload.cid), 0, 'what is stored')
    }),
  },
  {
    title: 'the sign-in is asked for at each request, and reaches the server',
    async run(make) {
      let asked = 0
      const authorize = async () => ({ authorization: `Bearer ${++asked}` })
      const { transport, authorizations, close } = await make({ authorize })
      const { upload, bytes } = await anObject()
      await transport.send(upload, bytes, calm)
      await transport.probe(upload, calm)
      same(await authorizations(), ['Bearer 1', 'Bearer 2'], 'headers')
      await close()
    },
  },
]
