import { tus } from '../../sw/adapters/transports/tus.ts'
import { install } from '../../sw/install.ts'
import { nobody } from './nobody.ts'

declare const self: ServiceWorkerGlobalScope

install({ transport: tus({ endpoint: `${self.location.origin}/tus` }), anchor: nobody })
