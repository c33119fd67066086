import type { Group } from '../api.ts'

const KEY = /^[A-Za-z0-9_-]{43}$/
const KEY_LINE = /^Key: ([A-Za-z0-9_-]{43})\s*$/m

/** A group's secret as people pass it on: base64url, 43 characters. */
export const encodeKey = (secret: Uint8Array) =>
  btoa(String.fromCharCode(...secret))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace('=', '')

/**
 * Reads a pasted key, or a whole key file, or says in words what is wrong with it.
 *
 * @returns 32 bytes, or the complaint
 */
export function parseKey(pasted: string): Uint8Array<ArrayBuffer> | string {
  const text = pasted.trim()
  const key = KEY_LINE.exec(text)?.[1] ?? text.replace(/=$/, '')
  if (key === '') return 'Paste the group key first.'
  if (/^0x[0-9a-f]{64}$/i.test(key)) return 'This is the group’s public id. Ask for its key: 43 characters.'
  if (/[^A-Za-z0-9_-]/.test(key))
    return 'A group key has only letters, digits, “-” and “_”. Copy it again, without spaces or quotes.'
  if (!KEY.test(key))
    return `A group key has 43 characters; this has ${key.length}. Copy it again, from the first to the last.`
  return Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
}

/** The text of a key file: it explains itself to whoever finds it later, and can be pasted as a whole. */
export const keyFile = (name: string, group: Group) =>
  [
    `Holdfast group key for “${name}”`,
    '',
    `Key: ${encodeKey(group.secret)}`,
    `Group id (public): ${group.id}`,
    '',
    'Whoever has this key can open the recordings of this group. Without it nobody can.',
    '',
  ].join('\n')
