import type { SessionOptions } from './api.ts'
import { bad } from './bad-input.ts'
import type { Connection } from './connection.ts'
import { sealNote, type Note } from './evidence/note-seal.ts'
import type { X25519 } from './evidence/x25519.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { SessionName } from './protocol/ids.ts'
import { isLabels } from './protocol/labels.ts'
import { MAX_NOTES, type SessionStart } from './protocol/messages.ts'
import { requestWithRetry, type RetryOptions } from './request-with-retry.ts'
import type { Acquire } from './semaphore.ts'
import type { Begun } from './session.ts'

/**
 * The session's start with the app's own data.
 *
 * @throws HoldfastError `bad-input` naming the option, where it is too much or of another form
 */
export async function withAppData(
  start: SessionStart,
  name: SessionName,
  { metadata, labels }: Pick<SessionOptions, 'metadata' | 'labels'>,
  agree: X25519,
): Promise<SessionStart> {
  if (labels !== undefined && !(isPlain(labels) && isLabels(labels)))
    throw bad(
      'labels',
      'texts by names of letters, digits, "_", "." and "-"; as JSON at most 1,024 characters.',
    )
  if (metadata === undefined) return { ...start, labels }
  const { sealingKey, startedAtMs: atMs } = start
  return { ...start, labels, metadata: await sealed('metadata', metadata, { sealingKey, name, atMs }, agree) }
}

/** Of a session's notes, sealed: they are in its log for as long as the device keeps that, and can fill no reserve. */
const MAX_NOTES_BYTES = 1_000_000

/** What is known of a session's notes. */
export interface Notes {
  /** How many were handed over, and what they weigh, sealed; absent: nothing. */
  count: number
  bytes?: number
  /** One after the other: the worker knows them by their order. */
  readonly acquire: Acquire
}

/**
 * Seals a note and hands it over until the worker has it, who knows a repetition by its number.
 *
 * @throws HoldfastError `bad-input`, a refusal that cannot pass; the signal's reason
 */
export async function handNote(
  connection: Connection,
  { id, name, sealingKey, agree }: Begun,
  notes: Notes,
  note: Note,
  atMs: number,
  options: RetryOptions,
): Promise<void> {
  const release = await notes.acquire()
  try {
    if (notes.count >= MAX_NOTES)
      throw bad('note', `a session has at most ${MAX_NOTES}: put several into one, or begin another session.`)
    const text = await sealed('note', note, { sealingKey, name, atMs }, agree)
    const bytes = (notes.bytes ?? 0) + text.length / 2
    if (bytes > MAX_NOTES_BYTES)
      throw bad(
        'note',
        `those of a session have ${MAX_NOTES_BYTES} bytes at most: begin another, or append it.`,
      )
    options.signal?.throwIfAborted()
    notes.bytes = bytes
    const request = { type: 'note', sessionId: id, index: notes.count++, atMs, sealed: text } as const
    await requestWithRetry(connection, () => connection.request(request), options)
  } finally {
    release()
  }
}

async function sealed(
  field: 'metadata' | 'note',
  value: Note,
  terms: { sealingKey: string; name: SessionName; atMs: number },
  agree: X25519,
) {
  if (!isPlain(value)) throw bad(field, 'a JSON object.')
  try {
    // Its `toJSON` may make anything of it.
    if (JSON.stringify(value, checkKept)?.[0] !== '{') throw new TypeError('as JSON it is no object.')
    return await sealNote({ ...terms, note: value }, agree)
  } catch (error) {
    // What JSON does not know, and what is too large.
    if (error instanceof TypeError || isHoldfastError(error, 'bad-input')) throw bad(field, error.message)
    throw error
  }
}

/** No Map, Date, Blob or array. */
const isPlain = (value: unknown) => ({}).toString.call(value) === '[object Object]'

/** @throws TypeError for what JSON would leave out, or make something else of, without a word */
function checkKept(this: unknown, name: string, value: unknown): unknown {
  const isKept =
    value === null ||
    ['string', 'boolean'].includes(typeof value) ||
    Number.isFinite(value) ||
    Array.isArray(value) ||
    isPlain(value) ||
    (value === undefined && !Array.isArray(this))
  if (!isKept) throw new TypeError(`JSON does not keep what "${name}" is.`)
  return value
}
