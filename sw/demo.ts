import { cleanupOutdatedCaches, precacheAndRoute, type PrecacheEntry } from 'workbox-precaching'
import { evm, install, ipfs } from './index.ts'
import { notice } from './notice.ts'
import { sealInWorker } from './seal.ts'
import { watchSettled } from './watch.ts'
import { workboxSync } from './workbox.ts'

/* oxlint-disable no-underscore-dangle -- names that the build replaces: see `vite.config.ts` */
declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: (PrecacheEntry | string)[] }
declare const __HOLDFAST_ENDPOINTS__: {
  readonly ipfs: string
  readonly rpcUrl: string
  readonly registry: `0x${string}`
  readonly relayUrl: string
  readonly chainId: number
  readonly pollMs: number
}

const { ipfs: endpoint, ...chain } = __HOLDFAST_ENDPOINTS__

install({
  transport: ipfs({ endpoint, authorize }),
  anchor: evm({ ...chain, depth: 2 }),
  sealer: sealInWorker,
  lastChance: notice(),
  onSettled: tellFinished,
  watch: watchSettled,
  wake: workboxSync,
})

const choices = { cacheName: 'holdfast-demo-choices' } as const

/** With what a person was given to sign in, by `src/demo/sign-in.ts`; nobody is asked who they are before that. */
async function authorize(): Promise<Readonly<Record<string, string>>> {
  const code = await (await caches.match('/sign-in', choices))?.text()
  return code === undefined ? {} : { authorization: `Bearer ${code}` }
}

/**
 * Where a person has asked for it, in `src/demo/finished-notice.ts`, tells that a recording is whole elsewhere while no
 * page is open: in words that tell nothing, since anybody may read them on a locked screen.
 */
async function tellFinished(): Promise<void> {
  const asked = await caches.match('/told-when-finished', choices)
  const pages = await self.clients.matchAll({ type: 'window' })
  if (!asked || pages.length > 0) return
  const { title, body } = await asked.json()
  // Instead of a notice that something waits. A permission that was taken back is no failure.
  await self.registration.showNotification(title, { body, tag: 'holdfast' }).catch(() => undefined)
}

// Asked for by a person, in a page where nothing waits.
self.addEventListener('message', ({ data }) => {
  if (data?.type === 'take-over') void self.skipWaiting()
})

// The shell starts offline: `/` is served as `/index.html`, whatever its query.
cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST, { ignoreURLParametersMatching: [/./] })
