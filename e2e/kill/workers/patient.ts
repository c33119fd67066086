import { evm, install, ipfs } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { endpoints, TIMEOUT_MS } from './endpoints.ts'

install({
  transport: ipfs({ endpoint: endpoints.ipfs, timeoutMs: TIMEOUT_MS }),
  anchor: evm(endpoints),
  sealer: sealInWorker,
})
