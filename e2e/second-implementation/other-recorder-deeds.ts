import { text } from './bytes.ts'
import { chunkEntry, Recording, sealSessionKey, signHead, tagOf } from './recording.ts'
import { proved, random, type Deed } from './deed.ts'
import { ownSession, entryOf, anchorWith, digestOf } from './own-session.ts'

export const recorder: readonly Omit<Deed, 'party'>[] = [
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
