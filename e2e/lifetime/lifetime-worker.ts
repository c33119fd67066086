import { notice } from '../../sw/notice.ts'
import { evm, install, ipfs } from '../../sw/index.ts'
import { isScheduledTag } from '../../sw/core/sync-schedule.ts'
import { BUDGETS_MS } from '../../sw/engine/drain.ts'
import type { Sign } from './orders.ts'
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

// What a person is told, and what the browser said to that, told to the test as well.
const sign = (what: Sign['what'], says: Sign['says'], shown: Promise<void>) =>
  shown
    .then(
      () => 'done',
      (error: unknown) => String(error),
    )
    .then((outcome) => fetch('/told', { method: 'POST', body: JSON.stringify({ what, says, outcome }) }))
    .then(() => undefined)

const show = registration.showNotification.bind(registration)
registration.showNotification = (title, options) => sign('notification', title, show(title, options))
if ('setAppBadge' in navigator) {
  const [set, clear] = [navigator.setAppBadge.bind(navigator), navigator.clearAppBadge.bind(navigator)]
  navigator.setAppBadge = (count = 0) => sign('badge', count, set(count))
  navigator.clearAppBadge = () => sign('badge', 0, clear())
}

if (plain) {
  const { sync } = registration as ServiceWorkerRegistration & { readonly sync: Registering }
  const register = sync.register.bind(sync)
  sync.register = async (tag) => (isScheduledTag(tag) ? undefined : register(tag))
}

install({
  lastChance: notice(),
  transport: ipfs({ endpoint: endpoints.ipfs }),
  anchor: evm({
    rpcUrl: endpoints.rpcUrl,
    registry: endpoints.registry,
    relayUrl: endpoints.relayUrl,
    depth: 1,
    pollMs: endpoints.pollMs,
  }),
})
