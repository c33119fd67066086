import { describe, expect, it } from 'vitest'
import { rawAddress } from '../../e2e/second-implementation/address.ts'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { Witness } from '../../e2e/second-implementation/evidence-world.ts'
import { Recording, signedHeadBytes } from '../../e2e/second-implementation/recording.ts'
import { parseSignedHead } from '../evidence/head-parse.ts'
import type { SessionName } from '../protocol/ids.ts'
import type { FoundHead } from './heads.ts'
import type { HeadReport } from './head-report.ts'
import { objectsOf } from './objects.ts'
import { pageReader, type PagesBound } from './pages.ts'
import { readPages } from './read-pages.ts'
import { PAGES_AT_A_TIME } from './waiting-pages.ts'

/** Three chunks in three pages, each with a head; then a thief goes on. */
async function stolen(seed: string) {
  const mine = new Recording(seed)
  const witness = new Witness()
  for (let index = 0; index < 3; index++) {
    await mine.chunk(index, text(`chunk ${index}`))
    witness.anchor(mine.publish().head)
  }
  return { mine, witness, thief: mine.copy(`${seed}, a thief`) }
}

/** A page of a note each, of which all are found from the last one. */
function publishMany(thief: Recording, count: number): void {
  for (let number = 0; number < count; number++) {
    thief.note({ number })
    thief.publish()
  }
}

async function read(
  { keys }: Recording,
  { witnessed }: Witness,
  objects: Recording['objects'],
  bound: PagesBound,
) {
  const asked = new Set<string>()
  const store = objectsOf([
    {
      name: 'the store',
      async get(cid) {
        asked.add(cid)
        const bytes = objects.get(cid)
        return bytes
          ? { kind: 'bytes', bytes: new Uint8Array(bytes) }
          : { kind: 'none', reason: 'it lacks that' }
      },
    },
  ])
  const found = witnessed.map(({ head, block, timeMs }): FoundHead => ({
    head: parseSignedHead(new Uint8Array(signedHeadBytes(head))),
    blockNumber: block,
    timeMs,
    isSigned: true,
  }))
  const readers = () => pageReader(store, hex(keys.name) as SessionName, undefined, bound)
  const said = await readPages(readers(), readers, found, () => {})
  return { ...said, asked }
}

const BOUND: PagesBound = { entries: 40, bytes: 1_000_000 }
const both = (mine: Recording, thief: Recording) => new Map([...mine.objects, ...thief.objects])

describe('of more pages than are read', () => {
  it.each<[string, HeadReport['verdict'], (thief: Recording, witness: Witness) => void]>([
    [
      'in one list at the end',
      'good',
      (thief, witness) => {
        publishMany(thief, 160)
        witness.anchor(thief.pages.at(-1)!.head)
      },
    ],
    [
      'with a head for each',
      'not-followed',
      (thief, witness) => {
        const before = thief.pages.length
        publishMany(thief, 160)
        for (const { head } of thief.pages.slice(before)) witness.anchor(head)
      },
    ],
    [
      'from page 1 on, again and again, where a last page is lost',
      'not-followed',
      (thief, witness) => {
        for (let more = 0; more < 40; more++) {
          thief.note({ more })
          witness.anchor(thief.relist(1 + (more % 8)).head)
        }
        thief.note({ last: true })
        const { digest, head } = thief.relist(1)
        thief.objects.delete(rawAddress(digest))
        witness.anchor(head)
      },
    ],
  ])('those that were anchored first are, where a thief signs for others %s', async (_how, verdict, sign) => {
    const { mine, witness, thief } = await stolen(_how)
    const honest = witness.witnessed.length
    sign(thief, witness)
    const { log, lostPages, asked } = await read(mine, witness, both(mine, thief), BOUND)
    expect(log.entries.slice(0, 4).map(({ position }) => position)).toEqual([0, 1, 2, 3])
    expect(log.entries.slice(1, 4).map(({ existedBeforeMs }) => existedBeforeMs)).toEqual(
      witness.witnessed.slice(0, honest).map(({ timeMs }) => timeMs),
    )
    expect(log.heads.slice(0, honest).map(({ verdict }) => verdict)).toEqual(['good', 'good', 'good'])
    expect(log.heads.at(-1)?.verdict).toBe(verdict)
    expect(lostPages.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('There are more pages than are read, those of 40 entries'),
    )
    // Twice, and what is under way when it is enough.
    expect(asked.size).toBeLessThanOrEqual(2 * (BOUND.entries + PAGES_AT_A_TIME))
  })

  it('of many bytes no more are read than of many entries', async () => {
    const { mine, witness, thief } = await stolen('large')
    for (let number = 0; number < 120; number++) {
      thief.note({ text: 'x'.repeat(20_000) })
      thief.publish()
    }
    witness.anchor(thief.pages.at(-1)!.head)
    const objects = both(mine, thief)
    const { log, asked } = await read(mine, witness, objects, { entries: 1_000, bytes: 200_000 })
    expect(log.entries.slice(0, 4).map(({ position }) => position)).toEqual([0, 1, 2, 3])
    expect(asked.size).toBeLessThanOrEqual(2 * (10 + PAGES_AT_A_TIME))
  })

  it('pages that nobody has count as well', async () => {
    const { mine, witness, thief } = await stolen('missing')
    const before = thief.pages.length
    for (let number = 0; number < 160; number++) {
      thief.note({ number })
      thief.publish({}, { previous: thief.random.bytes(32) })
    }
    for (const { head } of thief.pages.slice(before)) witness.anchor(head)
    const { log, asked } = await read(mine, witness, mine.objects, BOUND)
    expect(log.entries.map(({ position }) => position)).toEqual([0, 1, 2, 3])
    expect(asked.size).toBeLessThanOrEqual(2 * (BOUND.entries + PAGES_AT_A_TIME))
  })

  it('all are read where they are no more', async () => {
    const { mine, witness, thief } = await stolen('enough')
    publishMany(thief, 36)
    witness.anchor(thief.pages.at(-1)!.head)
    const { log, lostPages } = await read(mine, witness, both(mine, thief), BOUND)
    expect([log.entries.length, log.lost, lostPages]).toEqual([40, [], []])
  })
})
