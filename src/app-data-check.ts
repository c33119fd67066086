import type { SessionOptions } from './api.ts'
import { bad } from './bad-input.ts'
import { utf8 } from './evidence/bytes.ts'
import { MAX_NOTE_BYTES, type Note } from './evidence/note-seal.ts'
import { HoldfastError } from './protocol/errors.ts'
import { isLabels } from './protocol/labels.ts'

/** @throws HoldfastError `bad-input` naming the option, where it is too much or of another form */
export function checkAppData({ metadata, labels }: Pick<SessionOptions, 'metadata' | 'labels'>): void {
  if (labels !== undefined && !(isPlain(labels) && isLabels(labels)))
    throw bad(
      'labels',
      'texts by names of letters, digits, "_", "." and "-"; as JSON at most 1,024 characters.',
    )
  if (metadata !== undefined) checkNote('metadata', metadata)
}

/** @throws HoldfastError `bad-input`, for what is no JSON object, what JSON does not keep, and too much of it */
export function checkNote(field: 'metadata' | 'note', value: Note): void {
  if (!isPlain(value)) throw bad(field, 'a JSON object.')
  const text = asJson(field, value)
  // Its `toJSON` may make anything of it.
  if (text?.[0] !== '{') throw bad(field, 'as JSON it is no object.')
  const { length } = utf8(text)
  if (length > MAX_NOTE_BYTES) throw bad(field, `at most ${MAX_NOTE_BYTES} bytes, not ${length}.`)
}

function asJson(field: string, value: Note): string | undefined {
  try {
    return JSON.stringify(value, checkKept)
  } catch (error) {
    throw bad(field, HoldfastError.from(error).message)
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
