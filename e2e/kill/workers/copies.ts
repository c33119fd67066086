import { evm, install, ipfs } from '../../../sw/index.ts'
import { copies } from '../../../sw/adapters/transports/copies.ts'
import { tus } from '../../../sw/adapters/transports/tus.ts'
import { endpoints } from './endpoints.ts'

install({
  transport: copies([ipfs({ endpoint: endpoints.ipfs }), tus({ endpoint: endpoints.tus })]),
  anchor: evm(endpoints),
})
