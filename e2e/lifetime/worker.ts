import { notice } from '../../sw/notice.ts'
import { evm, install, ipfs } from '../../sw/index.ts'
import { isRung } from '../../sw/core/wake-plan.ts'
import { BUDGETS_MS } from '../../sw/drain.ts'
import type { WorkerSettings } from './site.ts'

declare const registration: ServiceWorkerRegistration

/** What is replaced of Background Sync. */
interface Registering {
  register: (tag: string) => Promise<void>
}

const { endpoints, plain, budgetsMs } = JSON.parse(
  new URL(location.href).searchParams.get('settings') ?? '{}',
) as WorkerSettings

// The ledger sees requests, not workers: each tells of its birth.
void fetch('/born', { method: 'POST' }).catch(() => undefined)

// In step with a browser whose limits are shortened.
Object.assign(BUDGETS_MS, budgetsMs)

// What a person would be told, told to the test as well.
const show = registration.showNotification.bind(registration)
registration.showNotification = async (title, options) => {
  const shown = await show(title, options).then(
    () => 'shown',
    (error: unknown) => String(error),
  )
  await fetch('/told', { method: 'POST', body: JSON.stringify({ title, shown }) })
}

if (plain) {
  const { sync } = registration as ServiceWorkerRegistration & { readonly sync: Registering }
  const register = sync.register.bind(sync)
  sync.register = async (tag) => (isRung(tag) ? undefined : register(tag))
}

install({
  lastChance: notice(),
  transport: ipfs({ endpoint: endpoints.ipfs }),
  anchor: evm({
    rpcUrl: endpoints.rpcUrl,
    registry: endpoints.registry,
    relayUrl: endpoints.relayUrl,
    depth: 1,
  }),
})
