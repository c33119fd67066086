import { HoldfastError } from '../protocol/errors.ts'
import type { SessionName } from '../protocol/ids.ts'
import { concat, fromHex, toHex, uint64be, utf8 } from './bytes.ts'
import { open, seal } from './hpke.ts'
import { platformX25519, type X25519 } from './x25519.ts'

/** A JSON object: a session's metadata, or a note. */
export type Note = Readonly<Record<string, unknown>>

/** Of a note as JSON: with it even the largest `session` entry is below what a page can say of an entry. */
export const MAX_NOTE_BYTES = 60_000

const termsOf = (name: SessionName, atMs: number) => ({
  info: concat(utf8('holdfast/note/v2'), fromHex(name), uint64be(atMs)),
})

/**
 * A note, or a session's metadata, sealed to the session's key, in hex.
 *
 * @param atMs the entry's time: `atMs` of a note, `startedAtMs` for metadata
 * @param sealingKey the session's X25519 public key: hex of 32 bytes
 * @throws `bad-input` for one of more than `MAX_NOTE_BYTES`, or a key that is none
 */
export async function sealNote(
  {
    sealingKey,
    name,
    atMs,
    note,
  }: {
    readonly sealingKey: string
    readonly name: SessionName
    readonly atMs: number
    readonly note: Note
  },
  x25519: X25519 = platformX25519,
): Promise<string> {
  const plaintext = utf8(JSON.stringify(note))
  if (plaintext.length > MAX_NOTE_BYTES)
    throw new HoldfastError(
      'bad-input',
      `A note has at most ${MAX_NOTE_BYTES} bytes, not ${plaintext.length}`,
    )
  const toSeal = { publicKey: fromHex(sealingKey), ...termsOf(name, atMs), plaintext }
  return toHex(await seal(toSeal, x25519))
}

/**
 * What `sealNote` was given.
 *
 * @param sessionKey the session's X25519 private key: hex of 32 bytes
 * @throws `bad-input` where it does not open, or is no JSON object
 */
export async function openNote(
  {
    sessionKey,
    sealingKey,
    name,
    atMs,
    sealed,
  }: {
    readonly sessionKey: string
    /** Its public key; computed where it is not at hand. */
    readonly sealingKey?: string
    readonly name: SessionName
    readonly atMs: number
    readonly sealed: string
  },
  x25519: X25519 = platformX25519,
): Promise<Note> {
  const publicKey = sealingKey === undefined ? undefined : fromHex(sealingKey)
  const toOpen = {
    privateKey: fromHex(sessionKey),
    publicKey,
    ...termsOf(name, atMs),
    sealed: fromHex(sealed),
  }
  const plaintext = await open(toOpen, x25519)
  let note: unknown
  try {
    note = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext))
  } catch (cause) {
    throw new HoldfastError('bad-input', 'The note is no JSON', { cause })
  }
  if (typeof note !== 'object' || note === null || Array.isArray(note))
    throw new HoldfastError('bad-input', 'The note is no JSON object')
  return note as Note
}
