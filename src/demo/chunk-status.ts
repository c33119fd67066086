import { statusOf as status, type StatusWords } from '../elements/session-status.ts'
import type { ChunkView } from '../protocol/snapshot.ts'
import { texts } from './texts.ts'

/** A chunk's state in words. */
export function chunkStatus(chunk: ChunkView): StatusWords {
  const words = texts.piece
  if (chunk.parked) return status(words.parked, 'alert', 'alert')
  switch (chunk.status) {
    case 'captured':
    case 'hashing':
    case 'encrypting':
      return status(words.encrypting, 'clock', 'quiet')
    case 'uploading':
      return chunk.lastError ? status(words.again, 'clock', 'waiting') : status(words.toUpload, 'up', 'quiet')
    case 'uploaded':
      return status(words.elsewhere, 'up', 'busy')
    case 'manifesting':
    case 'anchoring':
      return status(words.proof, 'link', 'busy')
    case 'confirmed':
      return status(words.proved, 'check', 'good')
  }
}
