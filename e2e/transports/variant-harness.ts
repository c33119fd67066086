import type { TransportHarness } from '../../sw/contracts/transport.contract.ts'
import type { Backend, ResumableControl, TusControl } from '../backend/index.ts'
import { transportHarness, type HarnessOptions } from '../backend/transport-harness.ts'
import { transportOf, type VariantName } from './variants.ts'

/** Parts of tus and resumable uploads, small enough that an upload of the contract has several. */
export const PART_BYTES = 200_000

const TUS = { partBytes: PART_BYTES, sends: { service: 'tus', method: 'PATCH', match: '/tus/' } } as const
const RESUMABLE = {
  partBytes: PART_BYTES,
  sends: { service: 'resumable', method: 'PATCH', match: '/resumable/' },
} as const
const PUT = { sends: { service: 'put', method: 'PUT', match: '/put/objects/' } } as const
const PINATA = { sends: { service: 'pinata', method: 'POST', match: '/pinata/v3/files' } } as const

type Traits = Pick<HarnessOptions, 'sends' | 'partBytes' | 'findsByName' | 'readable'>

const TRAITS: Readonly<Record<VariantName, Traits>> = {
  ipfs: { sends: { service: 'ipfs', method: 'POST', match: '/api/v0/add' } },
  tus: TUS,
  'tus-plain': { ...TUS, sends: { ...TUS.sends, match: '/tus-plain/' }, findsByName: false },
  resumable: { ...RESUMABLE, findsByName: false },
  'resumable-mute': { ...RESUMABLE, sends: { ...RESUMABLE.sends, match: '/resumable-mute/' } },
  put: PUT,
  'put-mute': PUT,
  pinata: PINATA,
  'pinata-legacy': { ...PINATA, readable: false },
  'pinata-signed': { sends: { ...PINATA.sends, match: '/pinata/signed' } },
}

interface Elsewhere extends Pick<HarnessOptions, 'partBytes' | 'kill'> {
  readonly make: typeof transportOf
}

/** The contract's view of this backend, for a variant; its transports run here, in Node, or elsewhere. */
export function variantHarness(
  backend: Backend,
  variant: VariantName,
  token: string,
  elsewhere: Elsewhere = { make: transportOf },
): TransportHarness {
  const { endpoints } = backend
  const { make, ...own } = elsewhere
  const traits = { ...TRAITS[variant], ...own }
  const { partBytes } = traits
  backend.pinata.addressAs(variant === 'pinata-legacy' ? 'legacy' : 'modern')
  const uploads: Partial<Record<VariantName, TusControl | ResumableControl>> = {
    tus: backend.tus,
    'tus-plain': backend.tusPlain,
    resumable: backend.resumable,
    'resumable-mute': backend.resumableMute,
  }
  const vanish = uploads[variant]?.vanish
  return transportHarness(backend, {
    ...traits,
    secret: token,
    ...(vanish && { vanish }),
    make: (timeoutMs, note) =>
      make(
        variant,
        {
          endpoints,
          token,
          ...(timeoutMs !== undefined && { timeoutMs }),
          ...(partBytes !== undefined && { partBytes }),
        },
        note,
      ),
  })
}
