import type { ChunkEntry, SessionEntry } from '../../src/evidence/entry.ts'
import type { SessionName } from '../../src/protocol/ids.ts'
import { cat, sha256, text, u32, unhex } from '../second-implementation/bytes.ts'
import { gcmOpen, keySchedule, x25519, x25519Public } from '../second-implementation/hpke.ts'

/** Bytes that open a sealed chunk, or lead to such. */
export interface Secret {
  readonly what: string
  readonly bytes: Buffer
}

/** The log of a session as far as it is listed. */
export interface Listed {
  readonly name: SessionName
  readonly first: SessionEntry
  readonly chunks: readonly ChunkEntry[]
}

/**
 * What a reader knows: the session's private key, each chunk's, and all that HPKE makes on the way to either, of which
 * each is enough.
 */
export function secretsOf({ name, first, chunks }: Listed, groupKey: Uint8Array): Secret[] {
  const secrets: Secret[] = []
  const opened = (what: string, key: Uint8Array, info: Buffer, aad: Buffer, sealed: Buffer): Buffer => {
    const enc = sealed.subarray(0, 32)
    const { dh, own } = x25519(key, enc)
    const schedule = keySchedule(dh, enc, own, info)
    const bytes = gcmOpen(schedule.key, schedule.nonce, aad, sealed.subarray(32))
    secrets.push({ what, bytes })
    for (const [at, secret] of schedule.secrets.entries())
      secrets.push({ what: `secret ${at} on the way to ${what}`, bytes: Buffer.from(secret) })
    return bytes
  }
  const groupId = sha256(text('holdfast/group/v2'), x25519Public(groupKey))
  const access = first.groups.find(({ id }) => id === `0x${groupId.toString('hex')}`)
  if (!access) throw new Error('The session is not of this group.')
  const info = cat(text('holdfast/session-key/v2'), unhex(name), groupId)
  const none = Buffer.alloc(0)
  const sessionKey = opened('the session’s key', groupKey, info, none, unhex(access.sealedKey))
  for (const { index, chunkKey } of chunks) {
    const place = cat(unhex(name), u32(index))
    const info = cat(text('holdfast/chunk-key/v2'), place)
    opened(`the key of chunk ${index}`, sessionKey, info, place, unhex(chunkKey))
  }
  return secrets
}
