import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rawAddress } from '../../e2e/second-implementation/address.ts'
import { hex, text } from '../../e2e/second-implementation/bytes.ts'
import { worldOf } from '../../e2e/second-implementation/evidence-world.ts'
import { startFakeNode } from '../../e2e/second-implementation/fake-node.ts'
import { randomFrom } from '../../e2e/second-implementation/random.ts'
import { groupOf, Recording, signedHeadBytes } from '../../e2e/second-implementation/recording.ts'
import {
  openInSteps,
  openSession,
  type FromHead,
  type ObjectSource,
  type ReadingOptions,
  type VerifiedSession,
} from './index.ts'

// A session is read by its name, without a chain, where a source has its heads by name.

const group = groupOf(randomFrom('newest-head').bytes(32))
const recording = new Recording('newest-head', { groups: [group] })
const other = new Recording('another', { groups: [group] })
for (const one of [recording, other]) {
  await one.chunk(0, text('a piece'))
  one.publish()
  one.end('complete', 1)
  one.publish()
}
const name = hex(recording.keys.name)
const headsOf = (of: Recording) => of.pages.map(({ head }) => Uint8Array.from(signedHeadBytes(head)))
const [older, newest] = headsOf(recording) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
const [, strange] = headsOf(other) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
const altered = Uint8Array.from(newest, (byte, at) => (at === 200 ? byte ^ 1 : byte))

const node = await startFakeNode(worldOf(recording))
afterAll(() => node.close())

const asked: string[] = []
const byName = (said: Awaited<ReturnType<ObjectSource['get']>>): ObjectSource => ({
  name: 'a place',
  get: async () => ({ kind: 'none', reason: 'nothing is there' }),
  async newestHead(of) {
    asked.push(of)
    return said
  },
})
const has = (bytes: Uint8Array<ArrayBuffer>) => byName({ kind: 'bytes', bytes })
const lacks = byName({ kind: 'none', reason: 'nothing is there' })
const silent = byName({ kind: 'silent', reason: 'it is away' })
const SIGN_IN = text(`<?xml version="1.0"?>\n<!doctype html>${' '.repeat(1_000)}`) as Uint8Array<ArrayBuffer>
const throws: ObjectSource = {
  ...lacks,
  newestHead() {
    throw new Error('it is broken')
  },
}

const byNewest = (sources: ObjectSource[]) => ({
  head: 'newest',
  name,
  gateway: node.gateway,
  sources,
  groupKey: group.privateKey,
})
const open = (sources: ObjectSource[], changes: Partial<ReadingOptions & FromHead> = {}) =>
  openSession({ ...byNewest(sources), ...changes })

async function lastStepOf(sources: ObjectSource[]): Promise<VerifiedSession> {
  let last: VerifiedSession | undefined
  for await (const { session } of openInSteps(byNewest(sources))) last = session
  return last!
}

