import type { ConnectOptions, Holdfast } from './api.ts'

/**
 * Registers the app's worker and connects to it.
 *
 * @throws HoldfastError `no-service-worker`, `worker-timeout`, `protocol-mismatch`
 */
export async function connect(options: ConnectOptions): Promise<Holdfast> {
  throw new Error(`not yet: ${options.scriptUrl}`)
}
