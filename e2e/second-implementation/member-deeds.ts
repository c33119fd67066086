import { text } from './bytes.ts'
import { sign, signingKey } from './p256.ts'
import { groupOf, headBytes, Recording, signHead } from './recording.ts'
import { proved, bad, random, type Deed } from './deed.ts'

export const member: readonly Omit<Deed, 'party'>[] = [
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
