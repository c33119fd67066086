import { beforeAll, describe, expect, it } from 'vitest'
import { hex } from '../../e2e/second-implementation/bytes.ts'
import { Recording, signedHeadBytes } from '../../e2e/second-implementation/recording.ts'
import type { NoteEntry } from '../evidence/entry.ts'
import { parseSignedHead } from '../evidence/head-parse.ts'
import type { SessionName, Sha256Hex } from '../protocol/ids.ts'
import { VerificationError } from './error.ts'
import { latenessOf, reportOfBeyond } from './head-report.ts'
import type { FoundHead } from './heads.ts'
import { readLog } from './log.ts'
import { objectsOf } from './objects.ts'
import { pageReader, type Pages } from './pages.ts'
import type { ReadPage } from './read-page.ts'

it('a head that lists more entries than a call takes arguments is as late as any', () => {
  // Seven pages hold so many of the smallest: whoever has the key can write them.
  const note = (atMs: number) => ({ entry: { kind: 'note', atMs, sealed: '' } satisfies NoteEntry, leaf: '' })
  const entries = Array.from({ length: 300_000 }, (_, at) => note(at)) as never
  expect(latenessOf([{ entries }, { entries: [] }], 300_000)).toEqual({ lateMs: 1 })
  expect(latenessOf([{ entries: [] }], 300_000)).toEqual({})
  expect(latenessOf([{ entries }], undefined)).toEqual({})
})

it('heads that are not followed are told by the newest of them', () => {
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
  expect(reportOfBeyond(3, { count: 7, newest })).toEqual({
    size: 9,
    root,
    blockNumber: 5,
    timeMs: 2_000,
    verdict: 'not-followed',
    why: 'the chain has 7 heads, of which the first 3 are followed',
  })
})

/** The heads of all pages that were published, and all pages. */
async function readAll({ keys, pages, objects }: Recording) {
  const store = objectsOf([
    {
      name: 'the store',
      async get(cid) {
        const bytes = objects.get(cid)
        return bytes
          ? { kind: 'bytes', bytes: new Uint8Array(bytes) }
          : { kind: 'none', reason: 'it lacks that' }
      },
    },
  ])
  const heads = pages.map(({ head }, at): FoundHead => ({
    head: parseSignedHead(new Uint8Array(signedHeadBytes(head))),
    blockNumber: at,
    timeMs: 1_000 * at,
    isSigned: true,
  }))
  const reader = pageReader(store, hex(keys.name) as SessionName, undefined)
  await reader.follow(heads)
  return { heads, pages: reader.pages }
}

describe('a log of many heads is gone through once', () => {
  const HEADS = 128
  /** A page looks at its links, of which there are two on average and one for each level, and each may be looked at twice. */
  const LOOKS_OF_PAGE = 8
  let heads: readonly FoundHead[]
  let pages: Pages

  beforeAll(async () => {
    const recording = new Recording('many heads')
    for (let number = 1; number <= HEADS; number++) {
      recording.note({ number })
      recording.publish()
    }
    ;({ heads, pages } = await readAll(recording))
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

  it.each([HEADS - 1, HEADS / 2, 2])(
    'where the first names another page, and that of %i other groups',
    async (fork) => {
      const { pages: some, looks } = counted(() => false)
      const nobody = '0'.repeat(64) as Sha256Hex
      const signs = (at: number, changes: object) => ({
        ...heads[at]!,
        head: { ...heads[at]!.head, ...changes },
      })
      const found = heads
        .with(0, signs(0, { page: heads[1]!.head.page }))
        .with(fork, signs(fork, { groups: nobody }))
      const log = await readLog(found, some)
      expect(log.heads.map(({ verdict }) => verdict)).toEqual(
        heads.map((_head, at) => (at < fork ? 'good' : 'forked')),
      )
      expect(looks()).toBeLessThan(2 * LOOKS_OF_PAGE * HEADS)
    },
  )

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

describe('heads of which each tells the log in another way', () => {
  const HEADS = 24
  let heads: readonly FoundHead[]
  let pages: Pages
  /** So many roots are computed. */
  let roots = 0

  beforeAll(async () => {
    const recording = new Recording('in another way')
    for (let number = 1; number <= HEADS; number++) {
      recording.note({ number })
      recording.publish()
    }
    // Each with a last page of its own, instead of those before it.
    for (let number = 1; number <= HEADS; number++) {
      recording.note({ number })
      recording.publishFull(HEADS)
    }
    const read = await readAll(recording)
    heads = read.heads
    pages = new Map(
      [...read.pages].map(([digest, page]) => {
        if (page instanceof VerificationError) throw page
        const rootsAt = (sizes: readonly number[]) => {
          roots += sizes.length
          return page.rootsAt(sizes)
        }
        return [digest, { ...page, rootsAt }]
      }),
    )
  })

  it('have no root of a page computed twice', async () => {
    roots = 0
    const log = await readLog(heads, pages)
    expect(log.heads.map(({ verdict }) => verdict)).toEqual(heads.map(() => 'good'))
    const inLast = (HEADS * (HEADS + 1)) / 2
    // A page begins with the root that the one before ends with.
    expect(roots).toBeLessThanOrEqual(2 * HEADS + inLast + HEADS)
  })

  it('are followed until that takes too long; what was anchored before stands', async () => {
    const [first, second] = [heads.slice(0, HEADS), heads.slice(HEADS)]
    const all = await readLog(first, pages, HEADS)
    expect(all.heads.map(({ verdict }) => verdict)).toEqual(first.map(() => 'good'))
    // One page of each is not that of the head before.
    const some = await readLog(heads, pages, HEADS + 4)
    expect(some.heads.map(({ verdict }) => verdict)).toEqual([
      ...[...first, ...second.slice(0, 5)].map(() => 'good'),
      ...second.slice(5).map(() => 'not-followed'),
    ])
    expect(some.heads.filter(({ why }) => why)).toEqual([
      expect.objectContaining({ size: second[5]!.head.size, why: expect.stringContaining('takes too long') }),
    ])
    expect(some.entries.length).toBe(second[4]!.head.size)
    expect(some.newest).toBe(second[4]!.head)
  })
})
