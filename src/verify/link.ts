import { isCid, isSessionName, type Cid, type SessionName } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'

/** What a reader needs to find a recording, as far as a link says it. */
export interface SessionLink {
  readonly name: SessionName
  /** Nodes of the chain. */
  readonly rpcUrls: readonly string[]
  readonly registry?: string
  /** The address of its newest head at the store, where no chain leads there. */
  readonly head?: Cid
  readonly gateways: readonly string[]
  /** The private key of a group: who has such a link opens every recording of the group. */
  readonly groupKey?: Uint8Array<ArrayBuffer>
}

const VERSION = '2'
const KEY_BYTES = 32

/**
 * A link to a recording: all of it is in the fragment, which browsers send to no server.
 *
 * `<base>#holdfast=2&name=<64 hex>&node=<url>&registry=<0x…>&head=<cid>&gateway=<url>&key=<base64url>`: `holdfast` is the version
 * of the evidence format, `node` and `gateway` may come several times, and all but the first two may be missing.
 *
 * @param base the page that opens it; its own fragment is left out
 * @throws VerificationError `bad-input`, without the key
 */
export function formatLink(base: string, link: SessionLink): string {
  const { name, rpcUrls, registry, head, gateways, groupKey } = { ...link }
  if (typeof base !== 'string') throw refused('below the page that opens it, a text')
  if (!isSessionName(name)) throw refused('with a name of 64 lower-case hex digits')
  if (!Array.isArray(rpcUrls) || !Array.isArray(gateways))
    throw refused('with rpcUrls and gateways, lists of URLs')
  const fields = new URLSearchParams({ holdfast: VERSION, name })
  for (const url of rpcUrls) fields.append('node', url)
  if (registry !== undefined) fields.append('registry', registry)
  if (head !== undefined) fields.append('head', head)
  for (const url of gateways) fields.append('gateway', url)
  if (groupKey !== undefined) fields.append('key', keyText(groupKey))
  return `${base.replace(/#.*$/s, '')}#${fields}`
}

/**
 * What a link, or its fragment, says; a bare name is a link too. Nothing before the fragment is looked at.
 *
 * @throws VerificationError `bad-input` that says what is wrong, without the key
 */
export function parseLink(text: string): SessionLink {
  const link = textOf(text)
  if (isSessionName(link)) return { name: link, rpcUrls: [], gateways: [] }
  const at = link.indexOf('#')
  const fields = new URLSearchParams(at < 0 ? '' : link.slice(at + 1))
  const version = fields.get('holdfast')
  if (version === null) throw refused('a name of 64 hex digits, or have #holdfast=2 and what follows')
  if (version !== VERSION) throw refused(`of version ${VERSION}, found ${version.slice(0, 20)}`)
  const name = fields.get('name')
  if (!isSessionName(name)) throw refused('with a name of 64 lower-case hex digits')
  const registry = fields.get('registry')
  const head = fields.get('head')
  if (head !== null && !isCid(head)) throw refused('with a content address as its head')
  const key = fields.get('key')
  return {
    name,
    rpcUrls: fields.getAll('node'),
    gateways: fields.getAll('gateway'),
    ...(registry !== null && { registry }),
    ...(head !== null && { head }),
    ...(key !== null && { groupKey: parseKey(key) }),
  }
}

/**
 * A group's private key as text: base64url, 43 characters.
 *
 * @throws VerificationError `bad-input`
 */
export function keyText(key: Uint8Array): string {
  if (!(key instanceof Uint8Array && key.length === KEY_BYTES)) throw refusedKey()
  return btoa(String.fromCharCode(...key))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** What is no text says nothing. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')

/**
 * The key that a text is: `keyText`, or 64 hex digits.
 *
 * @throws VerificationError `bad-input`, without the text
 */
export function parseKey(text: string): Uint8Array<ArrayBuffer> {
  const key = textOf(text)
  if (/^[0-9a-f]{64}$/i.test(key))
    return Uint8Array.from({ length: KEY_BYTES }, (_, at) => parseInt(key.slice(2 * at, 2 * at + 2), 16))
  if (!/^[\w-]{43}=?$/.test(key)) throw refusedKey()
  const bytes = Uint8Array.from(atob(key.slice(0, 43).replaceAll('-', '+').replaceAll('_', '/')), (c) =>
    c.charCodeAt(0),
  )
  if (keyText(bytes) !== key.slice(0, 43)) throw refusedKey()
  return bytes
}

const refused = (expected: string) =>
  new VerificationError('bad-input', 'checking the arguments', `The link must be ${expected}`)
const refusedKey = () =>
  new VerificationError(
    'bad-input',
    'checking the arguments',
    "The key must be a group's private key: 32 bytes, as text 43 characters of base64url or 64 hex digits",
  )
