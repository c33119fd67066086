import { clientsClaim } from 'workbox-core/clientsClaim.js'
import { isOurs } from '../src/protocol/parse.ts'
import { activation } from './activation.ts'
import { createEngine, type EngineOptions } from './engine.ts'
import { isLadderTag } from './wake/background-sync.ts'

declare const self: ServiceWorkerGlobalScope

/**
 * Makes the app's service worker own its uploads. Call it once, at the top level of the worker, synchronously:
 * the browser takes event listeners only then. The app's own listeners stay as they are.
 */
export function install(options: EngineOptions): void {
  const engine = createEngine(options, activation())

  self.addEventListener('message', (event) => {
    if (!isOurs(event.data)) return
    const [port] = event.ports
    event.waitUntil(engine.receive(event.data, (reply) => port?.postMessage(reply)))
  })

  // The base tag is heard by workbox's Queue; the ladder's tags are ours.
  self.addEventListener('sync', (event) => {
    if (isLadderTag(event.tag)) event.waitUntil(engine.sync())
  })

  // The page that installs the worker hears of later versions without a reload.
  clientsClaim()
  engine.start()
}
