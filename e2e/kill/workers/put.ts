import { evm, install } from '../../../sw/index.ts'
import { sealInWorker } from '../../../sw/seal.ts'
import { endpoints } from './endpoints.ts'
import { put } from './transports.ts'

install({ transport: put(), anchor: evm(endpoints), sealer: sealInWorker })
