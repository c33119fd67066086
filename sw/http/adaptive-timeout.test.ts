import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { equalBytes } from '../../src/evidence/bytes.ts'
import { nextPartBytes } from './next-part.ts'
import { adaptiveTimeout, type AdaptiveTimeout } from './adaptive-timeout.ts'

const MIB = 1024 * 1024

/** What the link does; 0: it takes all and answers nothing. */
let bytesPerMs = 0
let status = 200

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  status = 200
  vi.stubGlobal('fetch', (_url: string, { body, signal }: { body: Uint8Array; signal: AbortSignal }) => {
    return new Promise<Response>((resolve, reject) => {
      const took = () => resolve(new Response('', { status }))
      if (bytesPerMs > 0) setTimeout(took, body.byteLength / bytesPerMs)
      signal.addEventListener('abort', () => reject(new Error('Aborted')))
    })
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** One request over a link of that rate: how it ended, after how long. */
async function request(timeouts: AdaptiveTimeout, rate: number, sizeBytes: number) {
  bytesPerMs = rate
  const began = performance.now()
  const body = new Uint8Array(sizeBytes)
  const ended = timeouts
    .request(
      'https://store.example/',
      { body },
      { signal: new AbortController().signal, bodyBytes: sizeBytes },
    )
    .then(
      () => 'answered',
      (error: unknown) => (error as { code: string }).code,
    )
  await vi.runAllTimersAsync()
  return { ended: await ended, tookMs: performance.now() - began }
}

describe('the deadline of a request', () => {
  it('grows with its size, at a slow rate as long as nothing is known of the link', async () => {
    expect(await request(adaptiveTimeout(), 17, MIB)).toMatchObject({ ended: 'answered' })
    const stalled = await request(adaptiveTimeout(), 0, MIB)
    expect(stalled).toEqual({ ended: 'timeout', tookMs: 20_000 + MIB / 16 })
    expect(await request(adaptiveTimeout(), 0, 0)).toEqual({ ended: 'timeout', tookMs: 20_000 })
  })

  it('leaves a link time to become half as fast as it was seen', async () => {
    const timeouts = adaptiveTimeout()
    await request(timeouts, 400, 4 * MIB)
    expect((await request(timeouts, 210, 4 * MIB)).ended).toBe('answered')
    expect((await request(timeouts, 10, 4 * MIB)).ended).toBe('timeout')
  })

  it('forgets what was learnt after a failure, so that a link that became slow gets all its time', async () => {
    const timeouts = adaptiveTimeout()
    await request(timeouts, 5_000, 4 * MIB)
    expect((await request(timeouts, 17, 4 * MIB)).ended).toBe('timeout')
    expect((await request(timeouts, 17, 4 * MIB)).ended).toBe('answered')
  })

  it.each([12, 8, 5, 3])('gets a whole chunk over a link of %i bytes per ms in the end', async (rate) => {
    const timeout = adaptiveTimeout()
    const ended: string[] = []
    while (ended.length < 6 && ended.at(-1) !== 'answered')
      ended.push((await request(timeout, rate, 3 * MIB)).ended)
    expect(ended.at(-1)).toBe('answered')
    // What went well shows how fast the link is: the next one needs no second try.
    expect((await request(timeout, rate, 3 * MIB)).ended).toBe('answered')
  })

  it('is doubled once by requests that were too slow together', async () => {
    const timeout = adaptiveTimeout()
    const together = await Promise.all([1, 2, 3].map(() => request(timeout, 0, MIB)))
    expect(together.map(({ ended }) => ended)).toEqual(['timeout', 'timeout', 'timeout'])
    expect((await request(timeout, 0, MIB)).tookMs).toBe(20_000 + MIB / 8)
  })

  it('does not grow without end, and not by what does not tell of the link’s rate', async () => {
    const timeout = adaptiveTimeout()
    for (let times = 0; times < 9; times++) await request(timeout, 0, MIB)
    expect((await request(timeout, 0, MIB)).tookMs).toBe(20_000 + MIB / 2)
    const other = adaptiveTimeout()
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')))
    for (let times = 0; times < 9; times++) await request(other, 0, MIB)
    expect(nextPartBytes(other, MIB)).toBe(160_000)
  })

  it('learns nothing from an answer that came before the body had left', async () => {
    const timeouts = adaptiveTimeout()
    status = 403
    await request(timeouts, 5_000, 4 * MIB)
    expect((await request(timeouts, 0, 4 * MIB)).tookMs).toBe(20_000 + (4 * MIB) / 16)
  })

  it('is not shortened by what is too small to tell of a slow link, and may be by what shows a fast one', async () => {
    const timeouts = adaptiveTimeout()
    await request(timeouts, 1_000, 4 * MIB)
    const { tookMs: before } = await request(adaptiveTimeout(), 0, MIB)
    await request(timeouts, 20, 1_000)
    expect(nextPartBytes(timeouts, 64 * MIB)).toBeGreaterThan(4 * MIB)
    await request(timeouts, 10_000, 500_000)
    expect((await request(timeouts, 0, MIB)).tookMs).toBeLessThan(before)
  })
})

describe('a question', () => {
  /** Each in turn is the answer, after so long; and how the question ended. */
  async function ask(answers: readonly Response[], init: RequestInit = {}, eachMs = 0) {
    const left = [...answers]
    const fetched = vi.fn(
      async (_url: string, { signal }: { signal: AbortSignal }) =>
        new Promise<Response>((resolve, reject) => {
          setTimeout(() => resolve(left.shift()!), eachMs)
          signal.addEventListener('abort', () => reject(new Error('Aborted')))
        }),
    )
    vi.stubGlobal('fetch', fetched)
    const ended = adaptiveTimeout()
      .request('https://store.example/', init, { signal: new AbortController().signal })
      .then(
        ({ status }) => status,
        (error: unknown) => (error as { code: string }).code,
      )
    await vi.runAllTimersAsync()
    return { ended: await ended, times: fetched.mock.calls.length }
  }
  const answers = (...statuses: number[]) => statuses.map((status) => new Response('', { status }))

  it.each([404, 410])('that finds nothing (%i) is asked once more: one answer may be stale', async (gone) => {
    for (const status of [200, 404, 410, 429, 500])
      expect(await ask(answers(gone, status))).toEqual({ ended: status, times: 2 })
  })

  it('has found nothing where its URL was good for one use', async () => {
    expect(await ask(answers(404, 403))).toEqual({ ended: 404, times: 2 })
  })

  it('is not one what has a body: that goes once', async () => {
    expect(await ask(answers(404, 200), { method: 'PUT', body: 'all of it' })).toEqual({
      ended: 404,
      times: 1,
    })
  })

  it('has all its time each time that it is asked', async () => {
    expect(await ask(answers(404, 404), {}, 15_000)).toEqual({ ended: 404, times: 2 })
    expect(await ask(answers(307, 404, 200), {}, 15_000)).toEqual({ ended: 200, times: 3 })
    expect(await ask(answers(404, 404), {}, 21_000)).toEqual({ ended: 'timeout', times: 1 })
  })
})

describe('an answer', () => {
  /** A server that sends a byte a second, for ever. */
  const dripping = (signal: AbortSignal) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        const drip = () => {
          if (signal.aborted) return controller.error(new Error('Aborted'))
          controller.enqueue(new Uint8Array(1))
          setTimeout(drip, 1_000)
        }
        drip()
      },
    })

  it('may be longer than what was asked for, as words of a refusal are, but not without end', async () => {
    const { request } = adaptiveTimeout()
    const told = async (bytes: number, maxBytes: number) => {
      vi.stubGlobal('fetch', async () => new Response(new Uint8Array(bytes)))
      return (await request('http://store.example/', {}, { signal: new AbortController().signal, maxBytes }))
        .bytes.length
    }
    expect(await told(2_000, 7)).toBe(2_000)
    await expect(told(64 * 1024 + 8, 7)).rejects.toMatchObject({ code: 'bad-answer' })
  })

  const broken = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new TypeError('network error'))
      },
    })

  it.each([
    ['longer than any', () => new Uint8Array(70_000)],
    ['cut off', broken],
  ])('that refuses has its status and its wait, though its words are %s', async (_, body) => {
    const { request } = adaptiveTimeout()
    const ask = (status: number) => {
      vi.stubGlobal('fetch', async () => new Response(body(), { status, headers: { 'retry-after': '7' } }))
      return request('http://store.example/', {}, { signal: new AbortController().signal })
    }
    for (const status of [401, 404, 429, 503]) {
      const answer = await ask(status)
      expect(answer).toMatchObject({ status, text: '' })
      expect(answer.headers.get('retry-after')).toBe('7')
    }
    await expect(ask(200)).rejects.toMatchObject({
      code: 'bad-answer',
      message: 'http://store.example answered too long, or cut off.',
    })
  })

  it('is one piece of memory, in however many pieces it comes', async () => {
    // More than a call takes arguments.
    const pieces = 140_000
    vi.stubGlobal('fetch', async () => {
      let sent = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent === pieces) return controller.close()
          controller.enqueue(Uint8Array.of(sent++))
        },
      })
      return new Response(body)
    })
    const { request } = adaptiveTimeout()
    const asked = { signal: new AbortController().signal, maxBytes: pieces }
    const { bytes } = await request('http://store.example/', {}, asked)
    expect(
      equalBytes(
        bytes,
        new Uint8Array(pieces).map((_, at) => at),
      ),
    ).toBe(true)
    expect(bytes.buffer.byteLength).toBeLessThan(2 * pieces)
  })

  it('that drips ends, long before it would be too long', async () => {
    vi.stubGlobal('fetch', async (_url: string, { signal }: { signal: AbortSignal }) => {
      return new Response(dripping(signal))
    })
    const { ended, tookMs } = await request(adaptiveTimeout(), 1, 0)
    expect(ended).toBe('timeout')
    // `TIMEOUT_MS`, and the time of 64 KiB.
    expect(tookMs).toBeLessThanOrEqual(20_000 + (64 * 1024) / 16 + 1_000)
  })
})

