import { HoldfastError } from '../src/protocol/errors.ts'
import type { CreateWake } from './ports/platform.ts'

// What `holdfast/sw/workbox` is in Node: see index.node.ts.

/** @throws HoldfastError `no-service-worker`, always */
export const workboxSync: CreateWake = () => {
  throw new HoldfastError('no-service-worker', 'workboxSync belongs in a service worker; this is Node.')
}
