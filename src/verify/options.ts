import { UNIXFS_V1_2025, type CidProfile } from '../evidence/cid.ts'
import { X25519_BYTES } from '../evidence/x25519.ts'
import { parseSignedHead } from '../evidence/head-parse.ts'
import type { SignedHead } from '../evidence/head.ts'
import { isCid, isSessionName, type Cid } from '../protocol/ids.ts'
import { gateway as gatewayAt } from './gateway.ts'
import { isSeenHead, type SeenHead } from './nodes.ts'
import type { PagesRead } from './page-walk.ts'
import type { Chain } from './rpc.ts'
import type { ObjectSource } from './source.ts'
import { VerificationError, type VerificationStep } from './error.ts'

/** How far the verifier is; `chunksVerified` counts since the last call of `chunks`. */
export interface VerificationProgress {
  readonly step: VerificationStep
  readonly chunksVerified: number
  /** 0 until the log is read. */
  readonly chunksTotal: number
  /** While the pages of the log are fetched. */
  readonly pages?: PagesRead
}

/** Where the registry is, by several nodes, 32 at most, that tell of one chain; of different operators, at best. */
export interface ChainNodes {
  readonly rpcUrls: readonly string[]
  /** `0x` and 40 hex digits. */
  readonly registry: string
}

/** By a chain that has witnessed the session's heads. */
export interface FromChain {
  readonly chain: Chain | ChainNodes
  readonly head?: undefined
  /** The session's name: 64 lower-case hex digits. */
  readonly name: string
}

/** By one of its heads, without a chain. */
export interface FromHead {
  readonly chain?: undefined
  /**
   * Its address at the store, as a snapshot and a link say it, or its 313 bytes; of the newest that can be fetched. Or
   * `newest`: what gateway and sources have under the session's name, and nobody says that there is no newer one.
   */
  readonly head: string | Uint8Array
  /** The head must be of this session. With `newest` it is needed, else it may be left out. */
  readonly name?: string | undefined
}

export type OpenSessionOptions = (FromChain | FromHead) & ReadingOptions

export interface ReadingOptions {
  /**
   * Base of an IPFS HTTP gateway, or of several, which are raced: content is asked for at `<gateway>/ipfs/<cid>`. With
   * `sources` there need be none; 32 at most, `sources` among them.
   */
  readonly gateway?: string | readonly string[] | undefined
  /** Other places where objects lie, raced like gateways: a folder, a CAR file, or your own. */
  readonly sources?: readonly ObjectSource[] | undefined
  /** The private key of a group that the recording was made for: 32 bytes. */
  readonly groupKey: Uint8Array
  /** `heads` of an earlier reading of this session: which of them the chain has no more is told. */
  readonly seen?: readonly SeenHead[] | undefined
  /** Ends this and every later read of the session, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: VerificationProgress) => void) | undefined
  /** Longest silence of a server, in ms; 30 000 unless told otherwise. */
  readonly timeoutMs?: number | undefined
  /** How the store lays out files; `unixfs-v1-2025` unless told otherwise. */
  readonly cidProfile?: CidProfile | undefined
}

const DEFAULT_TIMEOUT_MS = 30_000
const MAX_TIMEOUT_MS = 2 ** 31 - 1 // beyond it timers fire at once
/** Nodes, and sources: all are asked at once in the beginning, and a link may name any number of either. */
const MAX_PLACES = 32

const HTTP_URL = 'an http(s) URL without a password'

/** One that `fetch` takes: with a user or a password it takes none, and says them in what it throws. */
export function isHttpUrl(value: unknown): boolean {
  try {
    if (typeof value !== 'string') return false
    const { protocol, username, password } = new URL(value)
    return /^https?:$/.test(protocol) && username + password === ''
  } catch {
    return false
  }
}

/** @throws VerificationError (`bad-input`) */
export function refuse(field: string, expected: string): never {
  throw new VerificationError('bad-input', 'checking the arguments', `${field} must be ${expected}`)
}

function nodesOf(chain: Chain | ChainNodes | undefined): Chain[] {
  if (typeof chain !== 'object' || chain === null) refuse('chain.rpcUrl', HTTP_URL)
  if (!('rpcUrls' in chain)) return [{ ...chain }]
  if (!Array.isArray(chain.rpcUrls)) refuse('chain.rpcUrls', 'a list of URLs')
  return chain.rpcUrls.map((rpcUrl) => ({ rpcUrl, registry: chain.registry }))
}

