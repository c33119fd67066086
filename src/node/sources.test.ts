import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { carOf, type Block } from '../../e2e/second-implementation/car-file.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { contentAddress, UNIXFS_V1_2025 } from '../evidence/cid.ts'
import type { Cid } from '../protocol/ids.ts'
import { car } from '../verify/car.ts'
import type { ObjectSource } from '../verify/index.ts'
import { carFile, folder } from './sources.ts'

let path: string
beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'holdfast-sources-'))
})
afterAll(() => rm(path, { recursive: true, force: true }))

const small = Buffer.from('one leaf')
/** Three levels in the layout that is used here. */
const large = Buffer.from(randomFrom('sources.test').bytes(100_000))
const LAYOUT = { leafBytes: 1_000, maxLinks: 10 }
const signal = new AbortController().signal
/** Of no bytes that anybody knows. */
const NODE_CID = Buffer.concat([Buffer.from([1, 0x70, 0x12, 0x20]), Buffer.alloc(32, 7)])
const get = (source: ObjectSource, cid: Cid, maxBytes = 1_000_000) => source.get(cid, { maxBytes, signal })
async function gives(source: ObjectSource, cid: Cid): Promise<Buffer | string> {
  const found = await get(source, cid)
  return found.kind === 'bytes' ? Buffer.from(found.bytes) : found.kind
}