describe('by its name, where a place has its heads', () => {
  it.each([
    ['the only one', [has(newest)]],
    ['the larger one', [has(older), has(newest)]],
    ['the one beside what is none', [has(altered), lacks, has(newest), has(strange), silent]],
    ['the one beside what makes no sense', [has(newest), has(SIGN_IN), byName(undefined as never)]],
  ])('a session is read from %s, and said to be witnessed by nobody', async (_which, sources) => {
    asked.length = 0
    const session = await open(sources)
    expect(session).toMatchObject({ name, ending: 'complete', size: 3 })
    expect(session.heads).toMatchObject([{ size: 3, verdict: 'unwitnessed', timeMs: undefined }])
    expect(Buffer.from(await session.bytes()).toString()).toBe('a piece')
    expect(asked).toEqual(sources.map(() => name))
  })

  it('a session is read though another place throws', async () => {
    expect(await open([throws, has(newest)])).toMatchObject({ size: 3 })
  })

  describe('while another place never answers', () => {
    const stopped: unknown[] = []
    const hangs: ObjectSource = {
      ...lacks,
      newestHead: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped.push(signal.reason)
            reject(signal.reason as Error)
          })
        }),
    }

    it('a session is read all the same, and that place is asked no more', async () => {
      stopped.length = 0
      expect(await open([hangs, has(newest), lacks])).toMatchObject({ size: 3 })
      expect(stopped).toHaveLength(1)
    })

    it('who has waited enough gets the reason of the signal', async () => {
      const caller = new AbortController()
      const reason = new Error('enough')
      const aborts: ObjectSource = {
        ...lacks,
        async newestHead() {
          caller.abort(reason)
          return { kind: 'none', reason: 'nothing is there' }
        },
      }
      await expect(open([hangs, aborts], { signal: caller.signal })).rejects.toBe(reason)
    })
  })

  describe('while a thief with its key has a larger one', () => {
    const branch = recording.copy('newest-head, a thief')
    branch.entries.splice(1)
    branch.pages.splice(0)
    for (let number = 0; number < 5; number++) branch.note({ number })
    const { head } = branch.relist()
    const larger = Uint8Array.from(signedHeadBytes(head))
    const objects = new Map(recording.objects)
    beforeEach(() => {
      node.world = { ...worldOf(recording), objects }
    })
    afterEach(() => {
      node.world = worldOf(recording)
    })

    it.each([
      ['openSession', open],
      ['openInSteps', (sources: ObjectSource[]) => lastStepOf(sources)],
    ])(
      'of which nobody has the pages, a session is read by its own (%s), and that one is told',
      async (_by, openBy) => {
        for (const { digest } of branch.pages) objects.delete(rawAddress(digest))
        const session = await openBy([has(larger), has(newest)])
        expect(session).toMatchObject({ ending: 'complete', size: 3 })
        expect(session.heads).toMatchObject([
          { size: 3, verdict: 'unwitnessed' },
          { size: 6, verdict: 'not-followed', why: expect.stringContaining('cannot be fetched') },
        ])
      },
    )

    it('of another log, that is read, and its own is told as a branch', async () => {
      for (const [cid, bytes] of branch.objects) objects.set(cid, bytes)
      const session = await open([has(newest), has(older), has(larger)])
      expect(session.heads).toMatchObject([
        { size: 6, verdict: 'unwitnessed' },
        { size: 2, verdict: 'forked' },
        { size: 3, verdict: 'forked' },
      ])
    })
  })

  it('is told of no branch where one place has an older one', async () => {
    const { heads } = await open([has(older), has(newest), has(older)])
    expect(heads.map(({ size, verdict }) => [size, verdict])).toEqual([[3, 'unwitnessed']])
  })

  it('an older one is read as far as it goes', async () => {
    expect(await open([has(older)])).toMatchObject({ ending: 'open', size: 2 })
  })

  it.each([
    ['page-missing', 'nobody has one', [lacks]],
    ['gateway-unreachable', 'somebody was not heard', [lacks, silent, has(altered)]],
    ['gateway-unreachable', 'a network answers its sign-in page', [lacks, has(SIGN_IN)]],
    ['gateway-unreachable', 'asking throws', [throws]],
    ['gateway-unreachable', 'the answer is none', [byName(undefined as never)]],
    ['gateway-unreachable', 'the answer is of no kind', [byName({ kind: 'found' } as never)]],
    [
      'gateway-unreachable',
      'the bytes are a buffer',
      [byName({ kind: 'bytes', bytes: newest.buffer } as never)],
    ],
    ['head-signature', 'one is altered', [has(altered)]],
    ['head-signature', 'one is of another session', [lacks, has(strange)]],
    ['head-signature', 'there is something else', [has(text('not a head') as Uint8Array<ArrayBuffer>)]],
    ['head-signature', 'there is more than a head', [byName({ kind: 'too-long' })]],
  ])('it is refused with %s where %s', async (code, _why, sources) => {
    await expect(open(sources)).rejects.toMatchObject({ code })
  })

  it.each([
    ['without a name', { name: undefined }],
    ['with a chain', { chain: { rpcUrl: node.rpcUrl, registry: `0x${'11'.repeat(20)}` } }],
  ])('it is not asked for %s', async (_what, changes) => {
    asked.length = 0
    await expect(open([has(newest)], changes as object)).rejects.toMatchObject({ code: 'bad-input' })
    expect(asked).toEqual([])
  })
})
