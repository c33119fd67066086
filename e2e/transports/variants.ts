import { ipfs } from '../../sw/adapters/transports/ipfs.ts'
import { pinata } from '../../sw/adapters/transports/pinata.ts'
import type { Transport } from '../../sw/ports/transport.ts'
import { presignedPut, type Granted, type GrantRequest } from '../../sw/adapters/transports/put.ts'
import { resumable } from '../../sw/adapters/transports/resumable.ts'
import type { AuthReason } from '../../sw/http/with-auth.ts'
import { tus } from '../../sw/adapters/transports/tus.ts'
import type { Endpoints } from '../backend/index.ts'

/** What a variant is made of, in Node and in a browser's worker alike. */
export interface VariantSettings {
  readonly endpoints: Endpoints
  /** A token that the app's server takes; the transport's secret. */
  readonly token: string
  readonly timeoutMs?: number
  readonly partBytes?: number
}

/** Each configuration of a transport that the contract holds for. */
export type VariantName =
  | 'ipfs'
  | 'tus'
  | 'tus-plain'
  | 'resumable'
  | 'resumable-mute'
  | 'put'
  | 'put-mute'
  | 'pinata'
  | 'pinata-legacy'
  | 'pinata-signed'

/** Makes the transport of a variant; its hooks tell `note` why they were asked. */
export function transportOf(
  variant: VariantName,
  settings: VariantSettings,
  note: (reason: AuthReason) => void,
): Transport {
  const { endpoints, token, timeoutMs, partBytes } = settings
  const timeout = timeoutMs === undefined ? {} : { timeoutMs }
  const headers = { authorization: `Bearer ${token}` }
  const authorize = async ({ reason }: { reason: AuthReason }) => {
    note(reason)
    return headers
  }
  const pinataBase = { gateway: endpoints.gateway, uploads: endpoints.pinata, api: endpoints.pinata }
  switch (variant) {
    case 'ipfs':
      return ipfs({ endpoint: endpoints.ipfs, authorize, ...timeout })
    case 'tus':
    case 'tus-plain':
      return tus({
        endpoint: variant === 'tus' ? endpoints.tus : endpoints.tusPlain,
        authorize,
        // The plain server's URLs are signed.
        secretQuery: variant === 'tus-plain',
        ...timeout,
        ...(partBytes !== undefined && { partBytes }),
      })
    case 'resumable':
      return resumable({
        endpoint: endpoints.resumable,
        authorize,
        ...timeout,
        ...(partBytes !== undefined && { partBytes }),
      })
    case 'resumable-mute':
      return resumable({
        endpoint: endpoints.resumableMute,
        authorize,
        readUrl: ({ cid }) => `${endpoints.gateway}/ipfs/${cid}`,
        // Its upload URLs are signed.
        secretQuery: true,
        ...timeout,
        ...(partBytes !== undefined && { partBytes }),
      })
    case 'put':
    case 'put-mute':
      return presignedPut({
        ...timeout,
        grant: (request) => {
          if (request.method === 'PUT') note(request.reason)
          return grantFor(endpoints, token, request, { mute: variant === 'put-mute' })
        },
      })
    case 'pinata':
    case 'pinata-legacy':
      return pinata({ ...pinataBase, authorize, ...timeout })
    case 'pinata-signed':
      return pinata({
        ...pinataBase,
        ...timeout,
        signUpload: ({ reason }) => {
          note(reason)
          return signedUrl(endpoints, token)
        },
      })
    default:
      return variant satisfies never
  }
}

/** A bearer token of the app's own server. */
export async function newToken(endpoints: Endpoints): Promise<string> {
  const response = await fetch(`${endpoints.put}/token`, { method: 'POST' })
  return ((await response.json()) as { token: string }).token
}

export interface Wish {
  readonly expiresSec?: number
  /** The store is given no checksum, and so tells none. */
  readonly mute?: boolean
}

/** A presigned request, as an app would ask its server for it. */
export async function grantFor(
  endpoints: Endpoints,
  token: string,
  request: GrantRequest,
  { expiresSec, mute = false }: Wish = {},
): Promise<Granted> {
  const { checksum, ...rest } = request
  const response = await fetch(`${endpoints.put}/grant`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...rest,
      ...(!mute && { checksum }),
      ...(expiresSec !== undefined && { expiresSec }),
    }),
  })
  if (!response.ok) throw new Error(`The app's server answered ${response.status}`)
  return (await response.json()) as Granted
}

/** A signed upload URL of Pinata, as the app's own server asks for it, which has the JWT. */
export async function signedUrl(endpoints: Endpoints, token: string, expires = 60): Promise<string> {
  const response = await fetch(`${endpoints.pinata}/v3/files/sign`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ date: Math.floor(Date.now() / 1000), expires }),
  })
  return ((await response.json()) as { data: string }).data
}
