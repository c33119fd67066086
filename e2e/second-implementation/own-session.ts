import { hex, sha256 } from './bytes.ts'
import { Recording, sealSessionKey, sessionEntry, STARTED_AT_MS, tagOf, type Group } from './recording.ts'
import type { Scene } from './deed-scene.ts'
import { random } from './deed.ts'

/** A session of somebody else, who has read this one's pages: its first entry is what they make it. */
export function ownSession(scene: Scene, entry: (own: Recording) => Buffer): Recording {
  const own = new Recording('another recorder', { groups: scene.readers })
  own.entries[0] = entry(own)
  scene.mine = own
  return own
}

export function entryOf(own: Recording, changes: (group: Group) => object, others: object = {}): Buffer {
  const { keys, groups } = own
  const access = groups.map((group) => {
    const { id } = group
    const sealedKey = sealSessionKey(group, keys, random(`ephemeral ${hex(id)}`))
    return Object.assign({ id, tag: tagOf(group, keys.name), sealedKey }, changes(group))
  })
  return sessionEntry({
    startedAtMs: STARTED_AT_MS,
    signingKey: keys.signing.publicKey,
    publicKey: keys.publicKey,
    continues: Buffer.alloc(32),
    mimeType: 'video/webm',
    groups: access,
    metadata: Buffer.alloc(0),
    ...others,
  })
}

/** Publishes and anchors with the groups' digest that this first entry has. */
export function anchorWith(scene: Scene, groups: Buffer): void {
  scene.anchor(scene.mine.publish({}, { groups }))
}

/** Of the groups that are in this first entry. */
export const digestOf = (entry: Buffer, count = 2): Buffer => {
  const at = 1 + 8 + 64 + 32 + 32 + 2 + entry.readUInt16BE(1 + 8 + 64 + 32 + 32) + 1
  return sha256(
    ...Array.from({ length: count }, (_, group) => entry.subarray(at + 144 * group, at + 144 * group + 64)),
  )
}
