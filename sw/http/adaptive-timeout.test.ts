import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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
async function request(tempo: AdaptiveTimeout, rate: number, sizeBytes: number) {
  bytesPerMs = rate
  const began = performance.now()
  const body = new Uint8Array(sizeBytes)
  const ended = tempo
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
    const tempo = adaptiveTimeout()
    await request(tempo, 400, 4 * MIB)
    expect((await request(tempo, 210, 4 * MIB)).ended).toBe('answered')
    expect((await request(tempo, 10, 4 * MIB)).ended).toBe('timeout')
  })

  it('forgets what was learnt after a failure, so that a link that became slow gets all its time', async () => {
    const tempo = adaptiveTimeout()
    await request(tempo, 5_000, 4 * MIB)
    expect((await request(tempo, 17, 4 * MIB)).ended).toBe('timeout')
    expect((await request(tempo, 17, 4 * MIB)).ended).toBe('answered')
  })

  it('learns nothing from an answer that came before the body had left', async () => {
    const tempo = adaptiveTimeout()
    status = 403
    await request(tempo, 5_000, 4 * MIB)
    expect((await request(tempo, 0, 4 * MIB)).tookMs).toBe(20_000 + (4 * MIB) / 16)
  })

  it('is not shortened by what is too small to tell of a slow link, and may be by what shows a fast one', async () => {
    const tempo = adaptiveTimeout()
    await request(tempo, 1_000, 4 * MIB)
    const { tookMs: before } = await request(adaptiveTimeout(), 0, MIB)
    await request(tempo, 20, 1_000)
    expect(tempo.partBytes(64 * MIB)).toBeGreaterThan(4 * MIB)
    await request(tempo, 10_000, 500_000)
    expect((await request(tempo, 0, MIB)).tookMs).toBeLessThan(before)
  })
})

describe('a part', () => {
  it.each([18, 50, 400, 2_500, 100_000])(
    'has a deadline near 30 s on a link of %i bytes per ms',
    async (rate) => {
      const tempo = adaptiveTimeout()
      const most = 4 * MIB
      for (let part = 0; part < 4; part += 1)
        expect((await request(tempo, rate, tempo.partBytes(most))).ended).toBe('answered')
      const { ended, tookMs } = await request(tempo, 0, tempo.partBytes(most))
      expect(ended).toBe('timeout')
      expect(tookMs).toBeLessThanOrEqual(30_000)
    },
  )

  it('is small at first, grows with the link, and is never larger than allowed or smaller than 64 KiB', async () => {
    const tempo = adaptiveTimeout()
    expect(tempo.partBytes(4 * MIB)).toBe(160_000)
    await request(tempo, 1_000, 160_000)
    expect(tempo.partBytes(4 * MIB)).toBe(4 * MIB)
    await request(tempo, 3, 2 * MIB)
    expect(tempo.partBytes(4 * MIB)).toBe(160_000)
    expect(tempo.partBytes(1_000)).toBe(1_000)
    await request(tempo, 12.9, MIB)
    expect(tempo.partBytes(4 * MIB)).toBe(64 * 1024)
  })
})
