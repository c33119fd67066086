import type { Page } from '@playwright/test'
import { HoldfastError } from '../../src/protocol/errors.ts'
import type { Attempt, RemoteState, Transport, Upload } from '../../sw/ports/transport.ts'
import type { AuthReason } from '../../sw/http/with-auth.ts'
import type { RealBrowser } from '../driver/real-browser.ts'
import { stopWorkers } from '../driver/worker-control.ts'
import type { Order, Told } from './transport-orders.ts'
import type { transportOf } from './variants.ts'

/** Makes transports that run in the service worker of a real browser, and kills that worker. */
export interface WorkerBench {
  readonly transport: typeof transportOf
  /** By the browser, as when it needs the memory, or with the whole browser; then a new one is started. */
  kill(what: 'worker' | 'browser'): Promise<void>
}

export interface WorkerBenchOptions {
  /** Starts the browser, on the same profile each time. */
  launch(): Promise<RealBrowser>
  /** Serves `page.js` and `sw.js`, and to the worker the bytes that it is to send. */
  readonly url: string
  readonly files: Map<string, string | Uint8Array>
}

interface UnderWay {
  heard(told: Told): Promise<void>
  died(): void
}

let lastTransportId = 0
let lastOrderId = 0

export async function workerBench({ launch, url, files }: WorkerBenchOptions): Promise<WorkerBench> {
  const underWay = new Map<number, UnderWay>()
  let browser = await launch()
  let page = await open()

  async function open(): Promise<Page> {
    const opened = await browser.context.newPage()
    await opened.exposeFunction('told', (id: number, told: Told) => underWay.get(id)?.heard(told))
    await opened.goto(url)
    await opened.addScriptTag({ url: '/page.js' })
    return opened
  }

  /** One call, until its end or the worker's. */
  async function perform(
    order: Omit<Order, 'id' | 'resumeToken' | 'aborted'>,
    { signal, resumeToken = '', saveResumeToken, progress }: Attempt,
    note: (reason: AuthReason) => void,
  ): Promise<unknown> {
    const id = (lastOrderId += 1)
    const died = new Promise<never>((_, reject) => {
      underWay.set(id, {
        died: () => reject(new HoldfastError('aborted', 'The worker was killed.')),
        async heard(told) {
          if (told.kind === 'save-resume-token') await saveResumeToken(told.resumeToken)
          else if (told.kind === 'progress') progress(told.offsetBytes)
          else note(told.reason)
        },
      })
    })
    died.catch(() => undefined)
    const abort = () => void page.evaluate((one) => window.transports.abort(one), id)
    signal.addEventListener('abort', abort)
    try {
      const whole: Order = { ...order, id, resumeToken, aborted: signal.aborted }
      const ended = page.evaluate((one) => window.transports.perform(one), whole)
      // Its page may go with its browser.
      ended.catch(() => undefined)
      const done = await Promise.race([ended, died])
      if (done.kind === 'done') return done.value
      throw new HoldfastError(done.code, done.message, { retryAfterMs: done.retryAfterMs })
    } finally {
      signal.removeEventListener('abort', abort)
      underWay.delete(id)
    }
  }

  return {
    transport(variant, settings, note): Transport {
      const transportId = (lastTransportId += 1)
      const call = (method: Order['method'], upload: Upload, attempt: Attempt, held: RemoteState) =>
        perform({ transportId, variant, settings, method, upload, held }, attempt, note)
      const nothing = { kind: 'nothing' } as const
      return {
        name: variant,
        probe: async (upload, attempt) => (await call('probe', upload, attempt, nothing)) as RemoteState,
        async send(upload, bytes, held, attempt) {
          files.set(`/bytes/${upload.cid}`, bytes)
          return (await call('send', upload, attempt, held)) as 'proved' | 'sent'
        },
        verify: async (upload, attempt) => void (await call('verify', upload, attempt, nothing)),
      }
    },
    async kill(what) {
      for (const { died } of underWay.values()) died()
      if (what === 'worker') return stopWorkers(page)
      await browser.kill()
      browser = await launch()
      page = await open()
    },
  }
}
