// What sealing, a store and a chain would make, in its form and made up, for a test's worker.

import type { Group } from '../api.ts'
import type { Cid, GroupId, SessionId, Sha256Hex } from '../protocol/ids.ts'
import type { AnchorView } from '../protocol/snapshot.ts'

/** In the form of what sealing makes. */
export function madeUpSeal(sessionId: SessionId, index: number) {
  const hash = `${hexOf(sessionId)}${index.toString(16).padStart(32, '0')}` as Sha256Hex
  const letters = Array.from(hash, (digit) => 'abcdefghijklmnop'.charAt(parseInt(digit, 16)))
  return {
    plaintextHash: hash,
    encryptedHash: hash,
    iv: '0'.repeat(24),
    chunkKey: '0'.repeat(160),
    cid: `bafkrei${letters.slice(-52).join('')}` as Cid,
  }
}

/** In the form of what a worker without a chain tells. */
export function madeUpAnchor(id: SessionId, chunks: number, confirmedAtMs: number): AnchorView {
  const { cid, plaintextHash } = madeUpSeal(id, chunks)
  return { size: chunks + 1, root: plaintextHash, page: plaintextHash, address: cid, confirmedAtMs }
}

/** A name, or a public key. */
export const madeUpKey = (id: SessionId) => hexOf(id).padEnd(64, '0')

export const madeUpGroupId = ({ publicKey }: Group) =>
  `0x${publicKey.slice(0, 64).padEnd(64, '0')}` as GroupId

const hexOf = (id: SessionId) => id.replaceAll('-', '')
