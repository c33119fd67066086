import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { importBytes } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { describe, expect, it } from 'vitest'
import { takesWhole } from '../../e2e/test-size.ts'
import { isCid, type Sha256Hex } from '../protocol/ids.ts'
import { addressOf, contentAddress, KUBO_LEGACY_CIDV1, UNIXFS_V1_2025, type CidProfile } from './cid.ts'
import vectors from './vectors/cids.json' with { type: 'json' }

const PROFILES: Record<string, CidProfile> = {
  'unixfs-v1-2025': UNIXFS_V1_2025,
  'kubo-legacy-cidv1': KUBO_LEGACY_CIDV1,
}

/** `npm test` leaves out 50 MiB: the deep trees below have more than one level of links, too. */
const VECTORS = vectors.vectors.filter(({ sizeBytes }) => takesWhole() || sizeBytes < 16 * 1024 * 1024)
/** The `byteStream` of the vectors, made once for the longest and cut for the others. */
const LONGEST = Math.max(...VECTORS.map(({ sizeBytes }) => sizeBytes))
const stream = new Uint8Array(LONGEST)
const seed = Buffer.concat([Buffer.from('holdfast/cid'), Buffer.alloc(4)])
for (let k = 0; k * 32 < LONGEST; k++) {
  seed.writeUInt32BE(k, seed.length - 4)
  stream.set(
    createHash('sha256')
      .update(seed)
      .digest()
      .subarray(0, LONGEST - k * 32),
    k * 32,
  )
}

async function importerCid(bytes: Uint8Array, { leafBytes, maxLinks }: CidProfile): Promise<string> {
  const discard = { put: async (cid: never) => cid }
  const { cid } = await importBytes(bytes, discard, {
    cidVersion: 1,
    rawLeaves: true,
    reduceSingleLeafToSelf: true,
    chunker: fixedSize({ chunkSize: leafBytes }),
    layout: balanced({ maxChildrenPerNode: maxLinks }),
  })
  return cid.toString()
}

describe('contentAddress', () => {
  it.each(VECTORS)(
    'is the vector CID for $sizeBytes bytes under $profile',
    async ({ label, sizeBytes, profile, leafBytes, maxLinks, cid }) => {
      expect(label).toBe('holdfast/cid')
      expect(PROFILES[profile]).toEqual({ leafBytes, maxLinks })
      expect(await contentAddress(stream.subarray(0, sizeBytes), PROFILES[profile])).toBe(cid)
      expect(isCid(cid)).toBe(true)
    },
  )

  it('uses unixfs-v1-2025 unless told otherwise, for a buffer as for a view', async () => {
    const bytes = stream.slice(0, 3 * 1024 * 1024)
    expect(await contentAddress(bytes.buffer)).toBe(await contentAddress(bytes, UNIXFS_V1_2025))
  })

  // Promise 2 of docs/guarantees.md.
  it('agrees with the reference importer for any size and shape of tree', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 3000 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 2, max: 9 }),
        async (sizeBytes, leafBytes, maxLinks) => {
          const bytes = stream.subarray(7, 7 + sizeBytes)
          const profile = { leafBytes, maxLinks }
          expect(await contentAddress(bytes, profile)).toBe(await importerCid(bytes, profile))
        },
      ),
      { numRuns: takesWhole() ? 150 : 30 },
    )
  })

  it.each([
    [1, 2, 1000],
    [1, 3, 28],
    [4, 2, 4 * 1025],
    [7, 174, 7 * 174 * 2 + 1],
  ])(
    'agrees with it on a deep tree: leaves of %d, %d links, %d bytes',
    async (leafBytes, maxLinks, sizeBytes) => {
      const bytes = stream.subarray(0, sizeBytes)
      expect(await contentAddress(bytes, { leafBytes, maxLinks })).toBe(
        await importerCid(bytes, { leafBytes, maxLinks }),
      )
    },
  )
})

describe('addressOf', () => {
  it.each([0, 1, UNIXFS_V1_2025.leafBytes, UNIXFS_V1_2025.leafBytes + 1])(
    'is the address of %i bytes whose digest is known',
    async (sizeBytes) => {
      const bytes = stream.slice(0, sizeBytes)
      const digest = createHash('sha256').update(bytes).digest('hex') as Sha256Hex
      expect(await addressOf(bytes.buffer, digest)).toBe(await contentAddress(bytes))
    },
  )
})