describe('a part', () => {
  it.each([18, 50, 400, 2_500, 100_000])(
    'has a deadline near 30 s on a link of %i bytes per ms',
    async (rate) => {
      const timeouts = adaptiveTimeout()
      const most = 4 * MIB
      for (let part = 0; part < 4; part += 1)
        expect((await request(timeouts, rate, nextPartBytes(timeouts, most))).ended).toBe('answered')
      const { ended, tookMs } = await request(timeouts, 0, nextPartBytes(timeouts, most))
      expect(ended).toBe('timeout')
      expect(tookMs).toBeLessThanOrEqual(30_000)
    },
  )

  it('is small at first, grows with the link, and is never larger than allowed or smaller than 64 KiB', async () => {
    const timeouts = adaptiveTimeout()
    expect(nextPartBytes(timeouts, 4 * MIB)).toBe(160_000)
    await request(timeouts, 1_000, 160_000)
    expect(nextPartBytes(timeouts, 4 * MIB)).toBe(4 * MIB)
    await request(timeouts, 3, 2 * MIB)
    expect(nextPartBytes(timeouts, 4 * MIB)).toBe(160_000)
    expect(nextPartBytes(timeouts, 1_000)).toBe(1_000)
    await request(timeouts, 12.9, MIB)
    expect(nextPartBytes(timeouts, 4 * MIB)).toBe(64 * 1024)
  })
})
