import type { SessionOptions } from './api.ts'
import { checkAppData, checkNote } from './app-data-check.ts'
import { bad } from './bad-input.ts'
import type { Connection } from './connection.ts'
import { sealNote, type Note } from './evidence/note-seal.ts'
import type { X25519 } from './evidence/x25519.ts'
import type { SessionName } from './protocol/ids.ts'
import type { Labels } from './protocol/labels.ts'
import { MAX_NOTES, type SessionStart } from './protocol/messages.ts'
import { requestWithRetry, type RetryOptions } from './request-with-retry.ts'
import type { Acquire } from './semaphore.ts'
import type { Begun } from './session.ts'
import { tryAgain } from './try-again.ts'

/**
 * The session's start with the app's own data.
 *
 * @param given both as they were when they were given, in JSON; undefined where JSON did not know them
 * @throws HoldfastError `bad-input` naming the option, where it is too much or of another form
 */
export async function withAppData(
  start: SessionStart,
  name: SessionName,
  options: Pick<SessionOptions, 'metadata' | 'labels'>,
  agree: X25519,
  given?: string,
): Promise<SessionStart> {
  // What goes on with another was looked at when that began.
  if (!start.continues) checkAppData(options)
  if (given === undefined) throw unknownToJson('metadata')
  const [note, labels] = JSON.parse(given) as [Note | null, Labels | null]
  const labelled = { ...start, ...(labels && { labels }) }
  if (!note) return labelled
  const { sealingKey, startedAtMs: atMs } = start
  const metadata = await tryAgain(() => sealNote({ sealingKey, name, atMs, note }, agree))
  return { ...labelled, metadata }
}

/** What passes the check is what the app has made of it since. */
const unknownToJson = (field: string) => bad(field, 'JSON did not know it when it was given.')

/** Of a session's notes, sealed: they are in its log for as long as the device keeps that, and can fill no reserve. */
const MAX_NOTES_BYTES = 1_000_000

/** A note as the app gave it. */
export interface GivenNote {
  readonly value: Note
  /** The same in JSON, as it was then; undefined where JSON does not know it. */
  readonly given: string | undefined
  readonly atMs: number
}

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
  { value, given, atMs }: GivenNote,
  options: RetryOptions,
): Promise<void> {
  checkNote('note', value)
  if (given === undefined) throw unknownToJson('note')
  const release = await notes.acquire()
  try {
    if (notes.count >= MAX_NOTES)
      throw bad('note', `a session has at most ${MAX_NOTES}: put several into one, or begin another session.`)
    const terms = { sealingKey, name, atMs, note: JSON.parse(given) as Note }
    const text = await tryAgain(() => sealNote(terms, agree), options.onStalled)
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
