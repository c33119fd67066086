import { CID } from 'multiformats/cid'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cid, SessionName, Sha256Hex } from '../protocol/ids.ts'
import { fromHex, toHex, uint32be } from './bytes.ts'
import { sha256Hex } from './digest.ts'
import { serialiseChunk } from './entry.ts'
import { EMPTY_CHAIN, linksOf, newestOf, withPage, type PageChain } from './page-chain.ts'
import { parsePage } from './page-parse.ts'
import { linkNumbers, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, pageCid, serialisePage, type Page } from './page.ts'
import { setBits } from './tree.ts'

const badInput = expect.objectContaining({ code: 'bad-input' })
const name = 'ab'.repeat(32) as SessionName
const digestOf = (number: number) => number.toString(16).padStart(64, '0') as Sha256Hex

/** A page at that place, with hashes that stand for themselves. */
const pageAt = (number: number, from: number, entries: readonly Uint8Array[]): Page => ({
  name,
  number,
  from,
  frontier: Array.from({ length: setBits(from) }, (_, at) => digestOf(0xf000 + at)),
  links: linkNumbers(number).map(digestOf),
  entries,
})

/** A log has less than 2^32 entries, those of its last page included. */
const MAX_FROM = 0xffff_fff0

const pages = fc
  .record({
    number: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: MAX_FROM })),
    more: fc.nat({ max: 1000 }),
    entries: fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ number, more, entries }) =>
    pageAt(number, number === 1 ? 0 : Math.min(number - 1 + more, MAX_FROM), entries),
  )

describe('links', () => {
  it.each([
    [1, []],
    [2, [1]],
    [3, [2, 1]],
    [4, [3, 2]],
    [5, [4, 3]],
    [6, [5, 4, 2]],
    [8, [7, 6, 4]],
    [12, [11, 10, 8, 4]],
    [0x8000_0000, Array.from({ length: 31 }, (_, k) => 0x8000_0000 - 2 ** k)],
    [0xc000_0000, Array.from({ length: 32 }, (_, k) => 0xc000_0000 - 2 ** k)],
    [0xffff_ffff, [0xffff_fffe, 0xffff_fffd]],
  ])('of page %d go to %j', (number, expected) => {
    expect(linkNumbers(number)).toEqual(expected)
  })

  it('lead from any page to all earlier ones in at most 2 log2 rounds', () => {
    for (let newest = 2; newest <= 600; newest++) {
      const found = new Set([newest])
      let rounds = 0
      for (let next = [newest]; next.length > 0; rounds++) {
        next = [...new Set(next.flatMap(linkNumbers))].filter((number) => !found.has(number))
        for (const number of next) found.add(number)
      }
      expect(found.size).toBe(newest)
      // The last round finds nothing.
      expect(rounds - 1).toBeLessThanOrEqual(2 * Math.log2(newest))
    }
  })

  /** Those that are found from the newest page, or from the one before it where that is lost, as a head names it too. */
  function found(newest: number, lost: ReadonlySet<number>): Set<number> {
    const reached = new Set<number>()
    const waiting = [lost.has(newest) ? newest - 1 : newest]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next < 1 || reached.has(next) || lost.has(next)) continue
      reached.add(next)
      waiting.push(...linkNumbers(next))
    }
    return reached
  }

  it('hide no other page where one is lost, and at most one where two in a row are and two follow', () => {
    for (const newest of [1, 2, 3, 4, 5, 8, 33, 64, 65, 200, 257]) {
      for (let first = 1; first <= newest; first++) {
        expect(found(newest, new Set([first])).size, `${first} of ${newest}`).toBe(newest - 1)
        // The newest pages link to few: what comes after opens other ways.
        if (first + 3 > newest) continue
        const left = found(newest, new Set([first, first + 1]))
        const hidden = Array.from({ length: first - 1 }, (_, at) => at + 1).filter((page) => !left.has(page))
        expect(hidden, `${first} and the next of ${newest}`).toEqual(first % 2 === 0 ? [first - 1] : [])
      }
    }
  })

  it('hide fewer pages than twice as many as are lost in a row, wherever that is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 600 }),
        fc.nat(),
        fc.integer({ min: 1, max: 16 }),
        (newest, at, many) => {
          const first = 1 + (at % (newest - 3 * many))
          const lost = new Set(Array.from({ length: many }, (_, more) => first + more))
          expect(newest - many - found(newest, lost).size).toBeLessThan(2 * many)
        },
      ),
    )
  })

  it('of the next page are known from one digest for each level', () => {
    let chain: PageChain = EMPTY_CHAIN
    for (let number = 1; number <= 1100; number++) {
      expect(linksOf(chain)).toEqual(linkNumbers(number).map(digestOf))
      chain = withPage(chain, digestOf(number))
      expect(chain.number).toBe(number)
      expect(newestOf(chain)).toBe(digestOf(number))
      expect(chain.digests.length).toBe(Math.floor(Math.log2(number)) + 1)
    }
  })
})

