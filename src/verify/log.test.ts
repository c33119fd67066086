import { expect, it } from 'vitest'
import type { NoteEntry } from '../evidence/entry.ts'
import { latenessOf } from './log.ts'

it('a head that lists more entries than a call takes arguments is as late as any', () => {
  // Seven pages hold so many of the smallest: whoever has the key can write them.
  const note = (atMs: number) => ({ entry: { kind: 'note', atMs, sealed: '' } satisfies NoteEntry, leaf: '' })
  const entries = Array.from({ length: 300_000 }, (_, at) => note(at)) as never
  expect(latenessOf([{ entries }, { entries: [] }], 300_000)).toEqual({ lateMs: 1 })
  expect(latenessOf([{ entries: [] }], 300_000)).toEqual({})
  expect(latenessOf([{ entries }], undefined)).toEqual({})
})
