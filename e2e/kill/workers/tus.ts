import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { tus } from '../../../sw/adapters/transports/tus.ts'
import { endpoints } from './endpoints.ts'

install({ transport: tus({ endpoint: endpoints.tus }), anchor: evm(endpoints), sealer: sealInWorker })
