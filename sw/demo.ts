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
  transport: ipfs({ endpoint }),
  anchor: evm({ ...chain, depth: 2 }),
  sealer: sealInWorker,
  lastChance: notice(),
  watch: watchSettled,
  wake: workboxSync,
})

// The shell starts offline: `/` is served as `/index.html`, whatever its query.
cleanupOutdatedCaches()
precacheAndRoute(self.__WB_MANIFEST, { ignoreURLParametersMatching: [/./] })
