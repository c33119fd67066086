import type { Group } from './api.ts'
import { groupIdOf, newGroupSecret } from './evidence/group.ts'
import { HoldfastError } from './protocol/errors.ts'

/**
 * The group that a secret opens.
 *
 * @param secret 32 bytes
 * @throws HoldfastError `bad-input`
 */
export function groupOf(secret: Uint8Array<ArrayBuffer>): Group {
  if (secret.length !== 32)
    throw new HoldfastError('bad-input', `A group secret has 32 bytes, not ${secret.length}.`)
  return { id: groupIdOf(secret), secret }
}

/** A new group with a random secret: give the secret to each member, and keep a copy off this device. */
export const newGroup = (): Group => groupOf(newGroupSecret())
