/// <reference types="workbox-background-sync" />
import { clientsClaim } from 'workbox-core/clientsClaim.js'
import { HoldfastError } from '../src/protocol/errors.ts'
import { DATABASE } from '../src/protocol/messages.ts'
import { nameFor } from '../src/protocol/names.ts'
import { isOurs } from '../src/protocol/parse.ts'
import { activation } from './adapters/browser/activation.ts'
import { announcer } from './adapters/browser/announce.ts'
import { backgroundSync, isOurTag } from './adapters/browser/background-sync.ts'
import { isMetered } from './adapters/browser/network.ts'
import { systemClock } from './adapters/browser/system-clock.ts'
import { webLock } from './adapters/browser/web-lock.ts'
import { idbStore } from './adapters/store/idb.ts'
import { admissionRoom, type LastChance, type OnSettled, type Sealer, type Watch } from './engine/context.ts'
import { createEngine, type Engine } from './engine/engine.ts'
import { createProgress } from './engine/progress.ts'
import { checkOptions } from './install-options.ts'
import type { Reply } from '../src/protocol/messages.ts'
import type { Anchor } from './ports/anchor.ts'
import type { CreateWake } from './ports/platform.ts'
import type { Transport } from './ports/transport.ts'

declare const self: ServiceWorkerGlobalScope

export interface InstallOptions {
  /** Where ciphertext, pages and, without an anchor, heads go. */
  readonly transport: Transport
  /**
   * Who witnesses the heads, such as `evm()`. Without one a head counts once the store was proved to have it: then nobody
   * but the recorder says when a recording was made, or that it was not made anew since.
   */
  readonly anchor?: Anchor | undefined
  /**
   * The app's name for where its recordings go: sessions are bound to it, to the registry and to the chain. Default: the
   * transport's name. It outlives a move of the store to another URL, and changes with another store.
   */
  readonly identity?: string | undefined
  /** `sealInWorker` of `holdfast/sw/seal`, for an app that starts sessions with `seal: 'worker'`. */
  readonly sealer?: Sealer | undefined
  /**
   * Called in the worker for each session that has settled, page or none, until it has resolved once. Sessions whose end
   * an earlier worker without it wrote down are not told.
   */
  readonly onSettled?: OnSettled | undefined
  /** For when the browser will not wake the worker again though work is left: `notice()` of `holdfast/sw/notice`. */
  readonly lastChance?: LastChance | undefined
  /** `watchSettled` of `holdfast/sw/watch`, where the chain may take back what it held deeper than the anchor's `depth`. */
  readonly watch?: Watch | undefined
  /** How the browser is asked to wake the worker; default: Background Sync, by its own tags. */
  readonly wake?: CreateWake | undefined
  /**
   * Whether the worker takes pages that were open before it: `clients.claim()`. Default true. With `false` a page that
   * has no worker, or an older one, keeps that for its own fetches until it is loaded again; uploads are the same.
   */
  readonly clientsClaim?: boolean | undefined
}

/**
 * The browser takes listeners only while the worker's script runs, and in the promises that it settles at once, where
 * workbox's `generateSW` imports scripts. Nothing tells that but a timer: the one thing that this library does on import.
 */
let canInstall = true
setTimeout(() => (canInstall = false))

/**
 * Makes the app's service worker own its uploads. Call it once, at the top level of the worker, synchronously:
 * the browser takes event listeners only then. The app's own listeners stay as they are.
 *
 * @throws HoldfastError `bad-input` that says which option is wrong, or that it is called twice, or later, as after
 *   a `fetch`, or in a page: the worker is then not installed, and an older one goes on
 */
export function install(options: InstallOptions): void {
  checkOptions(options)
  if (!canInstall || !self.registration)
    throw new HoldfastError('bad-input', 'install(): only once, at the top level of a worker.')
  canInstall = false
  const engine = engineOf(options)

  self.addEventListener('message', (event) => {
    if (!isOurs(event.data)) return
    const [port] = event.ports
    const answer = (reply: Reply) => {
      port?.postMessage(reply)
      // The page has what it asked in its memory for as long as this end is open.
      port?.close()
    }
    event.waitUntil(engine.receive(event.data, answer))
  })

  // With `workboxSync` its Queue hears the base tag too, and does not say whether the attempt is the last.
  self.addEventListener('sync', (event) => {
    if (isOurTag(event.tag)) event.waitUntil(engine.sync(event))
  })
  // Whatever the push or the period is for: the worker runs, so it may as well drain.
  for (const type of ['push', 'periodicsync'])
    self.addEventListener(type, (event) => (event as ExtendableEvent).waitUntil(engine.push()))

  // The page that installs the worker hears of later versions without a reload.
  if (options.clientsClaim !== false) clientsClaim()
  void engine.start()
}

/** The engine on what this browser has: the one place that picks adapters. */
function engineOf(options: InstallOptions): Engine {
  const { scope } = self.registration
  const { transport, anchor, identity = transport.name } = options
  const store = idbStore(nameFor(DATABASE, scope))
  const clock = systemClock()
  const progress = createProgress(clock)
  const engine: Engine = createEngine(
    {
      ...options,
      identity: `${identity} ${anchor?.identity ?? ''}`,
      store,
      clock,
      progress,
      room: admissionRoom(),
      ailing: new Set(),
      known: new Map(),
      delivering: new Set(),
      lock: webLock(scope),
      wake: options.wake?.(clock, () => engine.sync()) ?? backgroundSync(clock),
      metered: isMetered,
      announce: announcer(scope, store, progress),
    },
    activation(),
  )
  return engine
}
