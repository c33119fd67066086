import { describe, expect, it } from 'vitest'
import { parseManifest } from '../../src/evidence/manifest-parse.ts'
import { serialiseManifest } from '../../src/evidence/manifest.ts'
import type { GroupId } from '../../src/protocol/ids.ts'
import type { Publication } from '../core/record.ts'
import { createWorld, drainOnce, recordSession, sessionIdOf } from '../testing/world.ts'
import { manifestBytes, rootOf } from './manifest.ts'

const id = sessionIdOf(1)

describe('manifestBytes', () => {
  it('are those of the format, whatever the order of the groups', async () => {
    const world = createWorld()
    await recordSession(world, { chunks: 3 })
    await drainOnce(world, world.worker())
    const session = await world.session(id)
    const chunks = await world.chunks(id)
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
    const bytes = manifestBytes({ ...session, access }, publication, `0x${'5'.repeat(40)}`, chunks)
    const manifest = parseManifest(bytes)
    expect(Object.keys(manifest.accessList)).toHaveLength(4)
    expect(manifest.chunks).toHaveLength(3)
    expect(bytes).toEqual(serialiseManifest(manifest))
  })
})
