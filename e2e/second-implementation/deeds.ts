import { cat, hex, sha256, text, u32 } from './bytes.ts'
import { rawAddress } from './address.ts'
import { Witness, type EvidenceWorld } from './evidence-world.ts'
import { refuseRpc, type FakeLog, type FakeNode, type RpcRequest, type Served } from './fake-node.ts'
import { hpkeSeal } from './hpke.ts'
import { otherSignature, sign, signingKey } from './p256.ts'
import { randomFrom } from './random.ts'
import { leafHash, rootOfFrontier } from './tree.ts'
import {
  chunkEntry,
  groupOf,
  headBytes,
  HOW,
  noteEntry,
  endEntry,
  Recording,
  sealSessionKey,
  sessionEntry,
  signHead,
  STARTED_AT_MS,
  tagOf,
  type Group,
  type Published,
} from './recording.ts'

/** A recording of five chunks in four pages, each anchored, as far as a deed lets it come. */
export class Scene {
  readonly readers: readonly Group[] = ['one', 'other'].map((label) => groupOf(randomFrom(label).bytes(32)))
  mine = new Recording('deeds', {
    groups: this.readers,
    metadata: { title: 'a walk' },
  })
  readonly witness = new Witness()
  readonly objects = new Map<string, Buffer>()
  /** Addresses of objects that the store lost. */
  readonly gone = new Set<string>()
  readonly node: FakeNode
  /** Who reads. */
  group: Group = this.readers[0]!
  constructor(node: FakeNode) {
    this.node = node
  }

  /** What an honest recorder does up to this page; the last one ends the recording. */
  async honest(pages = 4): Promise<void> {
    for (let number = this.mine.pages.length + 1; number <= pages; number++) {
      if (number === 1) await this.mine.chunk(0, text('chunk 0'))
      await this.mine.chunk(number, text(`chunk ${number}`))
      if (number === 2) this.mine.note({ heard: 'bells' })
      if (number === 4) this.mine.end('complete', 5)
      this.anchor(this.mine.publish())
    }
  }

  anchor({ head }: Published, changes: Partial<Published['head']> = {}): boolean {
    return this.witness.anchor({ ...head, ...changes })
  }

  /** Somebody else with the session's keys, who knows what is recorded so far. */
  thief(pages = this.mine.pages.length): Recording {
    const thief = this.mine.copy('thief')
    const from = pages === 0 ? 1 : Number(this.mine.pages[pages - 1]!.head.size)
    thief.entries.splice(from)
    thief.pages.splice(pages)
    Object.assign(thief, { published: pages === 0 ? 0 : from })
    return thief
  }

  /** A head that is anchored as if the registry did not look at signatures. */
  forge(changes: Partial<Published['head']>): void {
    const last = this.mine.pages.at(-1)!.head
    this.witness.anchor({ ...last, size: Number(last.size) + 1, ...changes })
  }

  cidOfChunk = (index: number) => this.mine.chunks.find((chunk) => chunk.index === index)!.cid
  cidOfPage = (number: number) => rawAddress(this.mine.pages[number - 1]!.digest)

  world(...others: readonly Recording[]): EvidenceWorld {
    const objects = new Map<string, Buffer>()
    for (const some of [this.mine.objects, ...others.map((other) => other.objects), this.objects])
      for (const [cid, bytes] of some) objects.set(cid, bytes)
    for (const cid of this.gone) objects.delete(cid)
    return { name: this.mine.keys.name, group: this.group, witnessed: this.witness.witnessed, objects }
  }
}

/** What is said of a whole recording; a deed changes some of it. */
export interface Outcome {
  /** Each head: g(ood), b(ad signature), f(orked). */
  readonly heads: string
  /** Each chunk's verdict, `p` for proved. */
  readonly chunks: readonly string[]
  readonly lost: readonly (readonly [number, number])[]
  /** How many entries are shown apart. */
  readonly apart: number
  readonly ending: string
  readonly missing: readonly number[]
  readonly repeated: number
  readonly metadata: unknown
  readonly notes: readonly unknown[]
}

export const WHOLE: Outcome = {
  heads: 'gggg',
  chunks: ['p', 'p', 'p', 'p', 'p'],
  lost: [],
  apart: 0,
  ending: 'complete',
  missing: [],
  repeated: 0,
  metadata: { title: 'a walk' },
  notes: [{ heard: 'bells' }],
}

export interface Deed {
  readonly party: string
  readonly deed: string
  /** Returns the other recordings whose objects lie at the store too. */
  readonly act: (scene: Scene) => Promise<readonly Recording[] | void>
  /** A code: the reader refuses to open. */
  readonly says: string | Partial<Outcome>
  /** For each chunk the head, from 1, whose block says when it existed. */
  readonly since?: readonly number[]
  /** Only the node or the gateway lies, so that the second reader, who asks neither, finds nothing. */
  readonly isServed?: boolean
}

