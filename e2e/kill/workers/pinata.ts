import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { pinata } from '../../../sw/adapters/transports/pinata.ts'
import { endpoints, freshToken, TIMEOUT_MS } from './endpoints.ts'

const { gateway, pinata: base } = endpoints

install({
  transport: pinata({
    gateway,
    uploads: base,
    api: base,
    timeoutMs: TIMEOUT_MS,
    authorize: async () => ({ authorization: `Bearer ${await freshToken()}` }),
  }),
  anchor: evm(endpoints),
  sealer: sealInWorker,
})
