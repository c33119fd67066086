import type { SessionId, SessionName } from '../protocol/ids.ts'
import { fromHex } from './bytes.ts'
import { sha256Hex } from './digest.ts'

/** The second half of the name of each session that this key signs: 32 hex digits. */
export const keyPartOf = async (publicKey: string): Promise<string> =>
  (await sha256Hex(fromHex(publicKey))).slice(0, 32)

/**
 * The name of the session that has this id and this P-256 public key.
 *
 * @param publicKey `x ‖ y`: hex of 64 bytes
 */
export const sessionName = async (id: SessionId, publicKey: string): Promise<SessionName> =>
  (id.replace(/-/g, '') + (await keyPartOf(publicKey))) as SessionName
