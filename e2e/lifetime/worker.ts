import { evm, install, ipfs } from '../../sw/index.ts'
import { isRung } from '../../sw/core/wake-plan.ts'
import type { WorkerSettings } from './site.ts'

declare const registration: ServiceWorkerRegistration

/** What is replaced of Background Sync. */
interface Registering {
  register: (tag: string) => Promise<void>
}

const { endpoints, plain } = JSON.parse(
  new URL(location.href).searchParams.get('settings') ?? '{}',
) as WorkerSettings

// The ledger sees requests, not workers: each tells of its birth.
void fetch('/born', { method: 'POST' }).catch(() => undefined)

if (plain) {
  const { sync } = registration as ServiceWorkerRegistration & { readonly sync: Registering }
  const register = sync.register.bind(sync)
  sync.register = async (tag) => (isRung(tag) ? undefined : register(tag))
}

install({
  transport: ipfs({ endpoint: endpoints.ipfs }),
  anchor: evm({
    rpcUrl: endpoints.rpcUrl,
    registry: endpoints.registry,
    relayUrl: endpoints.relayUrl,
    depth: 1,
  }),
})