describe('a CAR file', () => {
  let bytes: Buffer
  let smallCid: Cid
  let largeCid: Cid
  let blocks: readonly Block[]
  beforeAll(async () => {
    smallCid = await contentAddress(small)
    largeCid = await contentAddress(large, LAYOUT)
    ;({ bytes, blocks } = await carOf([
      { bytes: small, layout: UNIXFS_V1_2025 },
      { bytes: large, layout: LAYOUT },
    ]))
  })

  it('gives objects of one block and of many, as the reference importer has stored them', async () => {
    const source = car(new Blob([Uint8Array.from(bytes)]))
    expect(await gives(source, smallCid)).toEqual(small)
    expect(large.equals((await gives(source, largeCid)) as Buffer)).toBe(true)
    expect(blocks.length).toBeGreaterThan(111)
  })

  it('is read from the disk as well', async () => {
    const file = join(path, 'recording.car')
    await writeFile(file, bytes)
    const source = carFile(file)
    expect(source.name).toBe(file)
    expect(await gives(source, smallCid)).toEqual(small)
    expect(large.equals((await gives(source, largeCid)) as Buffer)).toBe(true)
  })

  it('says that it lacks what it lacks, a block in the middle of an object as well', async () => {
    const other = await contentAddress(Buffer.from('another'))
    expect(await gives(car(new Blob([Uint8Array.from(bytes)])), other)).toBe('none')
    const { bytes: holed } = await carOf([{ bytes: large, layout: LAYOUT }], (block) => block.at !== 40)
    expect(await gives(car(new Blob([Uint8Array.from(holed)])), largeCid)).toBe('none')
  })

  it('gives no more than is asked for', async () => {
    const source = car(new Blob([Uint8Array.from(bytes)]))
    expect((await get(source, smallCid, 7)).kind).toBe('too-long')
    expect((await get(source, largeCid, 99_999)).kind).toBe('too-long')
    expect((await get(source, largeCid, 100_000)).kind).toBe('bytes')
  })

  it.each<[name: string, damaged: (bytes: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut off at its beginning', (bytes) => bytes.subarray(0, 10)],
    ['something else', () => Buffer.from('no archive of any kind, but long enough to be one')],
    [
      'of another version',
      (bytes) => Buffer.from(bytes.toString('latin1').replace('version\x01', 'version\x02'), 'latin1'),
    ],
  ])('that is %s says nothing of any object', async (_, damaged) => {
    const source = car(new Blob([Uint8Array.from(damaged(bytes))]))
    expect(await gives(source, smallCid)).toBe('silent')
  })

  it('that is cut off gives what is whole in it, and says nothing of the rest', async () => {
    const { length } = bytes
    // The last one ends within a number.
    for (const to of [length - 1, length - 40_000, startOfLast(bytes) + 1]) {
      const source = car(new Blob([Uint8Array.from(bytes.subarray(0, to))]))
      expect(await gives(source, smallCid)).toEqual(small)
      expect(await gives(source, largeCid)).toBe('silent')
      expect(await gives(source, await contentAddress(Buffer.from('another')))).toBe('silent')
    }
  })

  it.each<[string, block: Buffer]>([
    ['names itself time and again', Buffer.concat(Array.from({ length: 20_000 }, linkTo(NODE_CID)))],
    [
      'names itself once, and is long',
      Buffer.concat([linkTo(NODE_CID)(), Buffer.from([0x0a, 0x80, 0x80, 0x20]), Buffer.alloc(2 ** 19)]),
    ],
    ['is larger than any', Buffer.concat([Buffer.from([0x0a, 0x80, 0x80, 0x80, 1]), Buffer.alloc(2 ** 21)])],
    [
      'names what has no kind',
      linkTo(Buffer.concat([Buffer.from([1, 0x71, 0x12, 0x20]), Buffer.alloc(32, 8)]))(),
    ],
  ])('with a node that %s ends soon, and in little memory', async (_, block) => {
    const large = { cid: Buffer.concat([Buffer.from([1, 0x71, 0x12, 0x20]), Buffer.alloc(32, 8)]), at: 1 }
    const { bytes: hostile } = await carOf([], undefined, [
      { cid: NODE_CID, bytes: block, at: 0 },
      { ...large, bytes: Buffer.alloc(2 ** 22) },
    ])
    const file = new Blob([Uint8Array.from(hostile)])
    let [read, reads] = [0, 0]
    const source = car({
      size: file.size,
      slice(from, to) {
        read += to - from
        reads += 1
        return file.slice(from, to)
      },
    })
    const found = await get(source, await cidOfBytes(NODE_CID))
    expect(found.kind).toBe('too-long')
    expect(read).toBeLessThan(2 ** 21)
    expect(reads).toBeLessThan(100)
  })

  it('that is filled up with zeros is looked through as far as it goes', async () => {
    const file = new Blob([Uint8Array.from(bytes), new Uint8Array(2 ** 22)])
    let read = 0
    const source = car({
      size: file.size,
      slice(from, to) {
        read += to - from
        return file.slice(from, to)
      },
    })
    expect(await gives(source, smallCid)).toEqual(small)
    expect(await gives(source, await contentAddress(Buffer.from('another')))).toBe('none')
    expect(read).toBeLessThan(2 ** 20)
  })

  it('with a section that is shorter than the name in it has the block all the same', async () => {
    const { bytes: whole, blocks: kept } = await carOf([{ bytes: small, layout: UNIXFS_V1_2025 }])
    // As if the name of the block stood in a section of three bytes.
    const short = Buffer.concat([whole, Buffer.from([3]), kept[0]!.cid, Buffer.alloc(64)])
    expect(await gives(car(new Blob([Uint8Array.from(short)])), smallCid)).toEqual(small)
  })

  it.each<[name: string, more: (kept: Block) => Block]>([
    ['other bytes under the same name', ({ cid, at }) => ({ cid, bytes: Buffer.alloc(1_000, 'x'), at })],
    ['nothing under the same name', ({ cid, at }) => ({ cid, bytes: Buffer.alloc(0), at })],
    [
      'a name without an end',
      ({ bytes, at }) => ({ cid: Buffer.concat([Buffer.of(1), Buffer.alloc(12, 0x80)]), bytes, at }),
    ],
  ])('with %s, before what it is or after, has it all the same', async (_, more) => {
    const { bytes: whole, blocks: kept } = await carOf([{ bytes: large, layout: LAYOUT }])
    const others = kept.map(more)
    const none = (await carOf([])).bytes
    const { bytes: before } = await carOf([{ bytes: large, layout: LAYOUT }], undefined, others)
    const after = Buffer.concat([whole, (await carOf([], undefined, others)).bytes.subarray(none.length)])
    for (const file of [before, after])
      expect(large.equals((await gives(car(new Blob([Uint8Array.from(file)])), largeCid)) as Buffer)).toBe(
        true,
      )
  })

  it.each<[string, Buffer]>([
    ['has a field of another kind', Buffer.from([0x15, 1, 2, 3, 4])],
    ['has a number without an end', Buffer.alloc(20, 0xff)],
  ])('with a node that %s lacks what that would be', async (_, block) => {
    const { bytes: odd } = await carOf([], undefined, [{ cid: NODE_CID, bytes: block, at: 0 }])
    expect(await gives(car(new Blob([Uint8Array.from(odd)])), await cidOfBytes(NODE_CID))).toBe('none')
  })

  describe('that nobody waits for any more', () => {
    /** A file of long blocks, of which each read waits until it is let on. */
    async function slowFile() {
      const blocks = Array.from({ length: 40 }, (_, at) => ({
        bytes: Buffer.alloc(100_000, at),
        layout: UNIXFS_V1_2025,
      }))
      const all = [...blocks, { bytes: small, layout: UNIXFS_V1_2025 }]
      const { bytes: whole } = await carOf(all)
      const reads: (() => void)[] = []
      let isSlow = true
      const source = car({
        size: whole.length,
        slice: (from, to) => ({
          async arrayBuffer() {
            await new Promise<void>((resolve) => {
              reads.push(resolve)
              if (!isSlow) resolve()
            })
            return Uint8Array.from(whole.subarray(from, to)).buffer
          },
        }),
      })
      const go = () => {
        isSlow = false
        reads.forEach((resolve) => resolve())
      }
      return { source, reads, go }
    }
    /** Until all that can go on now has: nothing of it waits for a disk. */
    const settled = () => new Promise((resolve) => setImmediate(resolve))
    const asked = (source: ObjectSource, caller: AbortController) =>
      source.get(smallCid, { maxBytes: 1_000, signal: caller.signal })

    it('is read no further, and goes on from there for the next', async () => {
      const { source, reads, go } = await slowFile()
      const [one, other] = [new AbortController(), new AbortController()]
      const both = [asked(source, one), asked(source, other)]
      one.abort(new Error('enough'))
      await expect(both[0]).rejects.toThrow('enough')
      other.abort(new Error('enough of it'))
      await expect(both[1]).rejects.toThrow('enough of it')
      go()
      await settled()
      // The beginning of the header, and the header.
      expect(reads.length).toBeLessThanOrEqual(2)
      expect(await gives(source, smallCid)).toEqual(small)
      expect(reads.length).toBeLessThan(50)
    })

    it('is waited for no longer by who has left while another still does', async () => {
      const { source, go } = await slowFile()
      const caller = new AbortController()
      const left = asked(source, caller)
      const stays = gives(source, smallCid)
      caller.abort(new Error('enough'))
      await expect(left).rejects.toThrow('enough')
      go()
      expect(await stays).toEqual(small)
    })
  })

  it('that leads in a circle, or is not there, ends', async () => {
    // A node that links to itself: nobody can make one, but a file can say so.
    const loop = Buffer.concat([
      Buffer.from([0x12, 0x26, 0x0a, 0x24, 1, 0x70, 0x12, 0x20]),
      Buffer.alloc(32, 7),
    ])
    const { bytes: looping } = await carOf([], undefined, [
      { cid: Buffer.concat([Buffer.from([1, 0x70, 0x12, 0x20]), Buffer.alloc(32, 7)]), bytes: loop, at: 0 },
    ])
    const cid = `b${'x'.repeat(58)}` as Cid
    const itself = await cidOfBytes(Buffer.concat([Buffer.from([1, 0x70, 0x12, 0x20]), Buffer.alloc(32, 7)]))
    expect(await gives(car(new Blob([Uint8Array.from(looping)])), itself)).toBe('none')
    expect(await gives(car(new Blob([Uint8Array.from(looping)])), cid)).toBe('none')
    expect(await gives(carFile(join(path, 'nowhere.car')), cid)).toBe('silent')
  })
})

