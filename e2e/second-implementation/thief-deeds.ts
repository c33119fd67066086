import { text } from './bytes.ts'
import { rawAddress } from './address.ts'
import { otherSignature } from './p256.ts'
import { leafHash, rootOfFrontier } from './tree.ts'
import { groupOf, Recording, signHead } from './recording.ts'
import type { Scene } from './deed-scene.ts'
import { proved, TWO_PAGES, random, signed, thiefAppends, type Deed } from './deed.ts'

/** Three pages, the first head of which has the size, root, groups and end of its own, and the digest of the next one. */
async function firstOfAnotherPage(scene: Scene): Promise<void> {
  await scene.honest(3)
  const [one, two, three] = scene.mine.pages
  scene.witness.witnessed.length = 0
  scene.anchor(signed(scene, one!, { page: two!.digest }))
  for (const later of [two, three]) scene.anchor(later!)
}

export const thief: readonly Omit<Deed, 'party'>[] = [
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
