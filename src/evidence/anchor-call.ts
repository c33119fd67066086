import type { GroupId, Sha256Hex } from '../protocol/ids.ts'
import type { SignedHead } from './head.ts'
import { wordOf } from './registry.ts'

// First four bytes of keccak256 over anchor((bytes32,uint64,bytes32,bytes32,bytes32,bytes32,bool),bytes32[2],bytes32[2],(bytes32,bytes32)[]).
const ANCHOR = '0x4b20da2c'

/** Words before the groups: head, public key, signature, and where the groups begin. */
const WORDS_BEFORE = 12

/**
 * Call data that brings a head to the registry: whoever sends it pays, and needs no leave of anybody.
 *
 * @param head with the session's public key `x ‖ y` and its signature `r ‖ s`, hex
 * @param groups of the session, in the order of its first entry; may be left out where the registry has a head of it
 */
export const encodeAnchorCall = (
  head: SignedHead,
  groups: readonly { readonly id: GroupId; readonly tag: Sha256Hex }[] = [],
): string =>
  [
    ANCHOR,
    head.name,
    wordOf(head.size),
    head.root,
    head.page,
    head.previous ?? wordOf(0),
    head.groups,
    wordOf(Number(head.end)),
    head.publicKey,
    head.signature,
    wordOf(32 * WORDS_BEFORE),
    wordOf(groups.length),
    ...groups.map(({ id, tag }) => id.slice(2) + tag),
  ].join('')