/** @throws VerificationError (`bad-input`) for what is no chain to ask, or no time to wait */
export function checkChain(chain: Chain, timeoutMs = DEFAULT_TIMEOUT_MS) {
  return { chain: checkNodes(chain, timeoutMs)[0]!, timeoutMs }
}

/** @throws VerificationError (`bad-input`) for a call without options */
export function checkObject(options: object): void {
  if (typeof options !== 'object' || options === null) refuse('The options', 'an object')
}

/** @throws VerificationError (`bad-input`) for what are no nodes to ask, or no time to wait */
export const checkChains = (chain: Chain | ChainNodes, timeoutMs = DEFAULT_TIMEOUT_MS) => ({
  chains: checkNodes(chain, timeoutMs),
  timeoutMs,
})

function checkNodes(chain: Chain | ChainNodes, timeoutMs: number): Chain[] {
  const nodes = nodesOf(chain)
  if (nodes.length === 0) refuse('chain.rpcUrls', 'at least one URL')
  if (nodes.length > MAX_PLACES) refuse('chain.rpcUrls', `at most ${MAX_PLACES} URLs`)
  if (!nodes.every(({ rpcUrl }) => isHttpUrl(rpcUrl))) refuse('chain.rpcUrl', HTTP_URL)
  if (!/^0x[0-9a-f]{40}$/i.test(chain.registry)) refuse('chain.registry', '0x and 40 hex digits')
  checkTimeout(timeoutMs)
  // One that is named twice agrees with itself.
  const hrefs = nodes.map(({ rpcUrl }) => new URL(rpcUrl).href)
  return nodes.filter((_, at) => hrefs.indexOf(hrefs[at]!) === at)
}

function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS))
    refuse('timeoutMs', `more than 0 and at most ${MAX_TIMEOUT_MS}`)
}

/**
 * The arguments, checked: what JavaScript callers pass may be anything.
 *
 * @throws VerificationError (`bad-input`) that names the first wrong one
 */
export function checkOptions(options: OpenSessionOptions) {
  checkObject(options)
  const { name, groupKey, timeoutMs = DEFAULT_TIMEOUT_MS, sources = [], seen = [] } = options
  const gateways = typeof options.gateway === 'string' ? [options.gateway] : (options.gateway ?? [])
  const profile = options.cidProfile ?? UNIXFS_V1_2025
  const head = options.head === undefined ? undefined : checkHead(options.head)
  if (head && options.chain) refuse('head', 'left out, where a chain is asked')
  if (!isSessionName(name) && !(head && head !== 'newest' && name === undefined))
    return refuse('name', '64 lower-case hex digits')
  checkPrivateKey(groupKey, 'groupKey')
  const chains = head ? [] : checkNodes(options.chain!, timeoutMs)
  checkTimeout(timeoutMs)
  if (!Array.isArray(gateways) || !gateways.every(isHttpUrl)) return refuse('gateway', HTTP_URL)
  if (!Array.isArray(sources) || !sources.every((source) => typeof source?.get === 'function'))
    return refuse('sources', 'a list of sources, each with get')
  if (!Array.isArray(seen) || !seen.every(isSeenHead)) return refuse('seen', 'heads of an earlier reading')
  const places = gateways.length + sources.length
  if (places === 0) return refuse('gateway', `${HTTP_URL}, where there is no other source`)
  if (places > MAX_PLACES) return refuse('gateway', `at most ${MAX_PLACES}, with other sources`)
  if (!(profile.leafBytes >= 1 && profile.maxLinks >= 2)) {
    return refuse('cidProfile', 'leafBytes from 1 and maxLinks from 2')
  }
  // A copy of the key, so that the caller may overwrite its own.
  return {
    chains,
    head,
    name,
    groupKey: Uint8Array.from(groupKey),
    sources: [...gateways.map((url) => gatewayAt(url, timeoutMs)), ...sources],
    timeoutMs,
    profile,
  }
}

function checkHead(head: string | Uint8Array): Cid | SignedHead | 'newest' {
  if (head === 'newest' || isCid(head)) return head
  if (!(head instanceof Uint8Array)) return refuse('head', 'its address, its bytes, or newest')
  try {
    return parseSignedHead(head)
  } catch (cause) {
    return refuse('head', `its address, its bytes, or newest; ${cause instanceof Error ? cause.message : ''}`)
  }
}

/** @throws VerificationError (`bad-input`) */
export function checkPrivateKey(key: Uint8Array, field: string): void {
  if (!(key instanceof Uint8Array) || key.length !== X25519_BYTES)
    refuse(field, `a Uint8Array of ${X25519_BYTES} bytes`)
}
