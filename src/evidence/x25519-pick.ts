import { HoldfastError } from '../protocol/errors.ts'
import { hasX25519, platformX25519, type X25519 } from './x25519.ts'

/**
 * X25519 by the platform, or, where it has none, by a library that is loaded then.
 *
 * For pages and Node: a service worker has no `import()`.
 *
 * @throws HoldfastError `unsupported-browser` where the library cannot be loaded
 */
export async function x25519(): Promise<X25519> {
  if (await hasX25519()) return platformX25519
  try {
    return (await import('./x25519-library.ts')).libraryX25519
  } catch (cause) {
    throw new HoldfastError('unsupported-browser', 'This page lacks X25519, and its library.', { cause })
  }
}
