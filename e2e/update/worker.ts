import { sealInWorker } from '../../sw/seal.ts'
import { evm, install, ipfs } from '../../sw/index.ts'
import type { Endpoints } from '../backend/index.ts'

declare const ENDPOINTS: Endpoints

const { ipfs: endpoint, rpcUrl, registry, relayUrl } = ENDPOINTS
install({
  transport: ipfs({ endpoint }),
  anchor: evm({ rpcUrl, registry, relayUrl, depth: 2 }),
  sealer: sealInWorker,
})