const none: readonly string[] = []
const proved = (count: number): string[] => Array<string>(count).fill('p')
/** One chunk of the five is not proved. */
const bad = (index: number, code: string) => ({ chunks: proved(5).with(index, code) })
/** What remains of the first two pages. */
const TWO_PAGES = { chunks: proved(3), ending: 'open' }
const random = (label: string, length = 32) => randomFrom(label).bytes(length)
const flipped = (bytes: Buffer, at = bytes.length - 1) => {
  const other = Buffer.from(bytes)
  other[at]! ^= 1
  return other
}

const signed = (
  { mine }: Scene,
  { head, ...rest }: Published,
  changes: Partial<Published['head']>,
): Published => ({
  ...rest,
  head: signHead(mine.keys.signing, { ...head, ...changes }),
})

/** Three pages, the first head of which has the size, root, groups and end of its own, and the digest of the next one. */
async function firstOfAnotherPage(scene: Scene): Promise<void> {
  await scene.honest(3)
  const [one, two, three] = scene.mine.pages
  scene.witness.witnessed.length = 0
  scene.anchor(signed(scene, one!, { page: two!.digest }))
  for (const later of [two, three]) scene.anchor(later!)
}

async function thiefAppends(thief: Recording, index = 90): Promise<Published> {
  await thief.chunk(index, text('not what was seen'))
  return thief.publish()
}

