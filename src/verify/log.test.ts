import { beforeAll, describe, expect, it } from 'vitest'
import { hex } from '../../e2e/vectors/bytes.ts'
import { Recording, signedHeadBytes } from '../../e2e/vectors/recording.ts'
import type { NoteEntry } from '../evidence/entry.ts'
import { parseSignedHead } from '../evidence/head-parse.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import type { FoundHead } from './heads.ts'
import { latenessOf, readLog, withBeyond, type Log } from './log.ts'
import { objectsOf } from './objects.ts'
import { pageReader, type Pages, type ReadPage } from './pages.ts'

it('a head that lists more entries than a call takes arguments is as late as any', () => {
  // Seven pages hold so many of the smallest: whoever has the key can write them.
  const note = (atMs: number) => ({ entry: { kind: 'note', atMs, sealed: '' } satisfies NoteEntry, leaf: '' })
  const entries = Array.from({ length: 300_000 }, (_, at) => note(at)) as never
  expect(latenessOf([{ entries }, { entries: [] }], 300_000)).toEqual({ lateMs: 1 })
  expect(latenessOf([{ entries: [] }], 300_000)).toEqual({})
  expect(latenessOf([{ entries }], undefined)).toEqual({})
})

it('heads that are not followed are told by the newest of them', () => {
  const log: Log = { heads: [], newest: undefined, entries: [], lost: [], forked: [] }
  expect(withBeyond(log, 3, undefined)).toBe(log)
  const root = 'ab'.repeat(32) as Sha256Hex
  const newest = {
    root,
    page: root,
    size: 9,
    anchors: 7,
    firstBlock: 1,
    blockNumber: 5,
    blockAtMs: 2_000,
    end: false,
  }
  expect(withBeyond(log, 3, { count: 7, newest }).heads).toEqual([
    {
      size: 9,
      root,
      blockNumber: 5,
      timeMs: 2_000,
      verdict: 'forked',
      why: 'the chain has 7 heads, of which the first 3 are followed',
    },
  ])
})

describe('a log of many heads is gone through once', () => {
  const HEADS = 128
  /** A page looks at its links, of which there are two on average and one for each level, and each may be looked at twice. */
  const LOOKS_OF_PAGE = 8
  const heads: FoundHead[] = []
  let pages: Pages

  beforeAll(async () => {
    const recording = new Recording('many heads')
    for (let number = 1; number <= HEADS; number++) {
      recording.note({ number })
      const { head } = recording.publish()
      const signed = parseSignedHead(new Uint8Array(signedHeadBytes(head)))
      heads.push({ head: signed, blockNumber: number, timeMs: 1_000 * number, isSigned: true })
    }
    const store = objectsOf([
      {
        name: 'the store',
        async get(cid) {
          const bytes = recording.objects.get(cid)
          return bytes
            ? { kind: 'bytes', bytes: new Uint8Array(bytes) }
            : { kind: 'none', reason: 'it lacks that' }
        },
      },
    ])
    const reader = pageReader(store, hex(recording.keys.name) as SessionName, undefined)
    await reader.follow(heads)
    pages = reader.pages
  })

  /** The pages, but those that are lost, and how often one of them is looked at. */
  function counted(isLost: (page: ReadPage) => boolean) {
    let looks = 0
    class Counted extends Map<Sha256Hex, ReadPage | VerificationError> {
      override get(digest: Sha256Hex) {
        looks += 1
        return super.get(digest)
      }
    }
    const error = new VerificationError('page-missing', 'fetching the pages', 'lost')
    const counting = new Counted()
    for (const [digest, page] of pages)
      counting.set(digest, page instanceof VerificationError || isLost(page) ? error : page)
    return { pages: counting, looks: () => looks }
  }

  it.each<[string, isLost: (page: ReadPage) => boolean, forkedAt: number]>([
    ['where all is well', () => false, HEADS],
    ['where it forks in the beginning', () => false, 2],
    ['where every other page is lost', ({ number }) => number % 2 === 0, HEADS],
    ['where two of three pages are', ({ number }) => number % 3 > 0, HEADS],
    ['where all but the last are', ({ number }) => number < HEADS, HEADS],
  ])('%s', async (_, isLost, forkedAt) => {
    const { pages: some, looks } = counted(isLost)
    const found = heads.map((one, at) =>
      at === forkedAt ? { ...one, head: { ...one.head, groups: '0'.repeat(64) as Sha256Hex } } : one,
    )
    const log = await readLog(found, some)
    expect(log.heads.map(({ verdict }) => verdict)).toEqual(
      heads.map((_head, at) => (at < forkedAt ? 'good' : 'forked')),
    )
    expect(looks()).toBeLessThan(LOOKS_OF_PAGE * HEADS)
  })

  it('where all of them are, of however many heads', async () => {
    let looks = 0
    const found = heads.map((one) => {
      const { head } = one
      const looked = Object.defineProperty({ ...head }, 'size', {
        get() {
          looks += 1
          return head.size
        },
      })
      return Object.assign({}, one, { head: looked })
    })
    const { heads: read } = await readLog(found, counted(() => true).pages)
    expect(read.every(({ verdict }) => verdict === 'good')).toBe(true)
    // Some of each, and those that a search looks at among all before it.
    expect(looks).toBeLessThan((10 + 4 * Math.log2(HEADS)) * HEADS)
  })
})
