import { newPrivateKey, platformX25519, publicKeyOf, type X25519 } from './x25519.ts'

/**
 * X25519 by the platform, or, where it has none, by a library that is loaded then.
 *
 * For pages and Node. A service worker has no `import()`: there `platformX25519` or `libraryX25519` is passed by hand.
 */
export async function x25519(): Promise<X25519> {
  const isThere = await publicKeyOf(newPrivateKey()).then(
    () => true,
    () => false,
  )
  return isThere ? platformX25519 : (await import('./x25519-library.ts')).libraryX25519
}
