import { evm, install } from '../../../sw/index.ts'
import { tus } from '../../../sw/transports/tus.ts'
import { endpoints } from './endpoints.ts'

install({ transport: tus({ endpoint: endpoints.tus }), anchor: evm(endpoints) })