/** A link to this block, as a node has it. */
function linkTo(cid: Buffer) {
  return () => Buffer.concat([Buffer.from([0x12, cid.length + 2, 0x0a, cid.length]), cid])
}

/** Where the last block of this file begins: its length, in two bytes, and its CID come before it. */
const startOfLast = (bytes: Buffer) => bytes.lastIndexOf(Buffer.from([1, 0x70, 0x12, 0x20])) - 2

async function cidOfBytes(bytes: Uint8Array): Promise<Cid> {
  const { CID } = await import('multiformats/cid')
  return CID.decode(bytes).toString() as Cid
}

describe('a folder', () => {
  it('gives the file that has the address as its name, and no more than is asked for', async () => {
    const cid = await contentAddress(small)
    await writeFile(join(path, cid), small)
    const source = folder(path)
    expect(await gives(source, cid)).toEqual(small)
    expect((await get(source, cid, 7)).kind).toBe('too-long')
    expect(await gives(source, await contentAddress(large))).toBe('none')
  })

  it('gives files alone: of a pipe nobody knows when it ends, and it has no size', async () => {
    const [cid, inside] = [
      await contentAddress(Buffer.from('a pipe')),
      await contentAddress(Buffer.from('a folder')),
    ]
    execFileSync('mkfifo', [join(path, cid)])
    await mkdir(join(path, inside))
    expect(await gives(folder(path), cid)).toBe('none')
    expect(await gives(folder(path), inside)).toBe('none')
  })

  it('that is not there says nothing of any object', async () => {
    expect(await gives(folder(join(path, 'nowhere')), await contentAddress(small))).toBe('silent')
  })
})
