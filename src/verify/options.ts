import { UNIXFS_V1_2025, type CidProfile } from '../evidence/cid.ts'
import { X25519_BYTES } from '../evidence/x25519.ts'
import { isSessionName } from '../protocol/ids.ts'
import { gateway as gatewayAt } from './gateway.ts'
import type { SeenHead } from './nodes.ts'
import type { Chain } from './rpc.ts'
import type { ObjectSource } from './source.ts'
import { VerificationError, type VerificationStep } from './error.ts'

/** How far the verifier is; `chunksVerified` counts since the last call of `chunks`. */
export interface VerificationProgress {
  readonly step: VerificationStep
  readonly chunksVerified: number
  /** 0 until the log is read. */
  readonly chunksTotal: number
}

/** Where the registry is, by several nodes that tell of one chain; of different operators, at best. */
export interface ChainNodes {
  readonly rpcUrls: readonly string[]
  /** `0x` and 40 hex digits. */
  readonly registry: string
}

export interface OpenSessionOptions {
  readonly chain: Chain | ChainNodes
  /**
   * Base of an IPFS HTTP gateway, or of several, which are raced: content is asked for at `<gateway>/ipfs/<cid>`. With
   * `sources` there need be none.
   */
  readonly gateway?: string | readonly string[]
  /** Other places where objects lie, raced like gateways: a folder, a CAR file, or your own. */
  readonly sources?: readonly ObjectSource[]
  /** The session's name: 64 lower-case hex digits. */
  readonly name: string
  /** The private key of a group that the recording was made for: 32 bytes. */
  readonly groupKey: Uint8Array
  /** `heads` of an earlier reading of this session: which of them the chain has no more is told. */
  readonly seen?: readonly SeenHead[]
  /** Ends this and every later read of the session, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (progress: VerificationProgress) => void
  /** Longest silence of a server, in ms; 30 000 unless told otherwise. */
  readonly timeoutMs?: number
  /** How the store lays out files; `unixfs-v1-2025` unless told otherwise. */
  readonly cidProfile?: CidProfile
}

const DEFAULT_TIMEOUT_MS = 30_000
const MAX_TIMEOUT_MS = 2 ** 31 - 1 // beyond it timers fire at once

function isHttpUrl(value: unknown): boolean {
  try {
    return typeof value === 'string' && /^https?:$/.test(new URL(value).protocol)
  } catch {
    return false
  }
}

const nodesOf = (chain: Chain | ChainNodes | undefined): Chain[] =>
  chain && 'rpcUrls' in chain
    ? chain.rpcUrls.map((rpcUrl) => ({ rpcUrl, registry: chain.registry }))
    : [{ ...chain! }]

/**
 * The arguments, checked: what JavaScript callers pass may be anything.
 *
 * @throws VerificationError (`bad-input`) that names the first wrong one
 */
export function checkOptions(options: OpenSessionOptions) {
  const { chain, name, groupKey, timeoutMs = DEFAULT_TIMEOUT_MS, sources = [] } = options
  const gateways = typeof options.gateway === 'string' ? [options.gateway] : (options.gateway ?? [])
  const profile = options.cidProfile ?? UNIXFS_V1_2025
  const refuse = (field: string, expected: string): never => {
    throw new VerificationError('bad-input', 'checking the arguments', `${field} must be ${expected}`)
  }
  if (!isSessionName(name)) return refuse('name', '64 lower-case hex digits')
  if (!(groupKey instanceof Uint8Array) || groupKey.length !== X25519_BYTES) {
    return refuse('groupKey', `a Uint8Array of ${X25519_BYTES} bytes`)
  }
  const chains = nodesOf(chain)
  if (chains.length === 0) return refuse('chain.rpcUrls', 'at least one URL')
  if (!chains.every(({ rpcUrl }) => isHttpUrl(rpcUrl))) return refuse('chain.rpcUrl', 'an http(s) URL')
  if (!/^0x[0-9a-f]{40}$/i.test(chain.registry)) return refuse('chain.registry', '0x and 40 hex digits')
  if (!gateways.every(isHttpUrl)) return refuse('gateway', 'an http(s) URL')
  if (gateways.length + sources.length === 0)
    return refuse('gateway', 'an http(s) URL, where there is no other source')
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    return refuse('timeoutMs', `more than 0 and at most ${MAX_TIMEOUT_MS}`)
  }
  if (!(profile.leafBytes >= 1 && profile.maxLinks >= 2)) {
    return refuse('cidProfile', 'leafBytes from 1 and maxLinks from 2')
  }
  // A copy of the key, so that the caller may overwrite its own.
  return {
    chains,
    name,
    groupKey: Uint8Array.from(groupKey),
    sources: [...gateways.map((url) => gatewayAt(url, timeoutMs)), ...sources],
    timeoutMs,
    profile,
  }
}
