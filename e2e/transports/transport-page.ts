import type { Done, Nudge, Order, Told } from './transport-orders.ts'

const ports = new Map<number, MessagePort>()

/** What the page offers to a test: a way to its service worker. */
const bench = {
  /** Resolves once the worker has done it; never, where the worker died of it. */
  perform: async (order: Order): Promise<Done> => {
    const { active } = await navigator.serviceWorker.ready
    const { port1, port2 } = new MessageChannel()
    ports.set(order.id, port1)
    return new Promise((resolve) => {
      let told = Promise.resolve()
      port1.addEventListener('message', ({ data }: MessageEvent<Told | Done>) => {
        told = told.then(async () => {
          if (data.kind === 'done' || data.kind === 'failed') return resolve(data)
          await window.told(order.id, data)
          if (data.kind === 'save-resume-token') nudge(port1, 'kept')
        })
      })
      port1.start()
      active?.postMessage(order, [port2])
    })
  },
  abort: (id: number) => {
    const port = ports.get(id)
    if (port !== undefined) nudge(port, 'abort')
  },
}

const nudge = (port: MessagePort, what: Nudge) => port.postMessage(what)

declare global {
  interface Window {
    transports: typeof bench
    /** The test hears what a worker tells. */
    told(id: number, told: Told): Promise<void>
  }
}

globalThis.window.transports = bench
void navigator.serviceWorker.register('/sw.js')
