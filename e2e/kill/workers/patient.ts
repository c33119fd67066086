import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { endpoints } from './endpoints.ts'
import { ipfs } from './transports.ts'

install({ transport: ipfs(), anchor: evm(endpoints), sealer: sealInWorker })
