import { presignedPut } from '../../sw/adapters/transports/put.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import { witnessByChain } from '../../sw/engine/witness.ts'
import { install } from '../../sw/install.ts'
import type { Anchor } from '../../sw/ports/anchor.ts'

declare const self: ServiceWorkerGlobalScope

const { origin, search } = new URL(self.location.href)

/** No chain: what is measured ends at the store. */
const nobody: Anchor = {
  name: 'nobody',
  identity: 'nobody',
  witness: witnessByChain,
  pollMs: 3_600_000,
  everyMs: 3_600_000,
  read: async () => ({ blockNumber: 0 }),
  submit: async () => undefined,
  events: async () => [],
}

const transport = search.includes('tus')
  ? tus({ endpoint: `${origin}/tus` })
  : presignedPut({
      grant: async ({ cid, method, checksum }) => ({
        // When the worker asks, by its own clock.
        url: `${origin}/put/${cid}?at=${performance.now()}`,
        headers: method === 'PUT' ? { 'x-amz-checksum-sha256': checksum ?? '' } : {},
      }),
    })

install(search.includes('chainless') ? { transport } : { transport, anchor: nobody })
