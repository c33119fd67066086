import type { TransportHarness } from '../../sw/contracts/transport.contract.ts'
import type { Transport } from '../../sw/ports/transport.ts'
import type { AuthReason } from '../../sw/http/with-auth.ts'
import type { Backend, FaultRule, LedgerEntry, ServiceName } from './index.ts'

export interface HarnessOptions {
  /** Makes the transport; its hooks call `note` with the reason that they were given. */
  make(timeoutMs: number | undefined, note: (reason: AuthReason) => void): Transport
  readonly secret: string
  /** Requests that send content. */
  readonly sends: { readonly service: ServiceName; readonly method: string; readonly match: string }
  readonly findsByName?: boolean
  readonly partBytes?: number
  /** Whether the gateway has it under our address. */
  readonly readable?: boolean
  readonly vanish?: (cid: string, status: 404 | 410) => Promise<void>
  /** Kills the worker in which the transport runs; see the contract. */
  readonly kill?: () => Promise<void>
}

/** The contract's view of this backend. */
export function transportHarness(backend: Backend, options: HarnessOptions): TransportHarness {
  const { make, secret, sends, findsByName = true, partBytes, readable = true, vanish, kill } = options
  let asked: AuthReason[] = []
  const entriesOf = (cid: string) =>
    backend.ledger.all().filter(({ service, key }) => service === sends.service && key === cid)
  const first = (wanted: (entry: LedgerEntry) => boolean) => backend.ledger.all().find(wanted)
  return {
    transport(timeoutMs) {
      asked = []
      const notes = asked
      return make(timeoutMs, (reason) => notes.push(reason))
    },
    asked: () => asked,
    secret,
    findsByName,
    ...(partBytes !== undefined && { partBytes }),
    async fault(fault) {
      const rule: FaultRule = { ...sends, ...fault }
      if (rule.kind === 'hold') {
        const held = backend.faults.add(rule)
        return { arrived: held.arrived, remove: async () => held.remove() }
      }
      const handle = backend.faults.add(rule)
      return { arrived: Promise.resolve(), remove: async () => handle.remove() }
    },
    clear: async () => backend.faults.clear(),
    async seen({ cid }) {
      // The store's work on a request may go on when its client has long left, and before it knows what it is about.
      const underWay = ({ service, key = cid, outcome }: LedgerEntry) =>
        service === sends.service && key === cid && outcome === undefined
      for (let open = first(underWay); open !== undefined; open = first(underWay)) {
        const { id } = open
        await backend.ledger.waitFor((entry) => entry.id === id && entry.outcome !== undefined)
      }
      return entriesOf(cid)
    },
    async receives({ cid }, bytes) {
      const { service } = sends
      // The sender's name comes with the body, and some stores look at it only when they have all of it.
      await backend.ledger.waitFor(
        (entry) =>
          entry.service === service &&
          (entry.key ?? cid) === cid &&
          entry.fault !== undefined &&
          entry.bytesReceived >= bytes,
      )
    },
    down: () => backend.pause(),
    up: () => backend.unpause(),
    ...(readable && {
      async read({ cid }) {
        const response = await fetch(`${backend.endpoints.gateway}/ipfs/${cid}`)
        if (!response.ok) throw new Error(`The gateway answered ${response.status} for ${cid}`)
        return new Uint8Array(await response.arrayBuffer())
      },
    }),
    ...(kill && { kill }),
    ...(vanish && { vanish: ({ cid }, status) => vanish(cid, status) }),
  }
}
