import { evm, install } from '../../sw/index.ts'
import { ipfs } from '../../sw/adapters/transports/ipfs.ts'
import { pinata } from '../../sw/adapters/transports/pinata.ts'
import type { Transport } from '../../sw/ports/transport.ts'
import { presignedPut } from '../../sw/adapters/transports/put.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import type { Endpoints } from '../backend/index.ts'
import { grantFor, signedUrl } from './variants.ts'

declare const ENDPOINTS: Endpoints
declare const STORE: StoreKind

/** Each with its own kind of secret. */
export type StoreKind = 'ipfs' | 'tus-plain' | 'put' | 'pinata' | 'pinata-signed'

/** From the app's own server, as a secret in the script would be in the browser's cache of scripts. */
const token = async () => (await fetch('/token', { cache: 'no-store' })).text()
const authorize = async () => ({ authorization: `Bearer ${await token()}` })

const pinataBase = { gateway: ENDPOINTS.gateway, uploads: ENDPOINTS.pinata, api: ENDPOINTS.pinata }
const transports: Readonly<Record<StoreKind, () => Transport>> = {
  ipfs: () => ipfs({ endpoint: ENDPOINTS.ipfs, authorize }),
  'tus-plain': () => tus({ endpoint: ENDPOINTS.tusPlain, authorize, secretQuery: true }),
  put: () =>
    presignedPut({
      async grant(request) {
        const granted = await grantFor(ENDPOINTS, await token(), request)
        return { ...granted, headers: { ...granted.headers, 'x-grant-secret': await token() } }
      },
    }),
  pinata: () => pinata({ ...pinataBase, authorize }),
  'pinata-signed': () =>
    pinata({ ...pinataBase, signUpload: async () => signedUrl(ENDPOINTS, await token()) }),
}

install({ transport: transports[STORE](), anchor: evm(ENDPOINTS) })
