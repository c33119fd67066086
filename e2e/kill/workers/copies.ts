import { evm, install, ipfs } from '../../../sw/index.ts'
import { copies } from '../../../sw/adapters/transports/copies.ts'
import { tus } from '../../../sw/adapters/transports/tus.ts'
import { endpoints, TIMEOUT_MS } from './endpoints.ts'

install({
  transport: copies([
    ipfs({ endpoint: endpoints.ipfs, timeoutMs: TIMEOUT_MS }),
    tus({ endpoint: endpoints.tus, timeoutMs: TIMEOUT_MS }),
  ]),
  anchor: evm(endpoints),
})
