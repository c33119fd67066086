import { groupIdOf } from '../evidence/group.ts'
import { importSessionKey, unwrapSessionKey } from '../evidence/keys.ts'
import type { Manifest } from '../evidence/manifest.ts'
import type { VerificationCode } from '../protocol/verification-code.ts'
import { readInGroup, type Chain } from './chain.ts'
import { VerificationError, type VerificationStep } from './error.ts'
import type { Limits } from './request.ts'

/**
 * The session key, once the chain binds the session to the secret's group.
 *
 * @throws VerificationError with `group` or `key`, or where the chain does not answer
 */
export async function openKey(
  chain: Chain,
  manifest: Manifest,
  groupSecret: Uint8Array<ArrayBuffer>,
  limits: Limits,
  at: (step: VerificationStep) => void,
): Promise<CryptoKey> {
  at('checking the group')
  const groupId = groupIdOf(groupSecret)
  const failure = (code: VerificationCode, step: VerificationStep, what: string, cause?: unknown) =>
    new VerificationError(code, step, what, { cause })
  if (!(await readInGroup(chain, manifest.sessionId, groupId, limits))) {
    const what = `The chain does not bind the session to group ${groupId}, which the group secret belongs to`
    throw failure('group', 'checking the group', what)
  }
  const wrapped = manifest.accessList[groupId]
  if (wrapped === undefined) {
    const found = Object.keys(manifest.accessList).join(', ')
    const what = `The manifest's access list should have group ${groupId}, as on chain; found ${found.slice(0, 400)}`
    throw failure('group', 'checking the group', what)
  }
  at('unwrapping the session key')
  try {
    const raw = await unwrapSessionKey(wrapped, groupSecret)
    const key = await importSessionKey(raw)
    raw.fill(0)
    return key
  } catch (cause) {
    const what = `The key wrapped for group ${groupId} does not open under the group secret`
    throw failure('key', 'unwrapping the session key', what, cause)
  }
}
