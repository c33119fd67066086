import type { ConnectOptions, Holdfast } from './api.ts'
import { HoldfastError } from './protocol/errors.ts'

// What `holdfast` is in Node, where apps are rendered and tested: the names of index.ts, without workbox, which Node
// cannot import.

export { HoldfastError, isHoldfastError, ERRORS } from './protocol/errors.ts'

/** @throws HoldfastError `no-service-worker`, always */
export async function connect(_options: ConnectOptions): Promise<Holdfast> {
  throw new HoldfastError(
    'no-service-worker',
    'connect() belongs in a page of a browser, and this is the entry for Node. Where it is bundled for a page, build for browsers.',
  )
}