describe('a page', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(pages, (page) => {
        expect(parsePage(serialisePage(page))).toEqual(page)
      }),
    )
  })

  it('altered anywhere is refused, or is another page with exactly these bytes', () => {
    const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 3 }), put: fc.uint8Array({ maxLength: 3 }) })
    let read = 0
    fc.assert(
      fc.property(pages, change, (page, { at, cut, put }) => {
        const altered = [...serialisePage(page)]
        altered.splice(at % (altered.length + 1), cut, ...put)
        let parsed: Page
        try {
          parsed = parsePage(Uint8Array.from(altered))
        } catch (error) {
          expect(error).toEqual(badInput)
          return
        }
        read++
        expect([...serialisePage(parsed)]).toEqual(altered)
      }),
      { numRuns: 1000 },
    )
    expect(read).toBeGreaterThan(0)
  })

  it('has the bytes of the format', () => {
    const page = pageAt(4, 5, [fromHex('aabb'), fromHex('cc')])
    expect(toHex(serialisePage(page))).toBe(
      Buffer.from('holdfast/page/v2').toString('hex') +
        `${name}${'00000004'}${'00000005'}${digestOf(0xf000)}${digestOf(0xf001)}${digestOf(3)}${digestOf(2)}` +
        `${'0002'}${'0002'}aabb${'0001'}cc`,
    )
  })

  it('is refused by the name of what is wrong', () => {
    const entry = Uint8Array.of(1)
    const wrong: [string, Uint8Array][] = [
      ['number', serialisePage(pageAt(0, 0, [entry]))],
      ['from', serialisePage(pageAt(1, 1, [entry]))],
      ['from', serialisePage(pageAt(3, 1, [entry]))],
      ['from', serialisePage(pageAt(9, 2 ** 32 - 1, [entry]))],
      ['number of entries', serialisePage(pageAt(2, 1, []))],
      ['links[0]', serialisePage({ ...pageAt(2, 1, []), links: [] })],
      ['entries[0]', serialisePage(pageAt(1, 0, [entry])).slice(0, -1)],
      [
        'size',
        serialisePage(
          pageAt(
            1,
            0,
            Array.from({ length: 5 }, () => new Uint8Array(60_000)),
          ),
        ),
      ],
      ['label', fromHex('ff'.repeat(16))],
    ]
    for (const [field, bytes] of wrong) expect(() => parsePage(bytes)).toThrow(`Page field ${field} must`)
  })

  it('holds no entry of more than 65,535 bytes', () => {
    expect(() => serialisePage(pageAt(1, 0, [new Uint8Array(65_536)]))).toThrow(badInput)
  })

  it('has the address of a raw block', async () => {
    const digest = await sha256Hex(uint32be(7))
    const cid = CID.parse(pageCid(digest))
    expect({ ...cid, version: cid.version, code: cid.code }).toMatchObject({ version: 1, code: 0x55 })
    expect(cid.multihash.code).toBe(0x12)
    expect(toHex(cid.multihash.digest)).toBe(digest)
  })
})

it('fits with as many entries as a writer puts into it, the largest there are, at the place with most hashes', () => {
  const first = new Uint8Array(65_535)
  const chunk = serialiseChunk({
    index: 0,
    capturedAtMs: 0,
    durationMs: 0,
    sizeBytes: 16,
    plaintextHash: '1'.repeat(64) as Sha256Hex,
    encryptedHash: '2'.repeat(64) as Sha256Hex,
    iv: '3'.repeat(24),
    chunkKey: '4'.repeat(160),
    cid: `b${'a'.repeat(120)}` as Cid,
  })
  const entries = [first, ...Array.from({ length: MAX_PAGE_ENTRIES - 1 }, () => chunk)]
  // All bits of `from`, and 32 links.
  const page = serialisePage(pageAt(0xc000_0000, 0xffff_ffff, entries))
  expect(page.length).toBeLessThanOrEqual(MAX_PAGE_BYTES)
})
