import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/evidence/manifest-parse.ts'
import { serialiseManifest } from '../../src/evidence/manifest.ts'
import type { GroupId } from '../../src/protocol/ids.ts'
import type { Publication } from '../core/record.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf } from '../testing/world.ts'
import { manifestOf, rootOf, type VerifiedChunk } from './manifest.ts'

const id = sessionIdOf(1)

describe('manifestOf', () => {
  it('has the keys of the format in its order, whatever the order of the groups', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await drainOnce(world, world.worker())
    const session = await world.session(id)
    const chunks = (await world.chunks(id)) as VerifiedChunk[]
    const publication: Publication = {
      stage: 'manifesting',
      ending: 'complete',
      lastUpdatedMs: world.clock.now(),
      merkleRoot: await rootOf(chunks),
      chunkCount: chunks.length,
      sent: false,
      failures: 0,
      wait: { kind: 'due', notBeforeMs: 0 },
    }
    const [wrapped] = session.access
    const access = ['c', 'a', 'f', '0'].map((digit) => {
      const groupId = `0x${digit.repeat(64)}` as GroupId
      return { iv: wrapped?.iv ?? '', wrappedKey: wrapped?.wrappedKey ?? '', groupId }
    })
    const manifest = manifestOf({ ...session, access }, publication, `0x${'5'.repeat(40)}`, chunks)
    const written = new TextDecoder().decode(serialiseManifest(manifest))
    const names = (of: string) => Object.keys(JSON.parse(of) as object).join(' ')
    // As docs/evidence-format.md lists them.
    expect(names(written)).toBe(
      'version contentId sessionId uploader captureStarted lastUpdated status merkleRoot encryption accessList chunks',
    )
    expect(manifest.chunks.map((chunk) => names(JSON.stringify(chunk)))).toEqual(
      Array.from(
        { length: 3 },
        () => 'index cid size duration plaintextHash encryptedHash iv capturedAt uploadedAt',
      ),
    )
    expect(Object.keys(manifest.accessList).map((groupId) => groupId[2])).toEqual(['0', 'a', 'c', 'f'])
    expect(Object.values(manifest.accessList).map((key) => names(JSON.stringify(key)))).toContain(
      'wrappedKey iv',
    )
    expect(parseManifest(serialiseManifest(manifest))).toEqual(manifest)
  })
})
