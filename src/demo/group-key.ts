import { fromHex, toHex } from '../evidence/bytes.ts'
import type { GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'

/**
 * What people pass on. A **group key** is the private key: it opens the recordings, and whoever has it can record, too.
 * A **recording key** is the public one: it lets a phone record for the group, and opens nothing. The prefix tells them
 * apart wherever they turn up, so that nobody takes one for the other.
 */
export type ParsedKey =
  | { readonly kind: 'group'; readonly privateKey: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'recording'; readonly publicKey: string }

const RECORDING = 'record_'
const KEY_LINE = /^Key: ([A-Za-z0-9_-]{43})\s*$/m
const RECORDING_KEY_LINE = /^Recording key(?: \(public\))?: (record_[A-Za-z0-9_-]{43})\s*$/m

/** A group key as text: base64url, 43 characters. */
export const encodeKey = (privateKey: Uint8Array) =>
  btoa(String.fromCharCode(...privateKey))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '')

/** A recording key as text: `record_` and base64url, 50 characters. @param publicKey in hex */
export const encodeRecordingKey = (publicKey: string) => RECORDING + encodeKey(fromHex(publicKey))

/** Reads a pasted key, or a whole key file, or says in words what is wrong with it. */
export function parseKey(pasted: string): ParsedKey | string {
  const text = pasted.trim()
  const line = KEY_LINE.exec(text) ?? RECORDING_KEY_LINE.exec(text)
  const key = line?.[1] ?? text.replace(/=$/, '')
  if (key === '') return 'Paste the key first.'
  if (/^0x[0-9a-f]{64}$/i.test(key))
    return 'This is the group’s public id. Ask for its key, or for its recording key.'
  if (/[^A-Za-z0-9_-]/.test(key))
    return 'A key has only letters, digits, “-” and “_”. Copy it again, without spaces or quotes.'
  // A group key may begin like this by chance, but no recording key is as short.
  if (key.startsWith(RECORDING) && key.length !== 43) return parseRecordingKey(key)
  if (key.length !== 43)
    return `A group key has 43 characters; this has ${key.length}. Copy it again, from the first to the last.`
  return { kind: 'group', privateKey: bytesOf(key) }
}

function parseRecordingKey(key: string): ParsedKey | string {
  const { length } = key
  if (length !== RECORDING.length + 43)
    return `A recording key has 50 characters; this has ${length}. Copy it again, from the first to the last.`
  return { kind: 'recording', publicKey: toHex(bytesOf(key.slice(RECORDING.length))) }
}

const bytesOf = (base64url: string) =>
  Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))

/** The text of a key file: it explains itself to whoever finds it later, and can be pasted as a whole. */
export const keyFile = (name: string, { publicKey, privateKey }: GroupKeys, id: GroupId) =>
  [
    `Holdfast group key for “${name}”`,
    '',
    `Key: ${encodeKey(privateKey)}`,
    `Recording key (public): ${encodeRecordingKey(publicKey)}`,
    `Group id (public): ${id}`,
    '',
    'Whoever has the key can open the recordings of this group. Without it nobody can.',
    'To record for the group, a phone needs the recording key alone, which opens nothing.',
    '',
  ].join('\n')