const thief: readonly Omit<Deed, 'party'>[] = [
  {
    deed: 'anchors other pages before the recorder comes to it',
    act: async (scene) => {
      await scene.honest(2)
      const thief = scene.thief()
      scene.anchor(await thiefAppends(thief))
      await scene.mine.chunk(3, text('chunk 3'))
      await scene.mine.chunk(4, text('chunk 4'))
      scene.anchor(scene.mine.publish())
      return [thief]
    },
    // First anchored wins: from there on nobody can say which is which.
    says: {
      ...TWO_PAGES,
      heads: 'gggf',
      chunks: proved(4),
      missing: Array.from({ length: 87 }, (_, at) => at + 3),
      apart: 2,
    },
  },
  {
    deed: 'anchors a log that forgets the last page',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief(2)
      await thief.chunk(3, text('another 3'))
      scene.anchor(await thiefAppends(thief))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 2 },
  },
  {
    deed: 'rewrites a chunk in the middle',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief(1)
      await thief.chunk(2, text('another 2'))
      thief.publish()
      await thief.chunk(3, text('another 3'))
      thief.note({})
      scene.anchor(await thiefAppends(thief))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 4 },
  },
  {
    deed: 'writes other entries where a page of the recorder cannot be fetched',
    act: async (scene) => {
      await scene.honest(3)
      scene.gone.add(scene.cidOfPage(3))
      const thief = scene.thief(2)
      await thief.chunk(3, text('another 3'))
      scene.anchor(await thiefAppends(thief))
      return [thief]
    },
    // Its entry is not there to compare with; the root of its head is.
    says: { ...TWO_PAGES, heads: 'gggf', lost: [[5, 6]], apart: 2 },
  },
  {
    deed: 'writes other entries, and keeps the page that would show another root',
    act: async (scene) => {
      await scene.honest(3)
      scene.witness.witnessed.splice(0, 2)
      const thief = scene.thief(1)
      await thief.chunk(2, text('another 2'))
      thief.note({})
      thief.publish()
      thief.note({})
      thief.note({})
      scene.gone.add(rawAddress(thief.publish().digest))
      scene.anchor(await thiefAppends(thief))
      return [thief]
    },
    says: { heads: 'gf', chunks: proved(4), ending: 'open', apart: 3 },
  },
  {
    deed: 'begins anew, for a group of their own',
    act: async (scene) => {
      await scene.honest(3)
      const own = new Recording('own', { groups: [groupOf(random('own'))], keys: scene.mine.keys })
      for (let index = 0; index < 9; index++) own.note({ index })
      scene.anchor(own.publish())
      return [own]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 10 },
  },
  {
    deed: 'goes on with a log whose page they keep',
    act: async (scene) => {
      await scene.honest(3)
      scene.anchor(await thiefAppends(scene.thief()))
    },
    says: { chunks: proved(4), ending: 'open', lost: [[6, 7]] },
  },
  {
    deed: 'leaves out pages that nobody has',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      await thiefAppends(thief)
      const published = thief.publish(
        {
          number: 8,
          from: 9,
          frontier: [random('a'), random('b')],
          entries: [thief.entries[2]!],
          links: [random('c'), random('d'), random('e')],
        },
        { size: 10 },
      )
      const honest = published.head.root
      scene.objects.set(rawAddress(published.digest), published.bytes)
      scene.witness.anchor(signHead(scene.mine.keys.signing, { ...published.head, root: honest }))
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'signs a size beyond all',
    act: async (scene) => {
      await scene.honest(3)
      const { head } = scene.mine.pages.at(-1)!
      scene.witness.anchor(signHead(scene.mine.keys.signing, { ...head, size: 2n ** 64n - 2n }))
      scene.witness.anchor(signHead(scene.mine.keys.signing, { ...head, size: 2n ** 64n - 1n }))
    },
    says: { heads: 'gggff', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'signs a size that no log has, over a page that they keep',
    act: async (scene) => {
      await scene.honest(3)
      scene.anchor(signed(scene, await thiefAppends(scene.thief()), { size: 2 ** 32 }))
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'anchors a first head that names another page as its own: those after it give all that it says',
    act: firstOfAnotherPage,
    says: { heads: 'ggg', chunks: proved(4), ending: 'open' },
    since: [1, 1, 2, 3],
  },
  {
    deed: 'does that, and signs a size beyond all: what comes before it stands',
    act: async (scene) => {
      await firstOfAnotherPage(scene)
      scene.anchor(signed(scene, scene.mine.pages[2]!, { size: 2 ** 32 }))
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open' },
    since: [1, 1, 2, 3],
  },
  {
    deed: 'does that, and signs another root: what comes before it stands',
    act: async (scene) => {
      await firstOfAnotherPage(scene)
      const thief = scene.thief()
      thief.note({})
      scene.anchor(thief.publish({}, { root: random('root') }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
    since: [1, 1, 2, 3],
  },
  {
    deed: 'does that, of a log in which a page is lost: no head gives all that the first one says',
    act: async (scene) => {
      await firstOfAnotherPage(scene)
      scene.gone.add(scene.cidOfPage(1))
    },
    says: 'root',
  },
  {
    deed: 'lists pages of their own before a page that nobody has: what a later head gives counts instead',
    act: async (scene) => {
      await scene.honest(1)
      const thief = scene.thief()
      thief.note({ heard: 'nothing' })
      const { digest } = thief.publish()
      await scene.honest(2)
      scene.witness.witnessed.pop()
      scene.anchor(signed(scene, scene.mine.pages[1]!, { page: random('page'), previous: digest }))
      await scene.honest(3)
      const forked = scene.thief()
      forked.note({})
      scene.anchor(forked.publish({}, { root: random('root') }))
      return [thief, forked]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
    since: [1, 1, 2, 3],
  },
  {
    deed: 'signs the largest size that a log has, over a page that they keep',
    act: async (scene) => {
      await scene.honest(3)
      scene.anchor(signed(scene, await thiefAppends(scene.thief()), { size: 2 ** 32 - 1 }))
    },
    says: { chunks: proved(4), ending: 'open', lost: [[6, 2 ** 32 - 1]] },
  },
  {
    deed: 'signs a size beyond all over entries of their own',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      scene.anchor(signed(scene, await thiefAppends(thief), { size: 2n ** 60n }))
      scene.anchor(signed(scene, await thiefAppends(thief, 91), { size: 2n ** 61n }))
      return [thief]
    },
    // A size that no log has: nothing is read of it.
    says: { heads: 'gggff', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'links to a page by the number of another, which is shown apart all the same',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      thief.publish()
      const { digest } = thief.pages.at(-1)!
      await thief.chunk(90, text('not what was seen'))
      scene.anchor(thief.publish({ number: 7, links: [digest, digest] }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 2 },
  },
  {
    deed: 'forks, where pages that were listed once more are gone: what was anchored keeps its times',
    act: async (scene) => {
      await scene.honest(3)
      scene.gone.add(scene.cidOfPage(2)).add(scene.cidOfPage(3))
      await scene.mine.chunk(4, text('chunk 4'))
      scene.anchor(scene.mine.publishFull(1))
      const thief = scene.thief()
      thief.note({})
      scene.anchor(thief.publish({}, { root: random('root') }))
      return [thief]
    },
    says: { heads: 'ggggf', ending: 'open', apart: 1 },
    since: [1, 1, 2, 3, 4],
  },
  {
    deed: 'signs another root over true pages',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      await thief.chunk(4, text('chunk 4'))
      scene.anchor(thief.publish({}, { root: random('root') }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'signs other groups',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      scene.anchor(thief.publish({}, { groups: random('groups') }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'signs an end where the log has none',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      scene.anchor(thief.publish({}, { end: true }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'ends the recording, so that no more is taken',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.end('complete', 4)
      scene.anchor(thief.publish())
      await scene.honest(4)
      return [thief]
    },
    says: { chunks: proved(4) },
  },
  {
    deed: 'signs a page with another tree before it',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      scene.anchor(thief.publish({ frontier: [random('left'), random('right')] }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'makes up a tree where no head was anchored, and signs its root',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      thief.publish()
      thief.note({})
      const frontier = ['four', 'two', 'one'].map((label) => random(label))
      const made = rootOfFrontier([...frontier, leafHash(thief.entries.at(-1)!)])
      scene.anchor(thief.publish({ frontier }, { root: made }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 2 },
  },
  {
    deed: 'links to a first page of their own',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      thief.note({})
      const links = [scene.mine.pages[2]!.digest, scene.mine.pages[0]!.digest]
      scene.anchor(thief.publish({ links }))
      return [thief]
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open', apart: 1 },
  },
  {
    deed: 'lists an index again',
    act: async (scene) => {
      await scene.honest(3)
      const thief = scene.thief()
      scene.anchor(await thiefAppends(thief, 2))
      return [thief]
    },
    says: { chunks: proved(4), ending: 'open', repeated: 1 },
  },
  {
    deed: 'uses the other of two signatures that are valid',
    act: async (scene) => {
      await scene.honest(3)
      const page = await thiefAppends(scene.mine, 4)
      scene.anchor(page, { signature: otherSignature(page.head.signature) })
    },
    says: { ending: 'open' },
  },
]

const relay: readonly Omit<Deed, 'party'>[] = [
  {
    deed: 'makes a signature up',
    act: async (scene) => {
      await scene.honest(3)
      scene.forge({ signature: random('signature', 64) })
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  ...(['root', 'page', 'previous', 'groups'] as const).map((field) => ({
    deed: `alters the ${field} under a true signature`,
    act: async (scene: Scene) => {
      await scene.honest(3)
      const page = await thiefAppends(scene.mine, 4)
      scene.anchor(page, { [field]: flipped(page.head[field]) })
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  })),
  {
    deed: 'raises the size under a true signature',
    act: async (scene) => {
      await scene.honest(3)
      scene.forge({})
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'says that it ended, under a true signature',
    act: async (scene) => {
      await scene.honest(3)
      scene.anchor(await thiefAppends(scene.mine, 4), { end: true })
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'brings heads that it made up, and no other',
    act: async (scene) => {
      scene.mine.note({})
      scene.anchor(scene.mine.publish(), { signature: random('signature', 64) })
    },
    says: 'head-signature',
  },
  {
    deed: 'keeps the newest heads',
    act: async (scene) => {
      await scene.honest(2)
      const { witness } = scene
      const before = [...witness.witnessed]
      await scene.honest(4)
      witness.witnessed.splice(0, Infinity, ...before)
    },
    says: { ...TWO_PAGES, heads: 'gg' },
  },
  {
    deed: 'brings a size beyond all that nobody signed, as if the registry took it',
    act: async (scene) => {
      await scene.honest(3)
      scene.forge({ size: 2n ** 60n, signature: random('signature', 64) })
    },
    says: { heads: 'gggf', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'brings the newest head alone',
    act: async (scene) => {
      await scene.honest(4)
      scene.witness.witnessed.splice(0, 3)
    },
    says: { heads: 'g' },
  },
  {
    deed: 'brings an older head after a newer one',
    act: async (scene) => {
      await scene.honest(4)
      scene.anchor(scene.mine.pages[1]!)
    },
    says: {},
  },
]

type Lies = (request: RpcRequest, result: unknown) => unknown
const rpc =
  (lies: Lies) =>
  async (scene: Scene): Promise<void> => {
    await scene.honest()
    scene.node.onRpc = lies
  }
const logs = (change: (logs: FakeLog[]) => unknown): Lies =>
  function changed({ method }, result) {
    return method === 'eth_getLogs' ? change([...(result as FakeLog[])]) : result
  }
/** The `at`th word of an event's data, or of the registry's answer. */
const withWord = (data: string, at: number, word: string) =>
  data.slice(0, 2 + 64 * at) + word.padStart(64, '0') + data.slice(2 + 64 * (at + 1))
const session = (at: number, word: string): Lies =>
  function changed({ method }, result) {
    return method === 'eth_call' ? withWord(result as string, at, word) : result
  }
const instead = (method: string, told: (result: unknown) => unknown): Lies =>
  function changed(request, result) {
    return request.method === method ? told(result) : result
  }

const node: readonly Omit<Deed, 'party'>[] = (
  [
    [
      'keeps the oldest head back',
      logs((all) => all.slice(all[0]?.logIndex === '0x0' ? 1 : 0)),
      'heads-withheld',
    ],
    [
      'keeps a head in the middle back',
      logs((all) => all.filter(({ logIndex }) => logIndex !== '0x2')),
      'heads-withheld',
    ],
    [
      'keeps the newest head back',
      logs((all) => all.filter(({ logIndex }) => logIndex !== '0x3')),
      'heads-withheld',
    ],
    ['keeps every head back', logs(() => []), 'heads-withheld'],
    ['tells of a head twice', logs((all) => [...all, ...all]), 'heads-withheld'],
    ['counts a head more', session(3, '5'), 'heads-withheld'],
    ['tells heads in another order', logs((all) => all.reverse()), {}],
    [
      'alters the root of a head in the middle',
      logs((all) =>
        all.map((log) => (log.logIndex === '0x1' ? { ...log, data: withWord(log.data, 1, 'ab') } : log)),
      ),
      { heads: 'gbgg' },
    ],
    [
      'alters the root of the newest head',
      logs((all) =>
        all.map((log) => (log.logIndex === '0x3' ? { ...log, data: withWord(log.data, 1, 'ab') } : log)),
      ),
      'chain-answer',
    ],
    [
      'tells of another session',
      logs((all) => all.map((log) => ({ ...log, topics: log.topics.with(1, `0x${'cd'.repeat(32)}`) }))),
      'chain-answer',
    ],
    [
      'tells of another registry',
      logs((all) => all.map((log) => ({ ...log, address: `0x${'12'.repeat(20)}` }))),
      'chain-answer',
    ],
    [
      'tells of another event',
      logs((all) => all.map((log) => ({ ...log, topics: log.topics.with(0, `0x${'cd'.repeat(32)}`) }))),
      'chain-answer',
    ],
    [
      'tells of heads that were taken back',
      logs((all) => all.map((log) => ({ ...log, removed: true }))),
      'heads-withheld',
    ],
    [
      'tells of heads that were taken back beside those that stand',
      logs((all) => all.flatMap((log) => [{ ...log, data: '0x', removed: true }, log])),
      {},
    ],
    [
      'tells of heads in other blocks',
      logs((all) => all.map((log) => ({ ...log, blockNumber: '0x1' }))),
      'chain-answer',
    ],
    [
      'cuts an event short',
      logs((all) => all.map((log) => ({ ...log, data: log.data.slice(0, -64) }))),
      'chain-answer',
    ],
    ['tells of no list', logs(() => ({})), 'chain-answer'],
    [
      'takes no more than one block at a time',
      instead('eth_getLogs', (result) => ((result as FakeLog[]).length > 1 ? refuseRpc('range') : result)),
      {},
    ],
    ['refuses all events', instead('eth_getLogs', () => refuseRpc('no')), 'chain-answer'],
    ['knows no such session', instead('eth_call', () => `0x${'0'.repeat(512)}`), 'not-registered'],
    ['has no contract there', instead('eth_call', () => '0x'), 'chain-answer'],
    ['says another root than the newest head’s', session(0, 'ab'), 'chain-answer'],
    ['says another page than the newest head’s', session(1, 'ab'), 'chain-answer'],
    ['says another size than the newest head’s', session(2, '7'), 'chain-answer'],
    ['says that it has not ended', session(7, '0'), 'chain-answer'],
    ['says another first block', session(4, '1'), 'chain-answer'],
    ['is far behind', instead('eth_blockNumber', () => '0x5'), 'not-registered'],
    ['says a last block that is yet to come', session(5, 'ffff'), 'chain-answer'],
    ['says no block', instead('eth_blockNumber', () => 'latest'), 'chain-answer'],
    [
      'says another time of the newest block',
      instead('eth_getBlockByNumber', (block) => Object.assign({}, block, { timestamp: '0x7fffffff' })),
      'chain-answer',
    ],
    [
      'tells of another block',
      instead('eth_getBlockByNumber', (block) => Object.assign({}, block, { number: '0x1' })),
      'chain-answer',
    ],
    ['tells of no block', instead('eth_getBlockByNumber', () => null), 'chain-answer'],
  ] satisfies [string, Lies, Deed['says']][]
).map(([deed, lies, says]) => ({ deed, says, act: rpc(lies), isServed: true }))

type Serves = (scene: Scene, cid: string, bytes: Buffer | undefined) => Served
const served = (deed: string, serves: Serves, says: Deed['says']): Omit<Deed, 'party'> => ({
  deed,
  says,
  isServed: true,
  act: async (scene) => {
    await scene.honest()
    scene.node.onObject = (cid, bytes) => serves(scene, cid, bytes)
  },
})
const forChunk = (index: number, other: (bytes: Buffer, scene: Scene) => Served): Serves =>
  function serves(scene, cid, bytes) {
    return cid === scene.cidOfChunk(index) ? other(bytes!, scene) : bytes
  }
const forPage = (number: number, other: (bytes: Buffer, scene: Scene) => Served): Serves =>
  function serves(scene, cid, bytes) {
    return cid === scene.cidOfPage(number) ? other(bytes!, scene) : bytes
  }
const bytesOfPage = ({ mine }: Scene, number: number) => mine.pages[number - 1]!.bytes

const gateway: readonly Omit<Deed, 'party'>[] = [
  served(
    'has one chunk no more',
    forChunk(2, () => undefined),
    bad(2, 'chunk-missing'),
  ),
  served(
    'says that one chunk is gone',
    forChunk(2, () => 410),
    bad(2, 'chunk-missing'),
  ),
  served(
    'fails at one chunk',
    forChunk(0, () => 500),
    bad(0, 'gateway-unreachable'),
  ),
  served(
    'hangs up at one chunk',
    forChunk(4, () => 'hang up'),
    bad(4, 'gateway-unreachable'),
  ),
  served(
    'alters a bit of a chunk',
    forChunk(3, (bytes) => flipped(bytes)),
    bad(3, 'chunk-address'),
  ),
  served(
    'cuts a chunk short',
    forChunk(3, (bytes) => bytes.subarray(1)),
    bad(3, 'chunk-address'),
  ),
  served(
    'adds to a chunk',
    forChunk(3, (bytes) => cat(bytes, bytes)),
    bad(3, 'chunk-address'),
  ),
  served(
    'serves nothing as a chunk',
    forChunk(3, () => Buffer.alloc(0)),
    bad(3, 'chunk-address'),
  ),
  served(
    'serves one chunk for another',
    forChunk(3, (_, { mine, cidOfChunk }) => mine.objects.get(cidOfChunk(1))),
    bad(3, 'chunk-address'),
  ),
  served(
    'has a page in the middle no more',
    forPage(2, () => undefined),
    { chunks: proved(4), lost: [[3, 5]], missing: [2], notes: [] },
  ),
  served(
    'fails at a page in the middle',
    forPage(3, () => 503),
    { chunks: proved(4), lost: [[5, 6]], missing: [3] },
  ),
  served(
    'has the newest page no more',
    forPage(4, () => undefined),
    { chunks: proved(4), lost: [[6, 8]] },
  ),
  served(
    'has the first page no more',
    forPage(1, () => undefined),
    'first-page',
  ),
  served(
    'fails at the first page',
    forPage(1, () => 500),
    'gateway-unreachable',
  ),
  served(
    'alters a page',
    forPage(2, (bytes) => flipped(bytes, 60)),
    { chunks: proved(4), lost: [[3, 5]], missing: [2], notes: [] },
  ),
  served(
    'serves one page for another',
    forPage(3, (_, scene) => bytesOfPage(scene, 2)),
    { chunks: proved(4), lost: [[5, 6]], missing: [3] },
  ),
  served(
    'serves a page without end',
    forPage(3, () => Buffer.alloc(300_000)),
    { chunks: proved(4), lost: [[5, 6]], missing: [3] },
  ),
  served('has nothing at all', () => undefined, 'first-page'),
  served('fails at everything', () => 502, 'gateway-unreachable'),
]

/** Only the newest head was brought, so that `previous` alone names the page before its own. */
const lostUnderOneHead: Omit<Deed, 'party'> = {
  deed: 'has the page of the only head no more',
  act: async (scene) => {
    await scene.honest()
    scene.witness.witnessed.splice(0, 3)
    scene.gone.add(scene.cidOfPage(4))
  },
  says: { heads: 'g', chunks: proved(4), lost: [[6, 8]] },
}

const member: readonly Omit<Deed, 'party'>[] = [
  { deed: 'reads', act: (scene) => scene.honest(), says: {} },
  {
    deed: 'of another group that may read, reads',
    act: async (scene) => {
      await scene.honest()
      scene.group = scene.readers[1]!
    },
    says: {},
  },
  {
    deed: 'of a group that may not, does not',
    act: async (scene) => {
      await scene.honest()
      scene.group = groupOf(random('stranger'))
    },
    says: 'group',
  },
  {
    deed: 'signs a head with a key of their own',
    act: async (scene) => {
      await scene.honest(3)
      const key = signingKey(random('member'))
      const { head } = scene.mine.pages.at(-1)!
      scene.forge(signHead(key, { ...head, size: Number(head.size) + 1 }))
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'signs with a key of their own and shows the session’s',
    act: async (scene) => {
      await scene.honest(3)
      const { head } = scene.mine.pages.at(-1)!
      const larger = { ...head, size: Number(head.size) + 1 }
      scene.forge({ ...larger, signature: sign(signingKey(random('member')), headBytes(larger)) })
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'seals other bytes to the session’s key and puts them in a chunk’s place',
    act: async (scene) => {
      await scene.honest()
      const other = new Recording('member', { groups: scene.readers, keys: scene.mine.keys })
      const { cid } = await other.chunk(2, text('another 2'))
      scene.objects.set(scene.cidOfChunk(2), other.objects.get(cid)!)
    },
    says: bad(2, 'chunk-address'),
  },
]

/** A session of somebody else, who has read this one's pages: its first entry is what they make it. */
function ownSession(scene: Scene, entry: (own: Recording) => Buffer): Recording {
  const own = new Recording('another recorder', { groups: scene.readers })
  own.entries[0] = entry(own)
  scene.mine = own
  return own
}
function entryOf(own: Recording, changes: (group: Group) => object, others: object = {}): Buffer {
  const { keys, groups } = own
  const access = groups.map((group) => {
    const { id } = group
    const sealedKey = sealSessionKey(group, keys, random(`ephemeral ${hex(id)}`))
    return Object.assign({ id, tag: tagOf(group, keys.name), sealedKey }, changes(group))
  })
  return sessionEntry({
    startedAtMs: STARTED_AT_MS,
    signingKey: keys.signing.publicKey,
    publicKey: keys.publicKey,
    continues: Buffer.alloc(32),
    mimeType: 'video/webm',
    groups: access,
    metadata: Buffer.alloc(0),
    ...others,
  })
}
/** Publishes and anchors with the groups' digest that this first entry has. */
function anchorWith(scene: Scene, groups: Buffer): void {
  scene.anchor(scene.mine.publish({}, { groups }))
}
const digestOf = (entry: Buffer, count = 2): Buffer => {
  const at = 1 + 8 + 64 + 32 + 32 + 2 + entry.readUInt16BE(1 + 8 + 64 + 32 + 32) + 1
  return sha256(
    ...Array.from({ length: count }, (_, group) => entry.subarray(at + 144 * group, at + 144 * group + 64)),
  )
}

const recorder: readonly Omit<Deed, 'party'>[] = [
  {
    deed: 'brings a head of their own under this name',
    act: async (scene) => {
      await scene.honest(3)
      const own = new Recording('another recorder', { groups: scene.readers })
      for (let left = 9; left > 0; left--) own.note({ left })
      const { head } = own.publish()
      scene.forge({ ...head, name: scene.mine.keys.name })
      return [own]
    },
    says: { heads: 'gggb', chunks: proved(4), ending: 'open' },
  },
  {
    deed: 'publishes a page of another session as theirs',
    act: async (scene) => {
      await scene.honest(1)
      const [victim] = scene.mine.pages
      const objects = [...scene.mine.objects]
      scene.witness.witnessed.length = 0
      const own = ownSession(scene, (own) => own.entries[0]!)
      for (const [cid, bytes] of objects) scene.objects.set(cid, bytes)
      const { head } = victim!
      scene.witness.anchor(signHead(own.keys.signing, { ...head, name: own.keys.name }))
    },
    says: 'first-page',
  },
  {
    deed: 'begins with the first entry of another session',
    act: async (scene) => {
      const victim = scene.mine
      ownSession(scene, () => victim.entries[0]!)
      anchorWith(scene, victim.groupsDigest)
    },
    says: 'groups',
  },
  {
    deed: 'takes the tag of another session',
    act: async (scene) => {
      const victim = scene.mine
      const own = ownSession(scene, (own) =>
        entryOf(own, (group) => ({ tag: tagOf(group, victim.keys.name) })),
      )
      anchorWith(scene, digestOf(own.entries[0]!))
    },
    says: 'group',
  },
  {
    deed: 'takes the sealed key of another session',
    act: async (scene) => {
      const victim = scene.mine
      const own = ownSession(scene, (own) =>
        entryOf(own, (group) => ({ sealedKey: sealSessionKey(group, victim.keys, random('ephemeral')) })),
      )
      anchorWith(scene, digestOf(own.entries[0]!))
    },
    says: 'key',
  },
  {
    deed: 'lists a chunk of another session',
    act: async (scene) => {
      await scene.honest(1)
      const victim = scene.mine.chunks[1]!
      const objects = [...scene.mine.objects]
      scene.witness.witnessed.length = 0
      const own = ownSession(scene, (own) => own.entries[0]!)
      for (const [cid, bytes] of objects) scene.objects.set(cid, bytes)
      await own.chunk(0, text('theirs'))
      own.entries.push(chunkEntry(victim))
      scene.anchor(own.publish())
    },
    says: { heads: 'g', chunks: ['p', 'chunk-decrypt'], ending: 'open', metadata: null, notes: [] },
  },
]

const own = (
  deed: string,
  changes: Parameters<Recording['chunk']>[2],
  code: string,
): Omit<Deed, 'party'> => ({
  deed,
  act: async (scene) => {
    await scene.honest(3)
    await scene.mine.chunk(4, text('chunk 4'), changes)
    scene.mine.end('complete', 5)
    scene.anchor(scene.mine.publish())
  },
  says: bad(4, code),
})
/** The recorder writes this before it goes on. */
const writes = (
  deed: string,
  write: (mine: Recording) => void | Promise<unknown>,
  says: Deed['says'],
): Omit<Deed, 'party'> => ({
  deed,
  act: async (scene) => {
    await scene.honest(3)
    await write(scene.mine)
    scene.anchor(scene.mine.publish())
  },
  says,
})
const LOST = { chunks: proved(4), ending: 'open' }

const itself: readonly Omit<Deed, 'party'>[] = [
  own('lists another plaintextHash', { plaintextHash: random('hash') }, 'chunk-plaintext-hash'),
  own('lists another encryptedHash', { encryptedHash: random('hash') }, 'chunk-encrypted-hash'),
  own('lists another size', { sizeBytes: 99 }, 'chunk-size'),
  own('lists another iv', { iv: random('iv', 12) }, 'chunk-decrypt'),
  own('lists a key that was never sealed', { sealedKey: random('key', 80) }, 'chunk-decrypt'),
  own('lists a key of a point that is none', { sealedKey: Buffer.alloc(80) }, 'chunk-decrypt'),
  own('lists an address that nobody has', { cid: rawAddress(random('cid')) }, 'chunk-missing'),
  {
    deed: 'seals a chunk’s key for another place',
    act: async (scene) => {
      await scene.honest(3)
      const { keys } = scene.mine
      const info = cat(text('holdfast/chunk-key/v2'), keys.name, u32(9))
      const sealedKey = hpkeSeal(
        keys.publicKey,
        info,
        cat(keys.name, u32(9)),
        random('key'),
        random('ephemeral'),
      )
      await scene.mine.chunk(4, text('chunk 4'), { sealedKey })
      scene.mine.end('complete', 5)
      scene.anchor(scene.mine.publish())
    },
    says: bad(4, 'chunk-decrypt'),
  },
  writes('lists an index twice', (mine) => mine.chunk(1, text('again')), { ...LOST, repeated: 1 }),
  writes('leaves indexes out', (mine) => mine.chunk(7, text('later')), {
    chunks: proved(5),
    ending: 'open',
    missing: [4, 5, 6],
  }),
  writes('cut more chunks than it lists', (mine) => mine.end('complete', 6), {
    ...LOST,
    ending: 'complete',
    missing: [4, 5],
  }),
  writes('is interrupted', (mine) => mine.end('interrupted'), { ...LOST, ending: 'interrupted' }),
  writes('discards the recording', (mine) => mine.end('discarded'), { ...LOST, ending: 'discarded' }),
  writes('writes an entry of no kind', (mine) => void mine.entries.push(Buffer.of(9)), {
    ...LOST,
    lost: [[6, 7]],
  }),
  writes(
    'writes an entry with a byte too much',
    (mine) => void mine.entries.push(cat(endEntry(HOW.interrupted, 0, 0), Buffer.of(0))),
    { ...LOST, lost: [[6, 7]] },
  ),
  writes('writes a second first entry', (mine) => void mine.entries.push(mine.entries[0]!), {
    ...LOST,
    lost: [[6, 7]],
  }),
  writes(
    'goes on after the end, in the same page',
    (mine) => {
      mine.end('complete', 4)
      mine.note({})
    },
    { ...LOST, lost: [[6, 8]] },
  ),
  writes(
    'writes a note that does not open',
    (mine) => void mine.entries.push(noteEntry(5, random('note', 60))),
    { ...LOST, notes: [{ heard: 'bells' }, 'does not open'] },
  ),
  {
    deed: 'goes on after the end, in another page',
    act: async (scene) => {
      await scene.honest(3)
      scene.mine.end('complete', 4)
      scene.mine.publish()
      scene.mine.note({})
      scene.anchor(scene.mine.publish())
    },
    says: { ...LOST, heads: 'gggf', apart: 2 },
  },
  {
    deed: 'begins with metadata that does not open',
    act: async (scene) => {
      const own = ownSession(scene, (own) => entryOf(own, () => ({}), { metadata: random('metadata', 60) }))
      anchorWith(scene, digestOf(own.entries[0]!))
    },
    says: { heads: 'g', chunks: none, ending: 'open', metadata: null, notes: [] },
  },
  {
    deed: 'signs other groups than it lists, at first',
    act: async (scene) => {
      anchorWith(scene, random('groups'))
    },
    says: 'root',
  },
  {
    deed: 'seals a session key that is not the listed one',
    act: async (scene) => {
      const keys = { ...scene.mine.keys, privateKey: random('another key') }
      const own = ownSession(scene, (own) =>
        entryOf(own, (group) => ({
          sealedKey: sealSessionKey(group, { ...keys, name: own.keys.name }, random('e')),
        })),
      )
      anchorWith(scene, digestOf(own.entries[0]!))
    },
    says: 'key',
  },
]

const by = (party: string, deeds: readonly Omit<Deed, 'party'>[]): Deed[] =>
  deeds.map((deed) => Object.assign({ party }, deed))

/** Who does what, and what the reader says of it. */
export const DEEDS: readonly Deed[] = [
  ...by('a thief with the session’s key', thief),
  ...by('a relay', relay),
  ...by('a node', node),
  ...by('a gateway', [...gateway, lostUnderOneHead]),
  ...by('a member of the group', member),
  ...by('another recorder', recorder),
  ...by('the recorder itself', itself),
]
