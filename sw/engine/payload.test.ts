import { expect, it } from 'vitest'
import type { ChunkId } from '../../src/protocol/ids.ts'
import { UNREAD_BYTES } from '../../src/protocol/memory.ts'
import { unreadPayload } from './payload.ts'
import { createWorld } from '../testing/world.ts'

const MIB = 1024 * 1024

it('counts some of what goes unread, so that the browser collects what was left behind', async () => {
  const context = createWorld().worker()
  const store = {
    ...context.store,
    blob: async () => Object.defineProperty(new Blob(['sealed']), 'size', { value: 3 * MIB }),
  }
  const transport = { ...context.transport, sendUnread: async () => 'proved' as const }
  const counted: number[] = []
  for (let chunk = 0; chunk < 100; chunk++) {
    const blob = await unreadPayload({ ...context, store, transport }, `s/${chunk}` as ChunkId)
    if (Reflect.has(blob!, 'weight')) counted.push(chunk)
  }
  const every = Math.ceil((UNREAD_BYTES + 1) / (3 * MIB))
  expect(counted).toEqual([every - 1, 2 * every - 1])
})
