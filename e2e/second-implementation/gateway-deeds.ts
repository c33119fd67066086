import { cat } from './bytes.ts'
import { type Served } from './fake-node.ts'
import type { Scene } from './deed-scene.ts'
import { proved, bad, flipped, type Deed } from './deed.ts'

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

export const gateway: readonly Omit<Deed, 'party'>[] = [
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
  {
    // Only the newest head was brought, so that `previous` alone names the page before its own.
    deed: 'has the page of the only head no more',
    act: async (scene) => {
      await scene.honest()
      scene.witness.witnessed.splice(0, 3)
      scene.gone.add(scene.cidOfPage(4))
    },
    says: { heads: 'g', chunks: proved(4), lost: [[6, 8]] },
  },
]
