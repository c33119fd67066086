import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { tus } from '../../../sw/adapters/transports/tus.ts'
import { endpoints, TIMEOUT_MS } from './endpoints.ts'

install({
  // Small, so that a chunk of a short recording goes up in several.
  transport: tus({ endpoint: endpoints.tus, partBytes: 16_384, timeoutMs: TIMEOUT_MS }),
  anchor: evm(endpoints),
  sealer: sealInWorker,
})
