import type { SessionOptions } from './api.ts'
import { bad } from './bad-input.ts'
import { sealNote, type Note } from './evidence/note-seal.ts'
import type { X25519 } from './evidence/x25519.ts'
import { isHoldfastError } from './protocol/errors.ts'
import type { SessionName } from './protocol/ids.ts'
import { isLabels } from './protocol/labels.ts'
import type { SessionStart } from './protocol/messages.ts'

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
  return { ...start, labels, metadata: await sealed(metadata, { sealingKey, name, atMs }, agree) }
}

async function sealed(
  metadata: Note,
  terms: { sealingKey: string; name: SessionName; atMs: number },
  agree: X25519,
) {
  if (!isPlain(metadata)) throw bad('metadata', 'a JSON object.')
  try {
    JSON.stringify(metadata, checkKept)
    return await sealNote({ ...terms, note: metadata }, agree)
  } catch (error) {
    // What JSON does not know, and what is too large.
    if (error instanceof TypeError || isHoldfastError(error, 'bad-input'))
      throw bad('metadata', error.message)
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
