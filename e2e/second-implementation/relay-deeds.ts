import type { Scene } from './deed-scene.ts'
import { proved, TWO_PAGES, random, flipped, thiefAppends, type Deed } from './deed.ts'

export const relay: readonly Omit<Deed, 'party'>[] = [
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
