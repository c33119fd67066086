import type { ReadNote } from '../verify/index.ts'
import { formatClock } from './format.ts'
import type { Finding } from './reading-report.ts'
import { texts } from './texts.ts'

/** So many are told; the others are counted. */
const MAX_TOLD = 20

/** What a recording says of itself: what its recorder wrote (docs/evidence-format.md), and what its app did. */
export function noteFindings({
  notes,
  startedAtMs,
}: {
  readonly notes: readonly ReadNote[]
  readonly startedAtMs: number
}): Finding[] {
  const told = notes.slice(0, MAX_TOLD).map((note) => finding(note, formatClock(note.atMs - startedAtMs)))
  const left = notes.length - told.length
  return left > 0 ? [...told, { about: 'note', tone: 'wait', words: texts.notes.more(left) }] : told
}

function finding({ value }: ReadNote, when: string): Finding {
  const words = texts.notes
  const note = (text: string, tone: Finding['tone'] = 'wait'): Finding => ({
    about: 'note',
    tone,
    words: text,
  })
  switch (value?.['holdfast']) {
    case 'test-picture':
      return note(words.testPicture, 'alert')
    case 'continued':
      return note(value['after'] === 'lost' ? words.continuedLost : words.continuedFrozen)
    case 'source':
      return note(words.source(when, stateWords(value)))
  }
  const told = value && textOf(value)
  return note(told === undefined ? words.unreadable(when) : words.own(when, told))
}

/** Undefined where it is nested deeper than can be written: whoever has the key may write what they want. */
function textOf(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function stateWords({ video, audio }: Readonly<Record<string, unknown>>): string {
  const { picture, sound } = texts.notes
  return [picture[String(video)], sound[String(audio)]].filter((part) => part !== undefined).join(', ')
}
