import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { endpoints } from './endpoints.ts'
import { tus } from './transports.ts'

install({ transport: tus(), anchor: evm(endpoints), sealer: sealInWorker })
