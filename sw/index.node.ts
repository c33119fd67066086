import { HoldfastError } from '../src/protocol/errors.ts'
import type { InstallOptions } from './install.ts'

// What `holdfast/sw` is in Node, where apps are tested: the names of index.ts, without workbox, which Node cannot
// import.

export { evm } from './adapters/anchors/evm.ts'
export { ipfs } from './adapters/transports/ipfs.ts'

/** @throws HoldfastError `no-service-worker`, always */
export function install(_options: InstallOptions): void {
  throw new HoldfastError(
    'no-service-worker',
    'install() belongs in a service worker, and this is the entry for Node. Where it is bundled for a worker, build for browsers.',
  )
}
