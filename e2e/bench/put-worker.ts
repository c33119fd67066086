import { presignedPut } from '../../sw/adapters/transports/put.ts'
import { install } from '../../sw/install.ts'
import { nobody } from './nobody.ts'

declare const self: ServiceWorkerGlobalScope

const { origin, search } = new URL(self.location.href)

const transport = presignedPut({
  grant: async ({ cid, method, checksum }) => ({
    // When the worker asks, by its own clock.
    url: `${origin}/put/${cid}?at=${performance.now()}`,
    headers: method === 'PUT' ? { 'x-amz-checksum-sha256': checksum ?? '' } : {},
  }),
})

install(search.includes('chainless') ? { transport } : { transport, anchor: nobody })
