import { groupsDigest, signHead, type Head } from '../../src/evidence/head.ts'
import { toHex } from '../../src/evidence/bytes.ts'
import { sessionName } from '../../src/evidence/name.ts'
import { wordOf } from '../../src/evidence/registry.ts'
import type { GroupId, SessionId, SessionName, Sha256Hex } from '../../src/protocol/ids.ts'
import type { AnchorRequest, SignedHead } from '../ports/anchor.ts'

/** A session with a key pair of its own, whose heads a registry takes. Nothing is behind its digests. */
export interface SignedSession {
  readonly name: SessionName
  readonly publicKey: string
  /** The head after this many entries; `change` is signed too. */
  request(size: number, change?: Partial<Head>): Promise<AnchorRequest>
  sign(head: Head): Promise<SignedHead>
}

/** @param groupIds their ids, or how many random ones; default: one */
export async function signedSession(
  groupIds: readonly GroupId[] | number = 1,
  sessionId = crypto.randomUUID() as SessionId,
): Promise<SignedSession> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const publicKey = toHex(point.subarray(1))
  const name = await sessionName(sessionId, publicKey)
  const ids =
    typeof groupIds === 'number'
      ? Array.from({ length: groupIds }, () => `0x${randomDigest()}` as GroupId).sort()
      : groupIds
  const groups = ids.map((id) => ({ id, tag: randomDigest() }))
  const digest = await groupsDigest(groups)
  const sign = async (head: Head) => ({
    ...head,
    publicKey,
    signature: await signHead(pair.privateKey, head),
  })
  return {
    name,
    publicKey,
    sign,
    request: async (size, change) => ({
      head: await sign({
        name,
        size,
        root: ofSize('a', size),
        page: ofSize('b', size),
        previous: size > 1 ? ofSize('b', size - 1) : null,
        groups: digest,
        end: false,
        ...change,
      }),
      groups,
    }),
  }
}

const randomDigest = () => toHex(crypto.getRandomValues(new Uint8Array(32))) as Sha256Hex

const ofSize = (digit: string, size: number) => (digit.repeat(32) + wordOf(size).slice(32)) as Sha256Hex
