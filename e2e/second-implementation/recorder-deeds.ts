import { cat, text, u32 } from './bytes.ts'
import { rawAddress } from './address.ts'
import { hpkeSeal } from './hpke.ts'
import type { Recording } from './recording.ts'
import { HOW, noteEntry, endEntry, sealSessionKey } from './recording.ts'
import { none, proved, bad, random, type Deed } from './deed.ts'
import { ownSession, entryOf, anchorWith, digestOf } from './own-session.ts'

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

export const itself: readonly Omit<Deed, 'party'>[] = [
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
