import { fromHex, toHex } from '../evidence/bytes.ts'
import type { GroupKeys } from '../group.ts'
import type { GroupId } from '../protocol/ids.ts'
import { texts } from './texts.ts'

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
  const { wrong } = texts.keys
  const line = KEY_LINE.exec(text) ?? RECORDING_KEY_LINE.exec(text)
  const key = line?.[1] ?? text.replace(/=$/, '')
  if (key === '') return wrong.empty
  if (/^0x[0-9a-f]{64}$/i.test(key)) return wrong.isId
  if (/[^A-Za-z0-9_-]/.test(key)) return wrong.characters
  // A group key may begin like this by chance, but no recording key is as short.
  if (key.startsWith(RECORDING) && key.length !== 43) return parseRecordingKey(key)
  if (key.length !== 43) return wrong.groupLength(key.length)
  return { kind: 'group', privateKey: bytesOf(key) }
}

function parseRecordingKey(key: string): ParsedKey | string {
  const { length } = key
  if (length !== RECORDING.length + 43) return texts.keys.wrong.recordingLength(length)
  return { kind: 'recording', publicKey: toHex(bytesOf(key.slice(RECORDING.length))) }
}

const bytesOf = (base64url: string) =>
  Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))

/** The text of a key file: it explains itself to whoever finds it later, and can be pasted as a whole. */
export const keyFile = (name: string, { publicKey, privateKey }: GroupKeys, id: GroupId) =>
  [
    texts.keys.file.title(name),
    '',
    `Key: ${encodeKey(privateKey)}`,
    `Recording key (public): ${encodeRecordingKey(publicKey)}`,
    `Group id (public): ${id}`,
    '',
    texts.keys.file.whoHas,
    texts.keys.file.toRecord,
    '',
  ].join('\n')
