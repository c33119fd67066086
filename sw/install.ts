import { clientsClaim } from 'workbox-core/clientsClaim.js'
import { isOurs } from '../src/protocol/parse.ts'
import { activation } from './adapters/browser/activation.ts'
import { createEngine, type EngineOptions } from './engine/engine.ts'
import { isOurTag } from './adapters/browser/background-sync.ts'

declare const self: ServiceWorkerGlobalScope
declare global {
  /** Periodic Background Sync (WICG): Chromium, installed apps. */
  interface ServiceWorkerGlobalScopeEventMap {
    periodicsync: ExtendableEvent
  }
}

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

  // The base tag is heard by workbox's Queue too, which does not say whether the attempt is the last.
  self.addEventListener('sync', (event) => {
    if (isOurTag(event.tag)) event.waitUntil(engine.sync(event))
  })
  // Whatever the push or the period is for: the worker runs, so it may as well drain.
  for (const type of ['push', 'periodicsync'] as const)
    self.addEventListener(type, (event: ExtendableEvent) => event.waitUntil(engine.push()))

  // The page that installs the worker hears of later versions without a reload.
  clientsClaim()
  engine.start()
}
