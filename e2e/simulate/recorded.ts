import { importSessionKey } from '../../src/evidence/keys.ts'
import { sha256Hex } from '../../src/evidence/digest.ts'
import { sealChunk } from '../../src/evidence/seal.ts'
import type { GroupId, SessionId } from '../../src/protocol/ids.ts'
import type { HandedChunk, SessionStart } from '../../src/protocol/messages.ts'
import { sessionIdOf } from '../../sw/testing/world.ts'
import { START_MS } from './scene.ts'

/** A Blob whose bytes are at hand without a thread. */
class QuickBlob extends Blob {
  readonly #bytes: ArrayBuffer

  constructor(bytes: ArrayBuffer) {
    super([bytes])
    this.#bytes = bytes
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytes
  }
}

const sessionKey = await importSessionKey(Uint8Array.from({ length: 32 }, (_zero, at) => at))

/** What a page says to open its recording. */
export const startOf = (at: number, sealedBy: 'page' | 'worker'): SessionStart => ({
  sessionId: sessionIdOf(at + 1),
  mimeType: 'video/webm',
  startedAtMs: START_MS + at,
  access: [{ groupId: `0x${'1'.repeat(64)}` as GroupId, wrappedKey: 'A'.repeat(64), iv: 'A'.repeat(16) }],
  ...(sealedBy === 'worker' && { sealKey: sessionKey }),
})

/** Recordings, and chunks of each, that a history can have at most. */
const MOST = { recordings: 3, chunks: 4 } as const

const pool = new Map<string, HandedChunk>()
const nameOf = (...parts: [id: SessionId, index: number, sealedBy: string, take: number]) => parts.join(' ')

/**
 * A chunk as a page hands it over; sealed once, beforehand.
 *
 * @param take another take of the same place has other content
 */
export function recordedChunk(
  id: SessionId,
  index: number,
  sealedBy: 'page' | 'worker',
  take = 0,
): HandedChunk {
  const chunk = pool.get(nameOf(id, index, sealedBy, take))
  if (chunk === undefined) throw new Error(`Nothing was recorded for ${id} ${index}`)
  return chunk
}

async function recordChunk(
  sessionId: SessionId,
  index: number,
  sealedBy: 'page' | 'worker',
  plaintext: ArrayBuffer,
): Promise<HandedChunk> {
  const common = { sessionId, index, capturedAtMs: START_MS + index, durationMs: 3_000 }
  if (sealedBy === 'worker') {
    const plaintextHash = await sha256Hex(plaintext)
    return { kind: 'raw', ...common, plaintextHash, payload: new QuickBlob(plaintext) }
  }
  const { ciphertext, ...sealed } = await sealChunk({
    sessionKey,
    index,
    plaintext,
    iv: new Uint8Array(12).fill(index),
  })
  return { kind: 'sealed', ...common, ...sealed, payload: new QuickBlob(ciphertext) }
}

for (let at = 0; at < MOST.recordings; at++)
  for (let index = 0; index < MOST.chunks; index++)
    for (const sealedBy of ['page', 'worker'] as const)
      for (const take of [0, 1]) {
        const name = nameOf(sessionIdOf(at + 1), index, sealedBy, take)
        pool.set(
          name,
          await recordChunk(sessionIdOf(at + 1), index, sealedBy, new TextEncoder().encode(name).buffer),
        )
      }
